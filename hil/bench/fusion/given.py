"""The fusion benchmark on a SUMO scenario of somebody's own: which one, where, and what fits it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hil.bench.fusion.config import Config
from hil.processes import RigFailure
from hil.world.sumo_given import GivenOrder
from hil.world.sumo_scenario import UnfitScenario, read_scenario

NEARLY_EMPTY = 5.0  # mean users within the region; figures of fewer say nothing
EMPTY_GROUPS = ("camera", "radar", "fused", "latency_ignored", "night", "lost", "vulnerable_first_1s")
ALL = "all"


@dataclass(frozen=True, slots=True)
class Given:
    """A .sumocfg and one of its junctions; "": the signalised one with the most lanes that lead to it."""

    file: Path
    junction: str = ""

    def order(self, config: Config, seed: int) -> GivenOrder:
        """What to simulate of it."""
        return GivenOrder(
            scenario=str(self.file),
            junction=self.junction,
            seed=seed,
            steps=config.steps,
            step_s=config.step_s,
            warm_s=config.world.warm_s,
            within_m=config.world.within_m,
            region_m=config.region_m,
        )

    def content(self) -> str:
        """A hash of all files that it names, wherever they lie. Raises RigFailure where one is missing."""
        try:
            files = read_scenario(self.file).files
        except UnfitScenario as unfit:
            raise RigFailure(str(unfit)) from None
        parts = (f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Told:
    """What a simulation says of itself. left_out: how many of a vClass that is none of our kinds."""

    junction: str
    steps: int
    poles_m: list[list[float]]
    left_out: dict[str, int]


def about(given: Given, told: Told, config: Config) -> dict[str, Any]:
    """What the benchmark's object says of the scenario."""
    said: dict[str, Any] = {"scenario": given.file.name, "junction": told.junction}
    if told.left_out:
        said["left_out"] = told.left_out
    if told.steps < config.steps:
        said["steps"] = told.steps
    return said


def nearly_empty(mean_objects: float, config: Config) -> dict[str, Any]:
    """Groups without figures, and why. Nothing is held against bounds but that nothing was measured."""
    note = (
        f"not measured: {mean_objects:.1f} users within {config.region_m:g} m on the mean,"
        f" {NEARLY_EMPTY:g} are needed; name a busier junction with --junction, or a busier hour as <begin>"
        " in the scenario"
    )
    return {**dict.fromkeys(EMPTY_GROUPS), "note": note, "unjudged": [ALL], "missed": [note]}


def order_of(order: GivenOrder, content: str) -> dict[str, Any]:
    """What a kept truth hangs on: the order, with what the scenario's files say instead of where they lie."""
    return asdict(order) | {"scenario": content}
