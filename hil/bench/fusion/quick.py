"""For tuning: our tracker's figures with cameras and radars, from kept measurements.

`python -m hil.bench.fusion.quick --seeds 1,2 [--night] [--of camera|radar|fused] [--learnt]
[--sumo FILE.sumocfg [--junction ID]]`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hil.bench.fusion.command import SENSES, mean
from hil.bench.fusion.config import read
from hil.bench.fusion.figures import Figures, figures
from hil.bench.fusion.given import NEARLY_EMPTY, Given, nearly_empty
from hil.bench.fusion.measurements import measurements
from hil.bench.fusion.ours import track
from hil.bench.fusion.truth import truth
from hil.processes import RigFailure
from rsu_agent.perception.learnt_association import BUNDLED, LearntAssociation
from rsu_agent.ports.assets import asset

SHOWN = (
    "mota",
    "idf1",
    "hota",
    "gospa",
    "position_rmse_m",
    "speed_rmse_mps",
    "id_switches",
    "precision",
    "recall",
)


def main(arguments: list[str]) -> None:
    """One line a seed, then the means."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", default="1")
    asked.add_argument("--night", action="store_true")
    asked.add_argument("--of", choices=list(SENSES), default="fused")
    asked.add_argument("--learnt", action="store_true", help="the learnt association instead of the gate")
    asked.add_argument("--sumo", type=Path, help="a SUMO scenario of one's own (.sumocfg)")
    asked.add_argument("--junction", default="", help="which of its junctions")
    told = asked.parse_args(arguments)
    if told.junction and told.sumo is None:
        asked.error("--junction goes with --sumo")
    given = None if told.sumo is None else Given(told.sumo, told.junction)
    print("seed   users  ms/step  " + "  ".join(f"{name:>{width(name)}}" for name in SHOWN), flush=True)
    rows = [
        _seed(int(seed), told.of, given, night=told.night, learnt=told.learnt)
        for seed in told.seeds.split(",")
    ]
    print("mean                   " + _line(mean(rows)))


def _seed(seed: int, senses: str, given: Given | None, *, night: bool, learnt: bool) -> Figures:
    world = truth(read(), seed, given)
    config = world.fitted(read())
    if world.told is not None:
        print(f"junction {world.told.junction}, {world.told.steps} steps", file=sys.stderr)
    users = world.mean_objects(config)
    if given is not None and users < NEARLY_EMPTY:
        raise RigFailure(nearly_empty(users, config)["note"])
    measured, _ = measurements(config, world, seed, night=night)
    associate = LearntAssociation(asset(BUNDLED)) if learnt else None
    tracked = track(config, world.crossing, measured.only(SENSES[senses]), associate=associate)
    row = figures(config, world, {senses: tracked.result})[senses]
    took_ms = float(tracked.step_ms.mean())
    print(f"{seed:>4} {users:>7.1f} {took_ms:>8.2f}  {_line(row)}", flush=True)
    return row


def width(name: str) -> int:
    """Of a column."""
    return max(7, len(name))


def _line(row: Mapping[str, float | None]) -> str:
    told = {name: np.nan if row[name] is None else row[name] for name in SHOWN}
    return "  ".join(f"{told[name]:>{width(name)}.3f}" for name in SHOWN)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RigFailure as failure:
        sys.exit(str(failure))
