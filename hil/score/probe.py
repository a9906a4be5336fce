"""How late this host wakes a process; stalls go into the truth log: `python -m hil.score.probe`."""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path

from hil.devices.ready import announce
from hil.truth import TruthLog

PERIOD_S = 0.010
NOTED_S = 0.010  # later than this is noted at once, and the worst of every second in any case
SECOND_S = 1.0


def main() -> None:
    """Sleep, look, note what was late, until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    options = parser.parse_args()
    truth = TruthLog(options.run_dir, "probe")
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, "probe", period_s=PERIOD_S)
    slept, told, worst = time.monotonic(), time.monotonic(), 0.0
    while going:
        time.sleep(PERIOD_S)
        now = time.monotonic()
        late, slept = now - slept - PERIOD_S, now
        worst = max(worst, late)
        if late > NOTED_S or now - told > SECOND_S:
            truth.write("stall", now, late_ms=round(worst * 1000, 2))
            told, worst = now, 0.0
    truth.close()


if __name__ == "__main__":
    main()
