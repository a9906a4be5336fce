"""Records as the program makes them, of every kind that it can make in a test's time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsu_agent.outlets.summary import HEALTH_S, QUEUE_US, Summary
from rsu_agent.outlets.summary_air import AirQuality, ClockWord
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, Lane, LaneRole
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.place import line_heading_deg
from rsu_agent.world.road_user import RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Lamp
from rsu_agent.world.spot import SpotReading

ROOT = Path(__file__).parents[2]
UTC_S = 1_790_000_040.0  # a whole minute
SEEN = SensorHealth("camera", True, "ok", 0.05, ("N", "E", "S", "W"))
BODY = (4.5, 1.8, 1.5, 0.3)

Record = dict[str, Any]


def virtual_crossing() -> Crossing:
    return read_crossing(ROOT / "config" / "crossings" / "virtual.geojson")


def made_by_the_summary() -> Iterator[Record]:
    """Two minutes of one crossing: one drives through, one stands, one walks; then all the rest."""
    crossing = virtual_crossing()
    summary = Summary(crossing, 0.0)
    driven = path_of(crossing)
    walk = crossing.crosswalks[0]
    summary.lamps([Lamp(group, Colour.GREEN) for group in range(1, 25)], 0.0)
    summary.spotted(SpotReading("north-zones", 2, 1.0, 13.4, 4.6, 0.5))
    summary.spotted(SpotReading("north-speed", None, 1.0, 13.4))
    for tick in range(1, 6 * QUEUE_US // 100_000):
        at_s = tick / 10
        users = [standing(crossing), walking(walk.points[0], walk.points[-1], at_s)]
        users += [driving(driven, 8.0 * at_s)] if 8.0 * at_s < length(driven) else []
        yield from summary.scene(Scene(at_s, tick, tuple(users), (SEEN,)), UTC_S)
    hazard = Hazard(1, HazardKind.STOPPED_VEHICLE, 1.0, 5.0, 3.0, 20.0, 1, 4, 181.25, "stands 30 s in lane 4")
    yield from summary.hazard(hazard, UTC_S)
    yield from summary.changed(3, Colour.RED, round(UTC_S * 1e6))
    yield from summary.changed(3, Colour.GREEN, round(UTC_S * 1e6), source="controller")
    yield from summary.device(DeviceHealth("radar", DeviceState.LOST, "missing", 1.0), round(UTC_S * 1e6))
    made = {"file": "north-20261126T120000Z.png", "pictures": 34, "filled": 2}
    yield from summary.still("north", "tech", made, round(UTC_S * 1e6))
    yield from summary.still("north", "tech", {"refused": "busy"}, round(UTC_S * 1e6))
    yield from summary.beat(2 * HEALTH_S + 2.0, UTC_S)


def made_of_the_air() -> Iterator[Record]:
    """A minute of frames and of the clock."""
    quality = AirQuality("SPAT", "MAP", 0.0)
    for n in range(600):
        quality.sent("SPAT", 74)
        quality.tick("witness" if n < 3 else None)
    for _ in range(60):
        quality.sent("MAP", 1204)
    quality.held("SPAT", "order")
    quality.sent("RSM", 900)
    yield from quality.minute(60.02, UTC_S + 60.02, 0.4182, 0.1, {"r": 3, "sha": "5f" * 16})
    yield from quality.clock(ClockWord(True, 0.00082, "chrony", -1.25), UTC_S, due=False)
    yield from quality.clock(ClockWord(True, 0.00082, "chrony"), UTC_S, due=False)
    yield from quality.clock(ClockWord(False, None, "none"), UTC_S, due=False)


def path_of(crossing: Crossing) -> list[tuple[float, float]]:
    """An entry lane, its way straight on, the exit lane."""
    entries = [lane for lane in crossing.lanes if lane.role is LaneRole.ENTRY]
    lane, way = next((lane, way) for lane in entries for way in lane.connections if way.turn == "through")
    leaving = next(other for other in crossing.lanes if other.lane == way.to_lane)
    return [*lane.points, *way.path, *leaving.points]


def standing(crossing: Crossing) -> RoadUser:
    """A car that stands five metres before the line of the last entry lane."""
    lane: Lane = [lane for lane in crossing.lanes if lane.role is LaneRole.ENTRY][-1]
    (x0, y0), (x1, y1) = lane.points[-2:]
    share = 5.0 / math.dist((x0, y0), (x1, y1))
    x, y = x1 + (x0 - x1) * share, y1 + (y0 - y1) * share
    heading = line_heading_deg(lane.points[-2:])
    return RoadUser(1, UserClass.CAR, x, y, 0.0, 0.0, 0.0, heading, *BODY, ("camera",), 0.0)


def walking(start: tuple[float, float], end: tuple[float, float], at_s: float) -> RoadUser:
    """Somebody who crosses in a quarter of a minute, from two metres before the kerb, and is gone."""
    share = min(at_s / 15.0, 1.1)
    x, y = (a + (b - a) * share for a, b in zip(start, end, strict=True))
    body = (0.5, 0.5, 1.7, 0.3)
    return RoadUser(2, UserClass.PEDESTRIAN, x, y, 1.0, 0.0, 1.2, None, *body, ("camera",), 0.0)


def driving(path: list[tuple[float, float]], along_m: float) -> RoadUser:
    """A car so far along a line."""
    for (x0, y0), (x1, y1) in itertools.pairwise(path):
        step = math.dist((x0, y0), (x1, y1))
        if along_m <= step > 0.0:
            share, heading = along_m / step, line_heading_deg([(x0, y0), (x1, y1)])
            x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
            vx, vy = 8.0 * math.sin(math.radians(heading)), 8.0 * math.cos(math.radians(heading))
            return RoadUser(3, UserClass.CAR, x, y, vx, vy, 8.0, heading, *BODY, ("camera",), 0.0)
        along_m -= step
    raise ValueError("beyond the end")


def length(path: list[tuple[float, float]]) -> float:
    return sum(math.dist(a, b) for a, b in itertools.pairwise(path))
