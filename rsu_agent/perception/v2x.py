"""Vehicles that tell of themselves, beside the tracks that our own sensors made (field-rules 5.7). Sans-IO.

A vehicle that has lain on one of our tracks for some messages is that track: the track gets its id, and its
word moves the track a little. One that lies on none is a road user of its own, with the source V2X alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rsu_agent.perception.kinds import SIZES
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.place import LocalFrame
from rsu_agent.world.road_user import V2X, RoadUser, UserClass

MATCH_M, MATCH_MPS, MATCHES = 2.0, 3.0, 3  # so near, so alike, so many messages in a row
STRAYED_M = 4.0  # from its track: it is another's, or the vehicle lies slowly
JUMP_M, JUMP_MPS = 2.0, 2.0  # from where its last message leads, and for each second since
BESIDE_M = 3.0  # of half our body: it is that body, if not yet for certain
FRESH_S, DISTRUST_S = 1.0, 60.0
LEAST_SD_M, UNKNOWN_SD_M = 1.0, 2.0  # what satellites give in a street, whatever the message claims
MOST = 256  # vehicles at once
ALONE_FROM = 1 << 32  # numbers of users that no track of ours stands for


@dataclass(frozen=True, slots=True)
class Told:
    """A vehicle's newest word in our frame: metres and metres a second east and north, monotonic seconds."""

    vehicle: HeardVehicle
    at_s: float
    x: float
    y: float
    vx: float
    vy: float

    def place(self, at_s: float) -> tuple[float, float]:
        """Where that leads."""
        ahead = at_s - self.at_s
        return self.x + self.vx * ahead, self.y + self.vy * ahead

    @property
    def sd_m(self) -> float:
        """One standard deviation, the larger axis."""
        return max(LEAST_SD_M, self.vehicle.position_sd_m or UNKNOWN_SD_M)


@dataclass(slots=True)
class _Known:
    """One vehicle. news: its word has not yet been held against the tracks; agreed: so many lay on one."""

    told: Told
    number: int
    since_s: float
    news: bool = True
    jumped: bool = False
    track: int | None = None
    candidate: int | None = None
    agreed: int = 0
    distrusted_until_s: float = -math.inf


