"""The fusion benchmark: cameras, radars and both by day and night, beside peers, and with sensors lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.bench.fusion import others
from hil.bench.fusion.config import Config, read
from hil.bench.fusion.figures import Figures, figures, referees_python
from hil.bench.fusion.given import NEARLY_EMPTY, Given, about, nearly_empty
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
    step_ms: float
    vulnerable: list[bool]


def fusion(seed: int, config: Config | None = None, given: Given | None = None) -> dict[str, Any]:
    """Groups `camera`, `radar`, `fused`, `latency_ignored` (means of the day seeds), `night`, a group a peer,
    `lost`, `vulnerable_first_1s` (docs of vulnerable.py) and the configuration's hash. `learnt` is the learnt
    association on the first day seed alone, `fused_beside_learnt` the gate on the same; step_ms in both.

    speed_rmse_mps is of the difference of the velocities as vectors. Peers run on the first peer_runs day
    seeds; `fused_beside_peers` is ours on the same. given: somebody's own scenario instead of our traffic.
    Raises RigFailure without SUMO or the referees.
    """
    config = config or read()
    referees_python()  # before minutes go by
    seeds = [seed + n for n in range(config.day_runs + config.night_runs)]
    with counting() as bar:
        total = len(seeds) * (len(SENSES) + 1) + config.day_runs + config.peer_runs + 2
        task = bar.add_task("fusion", total=total)

        def said(words: str) -> None:
            bar.update(task, description=words)
            bar.advance(task)

        worlds = [_world(config, each, given, said) for each in seeds]
        objects = float(np.mean([world.mean_objects(config) for world in worlds[: config.day_runs]]))
        head: dict[str, Any] = {"config_sha256": config.sha256, "mean_objects": round(objects, 1)}
        if given is not None and (told := worlds[0].told) is not None:
            head = about(given, told, config) | head
            if objects < NEARLY_EMPTY:
                return head | nearly_empty(objects, config)
        return head | _measured(config, seeds, worlds, said)


def _world(config: Config, seed: int, given: Given | None, said: Said) -> Truth:
    said(f"traffic {seed}")
    return truth(config, seed, given)


def _measured(config: Config, seeds: list[int], worlds: list[Truth], said: Said) -> dict[str, Any]:
    days = config.day_runs
    runs = [
        _run(world.fitted(config), seed, world, said, night=n >= days)
        for n, (seed, world) in enumerate(zip(seeds, worlds, strict=True))
    ]
    beside = [_peers(worlds[n].fitted(config), seeds[n], worlds[n], said) for n in range(config.peer_runs)]
    first, config = worlds[0], worlds[0].fitted(config)
    said("learnt association")
    learnt = _learnt(config, first, seeds[0])
    said("lost sensors")
    gone = lost(config, first, measurements(config, first, seeds[0], night=False)[0])
    own = {**mean([runs[0].groups["fused"]]), "step_ms": round(runs[0].step_ms, 2)}
    told = _told(runs[:days], runs[days:], beside)
    if first.told is not None and not told["vulnerable_users"]:
        told["unjudged"] = ["vulnerable_first_1s"]
    return told | {"lost": gone, "learnt": learnt, "fused_beside_learnt": own}


def _run(config: Config, seed: int, world: Truth, said: Said, *, night: bool) -> Run:
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
    return Run(seed, figures(config, world, results), step_ms, soon)


def _learnt(config: Config, world: Truth, seed: int) -> Figures:
    """Both senses of one day seed, joined by the learnt association."""
    measured, _ = measurements(config, world, seed, night=False)
    associate = LearntAssociation(asset(BUNDLED))
    tracked = track(config, world.crossing, measured.only(SENSES["fused"]), associate=associate)
    row = figures(config, world, {"learnt": tracked.result})["learnt"]
    return {**mean([row]), "step_ms": round(float(tracked.step_ms.mean()), 2)}


def _peers(config: Config, seed: int, world: Truth, said: Said) -> dict[str, Figures]:
    """Peers of one day seed; empty without any."""
    said(f"peers {seed}")
    _, feed = measurements(config, world, seed, night=False)
    results = {name: others.track(name, feed) for name in others.names()}
    return figures(config, world, results) if results else {}


def _told(day: Sequence[Run], night: Sequence[Run], beside: Sequence[dict[str, Figures]]) -> dict[str, Any]:
    groups: dict[str, Any] = {name: mean([run.groups[name] for run in day]) for name in (*SENSES, UNTIMED)}
    worst = min(day, key=lambda run: run.groups["fused"]["mota"] or -1.0)
    soon = [each for run in day for each in run.vulnerable]
    peers = {name: mean([row[name] for row in beside]) for name in (beside[0] if beside else ())}
    same = mean([run.groups["fused"] for run in day[: len(beside)]]) if peers else None
    single = min(groups[name]["gospa"] for name in SINGLE)
    return {
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
