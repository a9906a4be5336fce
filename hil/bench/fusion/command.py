"""The fusion benchmark: cameras, radars and both by day and night, beside peers, and with sensors lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.bench.fusion import others
from hil.bench.fusion.config import Config, read
from hil.bench.fusion.figures import Figures, figures, referees_python
from hil.bench.fusion.lost import lost
from hil.bench.fusion.measurements import CAMERA, RADAR, measurements
from hil.bench.fusion.ours import track
from hil.bench.fusion.result import Result
from hil.bench.fusion.truth import Truth, truth
from hil.bench.fusion.vulnerable import first_reports
from hil.progress import counting
from rsu_agent.perception.learnt_association import BUNDLED, LearntAssociation
from rsu_agent.ports.assets import asset

SENSES = {"camera": (CAMERA,), "radar": (RADAR,), "fused": (CAMERA, RADAR)}
SINGLE = ("camera", "radar")
UNTIMED = "latency_ignored"
Said = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """One seed's figures by group."""

    seed: int
    groups: dict[str, Figures]
    mean_objects: float
    step_ms: float
    vulnerable: list[bool]


def fusion(seed: int, config: Config | None = None) -> dict[str, Any]:
    """Groups `camera`, `radar`, `fused`, `latency_ignored` (means of the day seeds), `night`, a group a peer,
    `lost`, `vulnerable_first_1s` (docs of vulnerable.py) and the configuration's hash. `learnt` is the learnt
    association on the first day seed alone, `fused_beside_learnt` the gate on the same; step_ms in both.

    speed_rmse_mps is of the difference of the velocities as vectors. Peers run on the first peer_runs day
    seeds; `fused_beside_peers` is ours on the same. Raises RigFailure without SUMO or the referees.
    """
    config = config or read()
    referees_python()  # before minutes go by
    seeds = [seed + n for n in range(config.day_runs + config.night_runs)]
    days, nights = seeds[: config.day_runs], seeds[config.day_runs :]
    with counting() as bar:
        task = bar.add_task("fusion", total=len(seeds) * len(SENSES) + len(days) + config.peer_runs + 2)

        def said(words: str) -> None:
            bar.update(task, description=words)
            bar.advance(task)

        day = [_run(config, each, said, night=False) for each in days]
        night = [_run(config, each, said, night=True) for each in nights]
        beside = [_peers(config, each, said) for each in days[: config.peer_runs]]
        said("learnt association")
        world = truth(config, days[0])
        learnt = _learnt(config, world, days[0])
        said("lost sensors")
        gone = lost(config, world, measurements(config, world, days[0], night=False)[0])
    own = {**mean([day[0].groups["fused"]]), "step_ms": round(day[0].step_ms, 2)}
    return _told(config, day, night, beside) | {"lost": gone, "learnt": learnt, "fused_beside_learnt": own}


def _run(config: Config, seed: int, said: Said, *, night: bool) -> Run:
    world = truth(config, seed)
    measured, _ = measurements(config, world, seed, night=night)
    results: dict[str, Result] = {}
    step_ms = 0.0
    for name, kinds in SENSES.items():
        said(f"{'night' if night else 'day'} {seed} {name}")
        tracked = track(config, world.crossing, measured.only(kinds))
        results[name], step_ms = tracked.result, float(tracked.step_ms.mean())
    if not night:
        said(f"day {seed} {UNTIMED}")
        results[UNTIMED] = track(config, world.crossing, measured, late=False).result
    soon = first_reports(config, world, measured, results["fused"])
    return Run(seed, figures(config, world, results), world.mean_objects(config), step_ms, soon)


def _learnt(config: Config, world: Truth, seed: int) -> Figures:
    """Both senses of one day seed, joined by the learnt association."""
    measured, _ = measurements(config, world, seed, night=False)
    associate = LearntAssociation(asset(BUNDLED))
    tracked = track(config, world.crossing, measured.only(SENSES["fused"]), associate=associate)
    row = figures(config, world, {"learnt": tracked.result})["learnt"]
    return {**mean([row]), "step_ms": round(float(tracked.step_ms.mean()), 2)}


def _peers(config: Config, seed: int, said: Said) -> dict[str, Figures]:
    """Peers of one day seed; empty without any."""
    said(f"peers {seed}")
    world: Truth = truth(config, seed)
    _, feed = measurements(config, world, seed, night=False)
    results = {name: others.track(name, feed) for name in others.names()}
    return figures(config, world, results) if results else {}


def _told(
    config: Config, day: Sequence[Run], night: Sequence[Run], beside: Sequence[dict[str, Figures]]
) -> dict[str, Any]:
    groups: dict[str, Any] = {name: mean([run.groups[name] for run in day]) for name in (*SENSES, UNTIMED)}
    worst = min(day, key=lambda run: run.groups["fused"]["mota"] or -1.0)
    soon = [each for run in day for each in run.vulnerable]
    peers = {name: mean([row[name] for row in beside]) for name in (beside[0] if beside else ())}
    same = mean([run.groups["fused"] for run in day[: len(beside)]]) if peers else None
    single = min(groups[name]["gospa"] for name in SINGLE)
    return {
        "config_sha256": config.sha256,
        "mean_objects": round(float(np.mean([run.mean_objects for run in day])), 1),
        "step_ms": round(float(np.mean([run.step_ms for run in day])), 2),
        **groups,
        "worst": {"seed": worst.seed, **mean([worst.groups["fused"]])},
        "night": {name: mean([run.groups[name] for run in night]) for name in SENSES},
        "vulnerable_first_1s": round(float(np.mean(soon)), 4) if soon else None,
        "vulnerable_users": len(soon),
        "gospa_over_best_single": round(groups["fused"]["gospa"] / single, 3),
        **peers,
        "fused_beside_peers": same,
        "missed": beaten_by(same, peers),
    }


def beaten_by(ours: Figures | None, peers: dict[str, Figures]) -> list[str]:
    """In words, the peers whose GOSPA is no worse than ours."""
    own = None if ours is None else ours["gospa"]
    rows = ((name, row["gospa"]) for name, row in peers.items())
    return [
        f"fused gospa {own} >= {theirs} of {name}"
        for name, theirs in rows
        if own is not None and theirs is not None and own >= theirs
    ]


def mean(rows: Sequence[Figures]) -> Figures:
    """Means by name; None where any is None or there is no row."""
    told: Figures = {}
    for name in rows[0] if rows else ():
        values = [value for row in rows if (value := row[name]) is not None]
        told[name] = round(float(np.mean(values)), 4) if len(values) == len(rows) else None
    return told
