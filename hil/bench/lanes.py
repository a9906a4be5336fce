"""Figures by lane against the built-in world: with its true tracks, and with the fusion's of four poles.

`python -m hil.bench.lanes --seconds 300 --seed 1` prints both.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hil.bench.four_poles import LATENCY_S, FourPoles
from hil.devices.signal_model import SignalModel
from hil.world.crossing_read import read_rig_crossing
from hil.world.lane_truth import LaneTruth, TruePassing
from hil.world.traffic import Traffic
from hil.world.user import User
from rsu_agent.lanes.delay import FreeWay
from rsu_agent.lanes.events import Event, LinePassed, Passage, Walked
from rsu_agent.outlets.summary import QUEUE_US
from rsu_agent.outlets.summary_road import RoadFigures
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.road_user import RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Lamp

STEP_S, START_S, WARM_S = 0.05, 1020.0, 90.0  # START_S is a whole minute: periods begin with it
FUSED_S = 40.0  # so long before it the fusion begins to look: it is most of the work
FILE = "config/crossings/virtual.geojson"
SAME_S = 1.5  # two passings of a lane no farther apart are one user's
MINUTE_S, QUEUE_S = 60.0, QUEUE_US / 1e6
SEEN = (SensorHealth("all", True, "ok", 0.05, ("N", "E", "S", "W")),)


@dataclass
class Run:
    """What was told of one stretch of traffic, and what was true. Times from START_S on."""

    events: list[Event] = field(default_factory=list)
    flows: list[dict[str, Any]] = field(default_factory=list)
    walks: list[dict[str, Any]] = field(default_factory=list)
    queues: dict[tuple[int, int], int] = field(default_factory=dict)  # (lane, interval) -> the longest
    true_queues: dict[tuple[int, int], int] = field(default_factory=dict)
    truth: LaneTruth | None = None
    scene_ms: list[float] = field(default_factory=list)


def drive(seed: int, seconds: float, density: str = "day", *, fused: bool = False) -> Run:
    """The world on simulated time, ten scenes a second; `events` has the warm-up too."""
    path = asset(FILE)
    traffic = Traffic(read_rig_crossing(path), seed, density)
    crossing = read_crossing(path)
    lights, figures = SignalModel(START_S - WARM_S, seed=seed), RoadFigures(crossing)
    senses = _Fused(Fusion({}, {}, Roadway(crossing)), FourPoles(seed)) if fused else _True()
    looks_s = FUSED_S if fused else WARM_S
    run = Run(truth=LaneTruth(traffic, STEP_S))
    assert run.truth is not None
    for step in range(1, int((WARM_S + seconds) / STEP_S) + 1):
        now_s = START_S - WARM_S + step * STEP_S
        lights.advance(now_s)
        traffic.step(STEP_S, lights.lamps, now_s)
        run.truth.step(now_s)
        if step % 2 or now_s < START_S - looks_s:
            continue
        figures.lamps([Lamp(group, Colour(colour)) for group, colour in lights.lamps.items()], now_s)
        users = tuple(senses.users(traffic.users, now_s))
        began = time.perf_counter()
        run.events += figures.scene(Scene(now_s, step, users, SEEN), 2 * STEP_S)
        run.scene_ms.append((time.perf_counter() - began) * 1e3)
        _keep(run, figures, step * STEP_S - WARM_S)
    return run


def _keep(run: Run, figures: RoadFigures, since_s: float) -> None:
    """The figures of periods that end now, and the true queue of this instant."""
    assert run.truth is not None
    interval = math.ceil(since_s / QUEUE_S - 1e-6) - 1
    for lane, count in run.truth.queues().items():
        key = lane, interval
        run.true_queues[key] = max(run.true_queues.get(key, 0), count)
    if abs(since_s % QUEUE_S) < STEP_S / 2 or QUEUE_S - since_s % QUEUE_S < STEP_S / 2:
        for record in figures.interval(0, QUEUE_S):
            run.queues[record["ln"], interval] = record["n"]
    if abs(since_s % MINUTE_S) < STEP_S / 2 or MINUTE_S - since_s % MINUTE_S < STEP_S / 2:
        records = figures.minute(0)
        if since_s > STEP_S:
            run.flows += [record for record in records if record["k"] == "flow"]
            run.walks += [record for record in records if record["k"] == "walk"]


class _True:
    """The world's own users as tracks."""

    def users(self, users: Iterable[User], _now_s: float) -> Iterable[RoadUser]:
        """As they are."""
        for user in users:
            angle = math.radians(user.heading)
            velocity = math.sin(angle) * user.speed, math.cos(angle) * user.speed
            body = user.speed, user.heading, *user.size, 0.05
            yield RoadUser(user.id, UserClass(user.cls), user.x, user.y, *velocity, *body, ("truth",), 0.0)


class _Fused:
    """The product's fusion, fed by eight simulated sensors."""

    def __init__(self, fusion: Fusion, poles: FourPoles) -> None:
        self._fusion, self._poles = fusion, poles
        self._coming: list[Measured] = []

    def users(self, users: list[User], now_s: float) -> Iterable[RoadUser]:
        """As the fusion has them."""
        for measured in self._coming:
            if measured.measured_s <= now_s - LATENCY_S + 1e-6:
                self._fusion.take(measured)
        self._coming = [m for m in self._coming if m.measured_s > now_s - LATENCY_S + 1e-6]
        for measured in self._poles.measure(users, now_s):
            if measured.kind == "camera":
                self._coming.append(measured)
            else:
                self._fusion.take(measured)
        return self._fusion.users(now_s)


