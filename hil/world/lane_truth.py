"""What truly passes, waits and is held up on each entry lane of the built-in world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.world.traffic import Traffic
from hil.world.user import User

APPROACH_M = 60.0  # before the stop line: delay is reckoned from there
STANDS_MPS, GOES_MPS = 5 / 3.6, 10 / 3.6
LONGEST_GAP_M = 15.0  # between two bodies of one queue
LINE_M = 1.0  # a route's place to stop is so far before the stop line


@dataclass(frozen=True)
class TruePassing:
    """A front over a stop line. delay_s: against the same user alone and on green."""

    user: int
    cls: str
    lane: int
    turn: str
    at_s: float
    delay_s: float | None
    stops: int


@dataclass
class _Known:
    at_s: float
    front_m: float
    standing: bool = False
    stops: int = 0
    approach_s: float | None = None


@dataclass
class LaneTruth:
    """Fed after every step of the traffic."""

    traffic: Traffic
    step_s: float
    passings: list[TruePassing] = field(default_factory=list)
    walked: list[tuple[float, str]] = field(default_factory=list)  # when, over the crosswalk of which arm
    _known: dict[int, _Known] = field(default_factory=dict)

    def step(self, now_s: float) -> None:
        """Everybody as they are now."""
        for user in self.traffic.users:
            front = user.along_m + (user.size[0] / 2 if user.route.use != "walk" else 0.0)
            known = self._known.get(user.id)
            if known is None:
                self._known[user.id] = _Known(now_s, front)
                continue
            if user.route.use == "walk":
                self._walk(user, known, front, now_s)
            else:
                self._drive(user, known, front, now_s)
            known.at_s, known.front_m = now_s, front

    def queues(self) -> dict[int, int]:
        """How many stand in each lane's queue now."""
        bodies: dict[int, list[tuple[float, float]]] = {}
        for user in self.traffic.users:
            known = self._known.get(user.id)
            before = user.route.stop_m + LINE_M - user.along_m - user.size[0] / 2
            if user.route.use != "walk" and known is not None and known.standing and before > 0.0:
                bodies.setdefault(user.route.entry, []).append((before, before + user.size[0]))
        return {lane: _queue(sorted(places)) for lane, places in bodies.items()}

    def _walk(self, user: User, known: _Known, front: float, now_s: float) -> None:
        far = user.route.end_m - 7.0  # the other kerb
        if known.front_m < far <= front:
            self.walked.append((now_s, user.route.name.split("-")[1]))

    def _drive(self, user: User, known: _Known, front: float, now_s: float) -> None:
        line = user.route.stop_m + LINE_M
        if known.front_m >= line:
            return
        start = line - APPROACH_M
        if known.front_m < start <= front:
            known.approach_s = _when(known, front, now_s, start)
        if front >= line:
            at_s = _when(known, front, now_s, line)
            delay_s = None
            if known.approach_s is not None:
                delay_s = at_s - known.approach_s - self.traffic.free_s(user, start, line, self.step_s)
            route = user.route
            self.passings.append(
                TruePassing(user.id, user.cls, route.entry, route.turn, at_s, delay_s, known.stops)
            )
        elif not known.standing and user.speed < STANDS_MPS:
            known.standing = True
            known.stops += 1
        elif known.standing and user.speed > GOES_MPS:
            known.standing = False


def _when(known: _Known, front: float, now_s: float, place_m: float) -> float:
    return known.at_s + (now_s - known.at_s) * (place_m - known.front_m) / (front - known.front_m)


def _queue(bodies: Sequence[tuple[float, float]]) -> int:
    count, end = 0, 0.0
    for front, rear in bodies:
        if front - end > LONGEST_GAP_M:
            break
        count, end = count + 1, max(end, rear)
    return count
