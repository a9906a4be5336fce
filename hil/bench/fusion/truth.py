"""The truth of one run: SUMO's road users, made in a process of its own and kept under build/.

Of the committed crossing and its demand, or of a scenario that somebody has given.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from hil.bench.fusion.config import Config
from hil.bench.fusion.given import Given, Told, order_of
from hil.processes import RigFailure
from hil.world import (
    sumo,
    sumo_demand,
    sumo_given,
    sumo_given_crossing,
    sumo_given_net,
    sumo_net,
    sumo_scenario,
)
from hil.world.sumo import KINDS, Order
from rsu_agent.world.crossing import Crossing

Array = npt.NDArray[np.float64]
KEPT = Path("build/fusion")
RUN_S = 300.0
GIVEN_RUN_S = 1800.0  # a whole city may have to move for one junction
GIVEN_CODE = (sumo, sumo_given, sumo_given_crossing, sumo_given_net, sumo_scenario)
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
    """Users step by step, the geometry they move on, the file of their rows; told: of a given scenario."""

    steps: tuple[Step, ...]
    crossing: Crossing
    path: Path
    told: Told | None = None

    def fitted(self, config: Config) -> Config:
        """The configuration with the poles of a given junction, and as many steps as its scenario has."""
        if self.told is None:
            return config
        poles = replace(config.poles, places_m=self.told.poles_m)
        return replace(config, steps=self.told.steps, poles=poles)

    def mean_objects(self, config: Config) -> float:
        """Users within the region, mean over the scored steps."""
        scored = self.steps[config.unscored_steps :]
        return float(np.mean([(np.hypot(*step.xy.T) < config.region_m).sum() for step in scored]))


def truth(config: Config, seed: int, given: Given | None = None) -> Truth:
    """The truth of a seed, simulated unless that was done before.

    Raises RigFailure without SUMO, and where a given scenario cannot be measured.
    """
    if given is not None:
        return _given(config, seed, given)
    world = config.world
    order = Order(seed, config.steps, config.step_s, world.warm_s, world.within_m, world.per_hour)
    written = json.dumps(asdict(order), sort_keys=True)
    name = _name(written, (sumo, sumo_net, sumo_demand))
    rows, geometry = KEPT / f"truth-{name}.npz", KEPT / f"truth-{name}.geometry.json"
    if not rows.exists():
        _simulate("hil.world.sumo", written, rows, geometry, RUN_S)
    crossing = TypeAdapter(Crossing).validate_json(geometry.read_text())
    return Truth(_steps(rows, config.steps), crossing, rows)


def _given(config: Config, seed: int, given: Given) -> Truth:
    order = given.order(config, seed)
    keyed = json.dumps(order_of(order, given.content()), sort_keys=True)
    name = _name(keyed, GIVEN_CODE)
    rows, about = KEPT / f"given-{name}.npz", KEPT / f"given-{name}.told.json"
    if not rows.exists():
        _simulate("hil.world.sumo_given", json.dumps(asdict(order)), rows, about, GIVEN_RUN_S)
    said = json.loads(about.read_text())
    crossing = TypeAdapter(Crossing).validate_python(said.pop("crossing"))
    told = Told(**said)
    return Truth(_steps(rows, told.steps), crossing, rows, told)


def _name(order: str, code: tuple[ModuleType, ...]) -> str:
    """What is kept changes its name with what was asked and with what has made it."""
    return hashlib.sha256((order + "".join(map(inspect.getsource, code))).encode()).hexdigest()[:16]


def _simulate(module: str, order: str, rows: Path, beside: Path, most_s: float) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    asked, made = rows.with_suffix(".order.json"), rows.with_suffix(".part")
    asked.write_text(order)
    command = [sys.executable, "-m", module, str(asked), str(made), str(beside)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=most_s, check=False)
    except subprocess.TimeoutExpired:
        raise RigFailure(f"SUMO had not finished after {most_s:g} s") from None
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
