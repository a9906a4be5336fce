"""Random device faults on a running crossing: each part recovers, and no wrong colour is on air.

`python -m hil.device_faults --n 10 --seed 1` prints one JSON line and ends with status 1 when a colour was
wrong or something did not come back, 2 when the crossing did not come up.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.counted_run import judged
from hil.demo import provenance, watch_first_valid
from hil.district_side import all_stored
from hil.rig import Rig, RigOptions
from hil.scenario.expect import Evidence

DEVICES = ("controller", "radar", "camera", "vehicle", "time", "district")
FAULTS = ("unplug", "silence", "garbage", "freeze", "kill")
LASTS_S = 0.5, 4.0
REST_S = 1.0, 4.0
BACK_S = 130.0  # a third doubt within ten minutes asks for one clean cycle, a second for a minute
LOOK_S = 0.1
HEAR_S = 5.0  # reading the whole log again costs time


def faults(count: int, seed: int, run_dir: Path) -> dict[str, Any]:
    """Run, act, wait for everything to be back; the figures. Raises RigFailure."""
    drawn, dice, done = list(draws(count, seed)), random.Random(seed), Counter[str]()
    rig = Rig(run_dir, RigOptions(seed=seed, plan=3, page=False, metrics_port=0))
    try:
        rig.start_devices()
        rig.start_agent()
        t0 = watch_first_valid(run_dir, time.monotonic())
        for device, fault in drawn:
            _pass(rig, dice.uniform(*REST_S))
            rig.fault(device, fault, True)
            _pass(rig, dice.uniform(*LASTS_S))
            if fault != "kill":  # the rig has started a killed one again
                rig.fault(device, "replug" if fault == "unplug" else fault, fault == "unplug")
            done[f"{device} {fault}"] += 1
        ended_s = time.monotonic()
        phases = YAML(typ="safe").load(rig.site_file.read_text())["signals"]["phases"]
        came_back = _back(rig, phases, ended_s)
        spat = Evidence(run_dir, phases, t0).figures(0.0, time.monotonic() - t0)["spat"]
        return {
            "seed": seed,
            "faults": dict(sorted(done.items())),
            "came_back_s": came_back,
            "wrong_colour_ms": spat["wrong_colour_ms"],
            "dangerous_ms": spat["dangerous_ms"],
            "seconds": round(time.monotonic() - t0, 1),
            **provenance(),
        }
    finally:
        rig.stop()


def draws(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """(device, fault) in order: every device once before any twice."""
    dice = random.Random(seed)
    for start in range(0, count, len(DEVICES)):
        for device in dice.sample(DEVICES, min(len(DEVICES), count - start)):
            yield device, dice.choice(FAULTS)


def _back(rig: Rig, phases: dict[int, list[int]], ended_s: float) -> dict[str, float | None]:
    """Seconds until colours, users and pictures were there and all records stored; None: not in time."""
    found: dict[str, float | None] = {}
    outbox, database, stored_s = rig.state / "outbox", rig.run_dir / "district.sqlite", None
    while time.monotonic() - ended_s < BACK_S:
        until_s = time.monotonic() + HEAR_S
        while time.monotonic() < until_s:
            _pass(rig, LOOK_S)
            if stored_s is None and all_stored(outbox, database):
                stored_s = time.monotonic() - ended_s
        evidence = Evidence(rig.run_dir, phases, ended_s)
        found = {what: evidence.heard(what, 0.0) for what in ("valid", "users", "picture")}
        found["stored"] = stored_s
        if None not in found.values():
            break
    return {what: None if at is None else round(at, 2) for what, at in found.items()}


def _pass(rig: Rig, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while (left_s := until_s - time.monotonic()) > 0:
        rig.processes.look()
        time.sleep(min(LOOK_S, left_s))


def passed(figures: dict[str, Any]) -> bool:
    """No colour wrong, everything back; what was not measured has not passed."""
    return figures["wrong_colour_ms"] == 0 and None not in figures["came_back_s"].values()


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m hil.device_faults", description=__doc__)
    parser.add_argument("--n", type=int, default=10, help="how many faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the run's files in this folder")
    options = parser.parse_args()
    return judged(
        "faults",
        lambda run_dir: faults(options.n, options.seed, run_dir),
        passed,
        options.keep,
        "a wrong colour, or something not back",
    )


if __name__ == "__main__":
    sys.exit(main())
