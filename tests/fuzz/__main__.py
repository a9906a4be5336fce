"""`python -m tests.fuzz --n N --seed S`: one JSON line; exit code 1 with the first failure's seed and hex.

Of each decoder: how many inputs, crashes and hangs (more than 50 ms of CPU time), and the most that one took.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.fuzz.run import decoders, fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="inputs, shared out among the targets")
    parser.add_argument("--seed", type=int, default=1)
    names = [target.name for target in TARGETS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="these targets")
    chosen = parser.parse_args()
    began_s = time.monotonic()
    outcome = fuzz(tuple(t for t in TARGETS if t.name in chosen.only), chosen.n, chosen.seed)
    line = {
        "n": sum(sum(counts.values()) for counts in outcome.counts.values()),
        "seed": chosen.seed,
        "seconds": round(time.monotonic() - began_s, 1),
        "grown_mb": round(outcome.grown_mb, 1),
        **decoders(outcome),
        "answers": outcome.counts,
        "failure": outcome.failure and outcome.failure.as_json(),
    }
    print(json.dumps(line))
    return 1 if outcome.failure else 0


if __name__ == "__main__":
    sys.exit(main())
