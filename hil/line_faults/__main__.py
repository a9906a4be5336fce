"""`python -m hil.line_faults --n 10000 --seed 1`: line faults, one JSON line; status 1 on any error.

Every fault is an episode with a fresh guard history and a calibrated plan. They run side by side, as many as
there are processors; the same seed gives the same figures however many those are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from hil.demo import provenance
from hil.line_faults.many import run_all

ERRORS = (
    "dangerous_ms",
    "wrong_colour_ms",
    "conflicting",
    "late_degrade",
    "late_recover",
    "false_degrade",
    "set_frames",
)
VALID_LEAST = 0.99
STORIES = 20


def figures(found: list[Counter[str]]) -> dict[str, float | int | None]:
    """The sum of several lines' figures, in the names of the issue."""
    total = sum(found, Counter[str]())
    knowable = total["knowable_ms"]
    share = round(total["valid_ms"] / knowable, 5) if knowable else None
    return {"injected": total["injected"], **{name: total[name] for name in ERRORS}, "valid_share": share}


def passed(found: dict[str, float | int | None]) -> bool:
    """All zero but the first and the valid share."""
    share = found["valid_share"]
    return not any(found[name] for name in ERRORS) and share is not None and share >= VALID_LEAST


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m hil.line_faults", description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="how many faults")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    try:
        found, stories = run_all(options.n, options.seed)
    except TimeoutError as trouble:
        print(trouble, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    told = figures(found)
    took = {"seed": options.seed, "seconds": round(time.monotonic() - began_s, 1)}
    for story in stories[:STORIES]:
        print(story, file=sys.stderr)
    print(json.dumps({**told, **took, **provenance()}))
    return 0 if passed(told) else 1


if __name__ == "__main__":
    sys.exit(main())