class Vehicles:
    """All that were heard of lately. `jumps` counts attacks; attacked_s: when the newest one was, by whom."""

    def __init__(self, frame: LocalFrame, roadway: Roadway) -> None:
        self._frame, self._roadway = frame, roadway
        self._known: dict[str, _Known] = {}
        self._next = ALONE_FROM
        self.jumps = 0
        self.attacked_s = -math.inf
        self.attacker = ""
        self.matched = self.alone = 0  # at the newest meeting

    def hear(self, vehicle: HeardVehicle, at_s: float) -> None:
        """A message that may be believed; at_s: the instant it is for."""
        told = self._told(vehicle, at_s)
        known = self._known.get(vehicle.id)
        if known is None:
            self._known[vehicle.id] = _Known(told, self._next, at_s)
            self._next += 1
            if len(self._known) > MOST:  # the one that was silent longest goes
                del self._known[min(self._known, key=lambda name: self._known[name].told.at_s)]
        elif at_s > known.told.at_s:
            known.jumped |= _jumped(known.told, told)
            known.told, known.news = told, True

    def meet(self, users: Sequence[RoadUser], at_s: float) -> tuple[list[RoadUser], Measured | None]:
        """(the tracked users with their ids, and those vehicles that none of them is; for the fusion, what
        vehicles have newly said of tracks of ours)."""
        self._known = {n: each for n, each in self._known.items() if at_s - each.told.at_s <= DISTRUST_S}
        fresh = {n: each for n, each in self._known.items() if at_s - each.told.at_s <= FRESH_S}
        of_track = {user.track: user for user in users}
        for name, known in fresh.items():
            self._judge(name, known, of_track, at_s)
        self._match(list(fresh.values()), users, at_s)
        word = _word([known for known in fresh.values() if known.news and known.track is not None])
        for known in fresh.values():
            known.news = known.jumped = False
        ids = {known.track: name for name, known in fresh.items() if known.track is not None}
        named = [replace(user, v2x_id=ids[user.track]) if user.track in ids else user for user in users]
        alone = list(self._alone(fresh, users, at_s))
        self.matched, self.alone = len(ids), len(alone)
        return [*named, *alone], word

    def _told(self, vehicle: HeardVehicle, at_s: float) -> Told:
        x, y = self._frame.to_local(vehicle.place)
        angle, speed = math.radians(vehicle.heading_deg or 0.0), vehicle.speed_mps or 0.0
        speed = 0.0 if vehicle.heading_deg is None else speed
        return Told(vehicle, at_s, x, y, speed * math.sin(angle), speed * math.cos(angle))

    def _judge(self, name: str, known: _Known, of_track: dict[int, RoadUser], at_s: float) -> None:
        """Whether a vehicle's word still is that of its track."""
        user = None if known.track is None else of_track.get(known.track)
        apart_m = 0.0 if user is None else _apart(known.told, user, at_s)
        if user is None:
            known.track = None
        if user is not None and known.jumped and apart_m > JUMP_M:
            self.jumps += 1
            self.attacked_s, self.attacker = at_s, name
        elif apart_m <= STRAYED_M and not (user is None and known.jumped):
            return
        known.track, known.candidate, known.agreed = None, None, 0
        known.distrusted_until_s = at_s + DISTRUST_S

    def _match(self, fresh: Sequence[_Known], users: Sequence[RoadUser], at_s: float) -> None:
        """Who has said often enough that it lies on a track which is nobody's is that; the nearest first."""
        taken = {known.track for known in fresh}
        free = [user for user in users if user.track not in taken and user.kind is not UserClass.PEDESTRIAN]
        saying = [k for k in fresh if k.news and k.track is None and k.distrusted_until_s <= at_s]
        pairs = sorted(
            (_apart(known.told, user, at_s), at, user.track)
            for at, known in enumerate(saying)
            for user in free
            if _alike(known.told, user, at_s)
        )
        found: dict[int, int] = {}
        for _, at, track in pairs:
            if at not in found and track not in found.values():
                found[at] = track
        for at, known in enumerate(saying):
            candidate = found.get(at)
            known.agreed = known.agreed + 1 if candidate == known.candidate else 1
            known.candidate = candidate
            if known.agreed >= MATCHES:
                known.track = candidate

    def _alone(self, fresh: dict[str, _Known], users: Sequence[RoadUser], at_s: float) -> Iterator[RoadUser]:
        for name, known in fresh.items():
            if known.track is not None or known.distrusted_until_s > at_s:
                continue
            x, y = known.told.place(at_s)
            beside = any(
                math.hypot(user.x_east_m - x, user.y_north_m - y) <= user.length_m / 2 + BESIDE_M
                for user in users
            )
            if not beside and self._roadway.near(x, y):
                yield _user(name, known, x, y)


def _jumped(before: Told, told: Told) -> bool:
    """Whether a vehicle is not where its last word led; after a silence nobody can tell."""
    x, y = before.place(told.at_s)
    since_s = told.at_s - before.at_s
    return since_s <= FRESH_S and math.hypot(told.x - x, told.y - y) > JUMP_M + JUMP_MPS * since_s


def _alike(told: Told, user: RoadUser, at_s: float) -> bool:
    apart_mps = math.hypot(told.vx - user.vx_east_mps, told.vy - user.vy_north_mps)
    return apart_mps <= MATCH_MPS and _apart(told, user, at_s) <= MATCH_M + user.position_sd_m


def _word(known: Sequence[_Known]) -> Measured | None:
    """What vehicles say of the tracks they are, all at the instant of the newest."""
    if not known:
        return None
    at_s = max(each.told.at_s for each in known)
    places = np.array([each.told.place(at_s) for each in known])
    spreads = np.array([each.told.sd_m**2 * np.eye(2) for each in known])
    return Measured(V2X, "v2x", at_s, places, spreads, tracks=tuple(each.track or 0 for each in known))


def _apart(told: Told, user: RoadUser, at_s: float) -> float:
    x, y = told.place(at_s)
    return math.hypot(user.x_east_m - x, user.y_north_m - y)


def _user(name: str, known: _Known, x: float, y: float) -> RoadUser:
    told, vehicle = known.told, known.told.vehicle
    length, width, height = SIZES[vehicle.kind]
    return RoadUser(
        known.number,
        vehicle.kind,
        x,
        y,
        told.vx,
        told.vy,
        math.hypot(told.vx, told.vy),
        vehicle.heading_deg,
        vehicle.length_m or length,
        vehicle.width_m or width,
        height,
        told.sd_m,
        (V2X,),
        known.since_s,
        name,
    )