def lanes(seed: int) -> dict[str, Any]:
    """Both kinds of track against the world's truth."""
    return {"true": compare(drive(seed, 180.0)), "fused": compare(drive(seed, 120.0, fused=True))}


def compare(run: Run) -> dict[str, Any]:
    """Errors of every figure by lane; what could not be measured is null."""
    assert run.truth is not None
    true = [passing for passing in run.truth.passings if passing.at_s > START_S]
    told = [event for event in run.events if isinstance(event, LinePassed) and event.at_s > START_S]
    ways = [event for event in run.events if isinstance(event, Passage)]
    true_flow, flow = Counter(p.lane for p in true), Counter(e.lane for e in told)
    numbers = sorted(true_flow.keys() | flow.keys())
    delays = {lane: _delay(run, lane) for lane in numbers}
    true_delays = {lane: _mean([p.delay_s for p in true if p.lane == lane]) for lane in numbers}
    keys = run.true_queues.keys() | run.queues.keys()
    keys = {(lane, interval) for lane, interval in keys if interval >= 0}
    queue_errors = [abs(run.queues.get(key, 0) - run.true_queues.get(key, 0)) for key in keys]
    return {
        "users": sum(true_flow.values()),
        "counted": sum(flow.values()),
        "flow_wrong": sum(abs(flow[lane] - true_flow[lane]) for lane in numbers),
        "flow": {lane: (true_flow[lane], flow[lane]) for lane in numbers},
        **_errors(true, told),
        "unsure": sum(not event.sure for event in told),
        "delay_unmeasured": sum(event.travel_s is None for event in told),
        "delay": {lane: (_two(true_delays[lane]), _two(delays[lane])) for lane in numbers},
        "lanes_delay_over": sum(far_off(true_delays[lane], delays[lane]) for lane in numbers),
        "queue_error_max": max(queue_errors, default=0),
        "queue_over_one_share": round(sum(e > 1 for e in queue_errors) / max(1, len(queue_errors)), 3),
        "turns": dict(Counter(str(way.turn) for way in ways if way.ended_s > START_S)),
        "rights": dict(Counter(str(way.right) for way in ways if way.ended_s > START_S)),
        "stopped": (_share(p.stops for p in true), _share(e.stops for e in told if e.travel_s is not None)),
        "walked": (
            sum(at_s > START_S for at_s, _ in run.truth.walked),
            sum(event.off_s > START_S for event in run.events if isinstance(event, Walked)),
        ),
        "scene_ms": round(statistics.median(run.scene_ms), 3),
    }


def _errors(true: list[TruePassing], told: list[LinePassed]) -> dict[str, Any]:
    """Of the passings that are told, against the true one of the lane that is nearest in time."""
    pairs = []
    for event in told:
        own = [passing for passing in true if passing.lane == event.lane]
        nearest = min(own, key=lambda passing: abs(passing.at_s - event.at_s), default=None)
        if nearest is not None and abs(nearest.at_s - event.at_s) < SAME_S:
            pairs.append((event, nearest))
    crossing = {lane.lane: FreeWay(lane) for lane in read_crossing(asset(FILE)).lanes}
    measured = [
        (crossing[event.lane].delay_s(event) or 0.0) - passing.delay_s
        for event, passing in pairs
        if event.travel_s is not None and passing.delay_s is not None
    ]
    return {
        "line_time_p95_s": percentile([abs(e.at_s - p.at_s) for e, p in pairs], 0.95),
        "delay_bias_s": _two(_mean(measured)),
        "delay_p90_s": percentile([abs(error) for error in measured], 0.9),
    }


def percentile(values: list[float], share: float) -> float | None:
    """Nearest rank."""
    return round(sorted(values)[max(0, math.ceil(share * len(values)) - 1)], 2) if values else None


def far_off(true_s: float | None, told_s: float | None) -> bool:
    """Whether a delay is wrong by more than a second and more than five in a hundred."""
    if true_s is None or told_s is None:
        return true_s is not told_s
    return abs(told_s - true_s) > max(1.0, 0.05 * true_s)


def _delay(run: Run, lane: int) -> float | None:
    """Mean delay of a lane over all its minutes, weighed by those measured."""
    pairs = [(r["dl"], r["dn"]) for r in run.flows if r["ln"] == lane and r["dl"] is not None]
    count = sum(n for _, n in pairs)
    return sum(dl * n for dl, n in pairs) / count if count else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _share(stops: Iterable[int]) -> float | None:
    return _two(_mean(float(count > 0) for count in stops))


def _two(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def main() -> None:
    """Both kinds of track."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--density", default="day", choices=["day", "peak", "night"])
    options = parser.parse_args()
    for name, fused in (("true tracks", False), ("fused tracks", True)):
        run = drive(options.seed, options.seconds, options.density, fused=fused)
        print(name, json.dumps(compare(run), indent=1))


if __name__ == "__main__":
    main()
