"""The truth of one run: SUMO's road users, made in a process of its own and kept under build/."""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from hil.bench.fusion.config import Config
from hil.processes import RigFailure
from hil.world import sumo, sumo_demand, sumo_net
from hil.world.sumo import KINDS, Order
from rsu_agent.world.crossing import Crossing

Array = npt.NDArray[np.float64]
KEPT = Path("build/fusion")
RUN_S = 300.0
PEDESTRIAN = KINDS.index("pedestrian")
VULNERABLE = tuple(KINDS.index(kind) for kind in ("pedestrian", "bicycle", "motorcycle", "tricycle", "cart"))


@dataclass(frozen=True, slots=True)
class Step:
    """All users at one instant: (n,) each; xy and v (n, 2) metres east and north; size (n, 3) l, w, h."""

    id: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    xy: Array
    v: Array
    heading_deg: Array
    size: Array


@dataclass(frozen=True, slots=True)
class Truth:
    """Users step by step, the geometry they move on, and the file of their rows."""

    steps: tuple[Step, ...]
    crossing: Crossing
    path: Path

    def mean_objects(self, config: Config) -> float:
        """Users within the region, mean over the scored steps."""
        scored = self.steps[config.unscored_steps :]
        return float(np.mean([(np.hypot(*step.xy.T) < config.region_m).sum() for step in scored]))


def truth(config: Config, seed: int) -> Truth:
    """The truth of a seed, simulated unless that was done before. Raises RigFailure without SUMO."""
    world = config.world
    order = Order(seed, config.steps, config.step_s, world.warm_s, world.within_m, world.per_hour)
    written = json.dumps(asdict(order), sort_keys=True)
    code = "".join(map(inspect.getsource, (sumo, sumo_net, sumo_demand)))
    name = hashlib.sha256((written + code).encode()).hexdigest()[:16]
    rows, geometry = KEPT / f"truth-{name}.npz", KEPT / f"truth-{name}.geometry.json"
    if not rows.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        asked = KEPT / f"truth-{name}.order.json"
        asked.write_text(written)
        _simulate(asked, rows, geometry)
    crossing = TypeAdapter(Crossing).validate_json(geometry.read_text())
    return Truth(_steps(rows, config.steps), crossing, rows)


def _simulate(order: Path, rows: Path, geometry: Path) -> None:
    made = rows.with_suffix(".part")
    command = [sys.executable, "-m", "hil.world.sumo", str(order), str(made), str(geometry)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    except subprocess.TimeoutExpired:
        raise RigFailure(f"SUMO had not finished after {RUN_S:g} s") from None
    if done.returncode:
        raise RigFailure(f"no truth from SUMO: {done.stderr.strip()[-800:]}")
    made.replace(rows)


def _steps(path: Path, count: int) -> tuple[Step, ...]:
    with np.load(path) as file:
        rows = {name: file[name] for name in file.files}
    order = np.lexsort((rows["id"], rows["step"]))
    rows = {name: values[order] for name, values in rows.items()}
    bounds = np.searchsorted(rows["step"], np.arange(count + 1))
    return tuple(_step(rows, slice(bounds[n], bounds[n + 1])) for n in range(count))


def _step(rows: dict[str, Array], part: slice) -> Step:
    return Step(
        id=rows["id"][part].astype(np.int64),
        kind=rows["kind"][part].astype(np.int64),
        xy=np.column_stack([rows["x"][part], rows["y"][part]]),
        v=np.column_stack([rows["vx"][part], rows["vy"][part]]),
        heading_deg=rows["heading_deg"][part],
        size=np.column_stack([rows["length"][part], rows["width"][part], rows["height"][part]]),
    )
