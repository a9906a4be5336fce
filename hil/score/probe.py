"""How late this host wakes a process; stalls go into the truth log: `python -m hil.score.probe`."""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path

from hil.truth import TruthLog

PERIOD_S = 0.010
NOTED_S = 0.010


def main() -> None:
    """Sleep, look, note what was late, until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    options = parser.parse_args()
    truth = TruthLog(options.run_dir, "probe")
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ready = options.run_dir / "ready" / "probe.json"
    ready.parent.mkdir(parents=True, exist_ok=True)
    ready.write_text(json.dumps({"period_s": PERIOD_S}))
    while going:
        due = time.monotonic() + PERIOD_S
        time.sleep(PERIOD_S)
        now = time.monotonic()
        if now - due > NOTED_S:
            truth.write("stall", now, late_ms=round((now - due) * 1000, 2))
    truth.close()


if __name__ == "__main__":
    main()
