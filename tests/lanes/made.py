"""Handmade road users on the virtual crossing: who follows a line, at what speed, standing where."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from rsu_agent.lanes.events import Event, LinePassed, Passage, Walked
from rsu_agent.lanes.follow import Follower
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, Lane, Points
from rsu_agent.world.place import heading_deg
from rsu_agent.world.road_user import RoadUser, Scene, UserClass
from rsu_agent.world.signal import Colour

TICK_S, START_S = 0.1, 1000.0
LENGTH_M = 4.5
LengthOf = {UserClass.CAR: LENGTH_M, UserClass.BICYCLE: 1.8, UserClass.PEDESTRIAN: 0.5, UserClass.BUS: 11.0}

Users = Callable[[float], Iterable[RoadUser]]


def virtual() -> Crossing:
    return read_crossing(asset("config/crossings/virtual.geojson"))


def lane(crossing: Crossing, number: int) -> Lane:
    return next(each for each in crossing.lanes if each.lane == number)


def way(crossing: Crossing, from_lane: int, to_lane: int) -> Points:
    """Entry lane, drive path and exit lane as one line."""
    entry, leave = lane(crossing, from_lane), lane(crossing, to_lane)
    path = next(each.path for each in entry.connections if each.to_lane == to_lane)
    return (*entry.points, *path[1:-1], *leave.points)


def length_m(points: Points) -> float:
    return sum(math.dist(a, b) for a, b in pairwise(points))


def on(points: Points, along_m: float) -> tuple[float, float, float]:
    """(x, y, heading) so far along a line."""
    left = along_m
    for a, b in pairwise(points):
        piece = math.dist(a, b)
        if left <= piece and piece > 0.0:
            part = max(0.0, left) / piece
            return (
                a[0] + (b[0] - a[0]) * part,
                a[1] + (b[1] - a[1]) * part,
                heading_deg(b[0] - a[0], b[1] - a[1]),
            )
        left -= piece
    raise ValueError(f"{along_m} m is beyond the end of the line")


def user(
    track: int,
    place: tuple[float, float, float],
    speed_mps: float,
    kind: UserClass = UserClass.CAR,
) -> RoadUser:
    x, y, heading = place
    angle = math.radians(heading)
    velocity = math.sin(angle) * speed_mps, math.cos(angle) * speed_mps
    body = LengthOf.get(kind, LENGTH_M), 1.8, 1.5, 0.3
    return RoadUser(track, kind, x, y, *velocity, speed_mps, heading, *body, ("camera",), START_S)


def driver(
    track: int,
    points: Points,
    stages: Sequence[tuple[float, float]],
    kind: UserClass = UserClass.CAR,
    begins_m: float = 5.0,
) -> Users:
    """Somebody who keeps each of the (speed in m/s, seconds) in turn, and is gone at the end of its line."""
    end_m = length_m(points) - 1.0

    def at(t: float) -> Iterable[RoadUser]:
        along_m, left = begins_m, t
        for speed, seconds in stages:
            if left < seconds:
                along_m += speed * left
                return [user(track, on(points, along_m), speed, kind)] if along_m < end_m else []
            along_m, left = along_m + speed * seconds, left - seconds
        return []

    return at


def lights(follower: Follower, colours: dict[int, Colour], seconds: float = 120.0) -> None:
    """These groups show their colours all the time."""
    for tick in range(-20, round(seconds / TICK_S)):
        for group, colour in colours.items():
            follower.log.saw(group, colour, START_S + tick * TICK_S)


def follow(follower: Follower, *who: Users, seconds: float = 60.0) -> list[Event]:
    """Scenes at 10 Hz, and then nobody until all is forgotten."""
    events: list[Event] = []
    for tick in range(round(seconds / TICK_S) + 40):
        t = tick * TICK_S
        users = tuple(each for one in who for each in one(t)) if t < seconds else ()
        events += follower.scene(Scene(START_S + t, tick, users, ()))
    return events


def lines(events: Iterable[Event]) -> list[LinePassed]:
    return [event for event in events if isinstance(event, LinePassed)]


def passages(events: Iterable[Event]) -> list[Passage]:
    return [event for event in events if isinstance(event, Passage)]


def walks(events: Iterable[Event]) -> list[Walked]:
    return [event for event in events if isinstance(event, Walked)]
