"""The scripted hazards: each waits for a moment at which it harms nobody, then happens. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hil.world.crossing_read import inside
from hil.world.routes import Route, walk_routes
from hil.world.traffic import GO, Traffic
from hil.world.user import User

KINDS = ("red_light_running", "wrong_way", "stopped_vehicle", "pedestrian_on_red")
STILL_S, STOPPED_FOR_S = 5.0, 30.0  # a stopped vehicle is sure after five seconds of standing
RUN_SPEED, RUN_START_M = 13.5, 4.0
WRONG_SPEED = 4.5


@dataclass
class Event:
    """One edge of a hazard for the truth log."""

    kind: str
    edge: str
    user: int
    x: float
    y: float
    at_s: float
    sure_s: float


@dataclass
class Act:
    """One scripted hazard. after_s: not before; arms: where it may happen."""

    kind: str
    after_s: float
    user: User | None = None
    route: Route | None = None
    began_s: float | None = None
    over: bool = False
    memory: dict[str, Any] = field(default_factory=dict)


class Script:
    """Watches the traffic and the lamps, and makes its acts happen."""

    def __init__(self, traffic: Traffic, arms: tuple[str, ...] = ("N", "E")) -> None:
        self._traffic, self._arms = traffic, arms
        self.acts: list[Act] = []

    def plan(self, kind: str, after_s: float) -> None:
        """Let a hazard happen at the first harmless moment from then on."""
        self.acts.append(Act(kind, after_s))

    def step(self, now_s: float) -> Iterator[Event]:
        """Move every act on; edges as they happen."""
        for act in self.acts:
            if not act.over and now_s >= act.after_s:
                yield from getattr(self, f"_{act.kind}")(act, now_s)

    def _routes(self, turn: str, *, by: str = "entry") -> list[Route]:
        lanes = self._traffic.crossing.lanes
        return [
            route
            for route in self._traffic.motor
            if route.turn == turn and lanes[getattr(route, by)].arm in self._arms
        ]

    def _red_light_running(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car starts so that it reaches the box a second after its light has gone red."""
        traffic = self._traffic
        candidates = self._routes("through") + self._routes("left")
        if act.user is None:
            traffic.barred.update(route.name for route in candidates)
            for route in candidates:
                begins = traffic.colour(route.group) == "green_flash"
                if begins and now_s - act.after_s > 6.0 and traffic.clear(route, 0.0, route.stop_m - 1.0):
                    act.user = traffic.add(route, "car", RUN_START_M, RUN_SPEED, obeys=False)
                    act.user.shade |= 0xFF
                    traffic.barred.difference_update(r.name for r in candidates)
                    return
            return
        user = act.user
        if act.began_s is None:
            red = traffic.colour(user.route.group) == "red"
            if red and inside(traffic.crossing.conflict, user.x, user.y):
                act.began_s = now_s
                yield _event(act, "onset", now_s)
            elif user.along_m > user.route.stop_m + 12.0:
                act.user = None  # it got through in time: try again
        elif not inside(traffic.crossing.conflict, user.x, user.y):
            act.over = True
            yield _event(act, "clear", now_s)

    def _wrong_way(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car comes in through the exit lane that left turners leave by."""
        traffic = self._traffic
        if act.user is None:
            routes = [r for r in self._routes("left", by="exit") if traffic.crossing.lanes[r.exit].arm == "N"]
            for route in routes:
                traffic.held.add(route.name)
                if traffic.colour(route.group) not in GO and traffic.clear(
                    route, route.stop_m + 12.0, route.end_m
                ):
                    act.user = traffic.add(
                        route, "car", route.end_m - _exit_start(route, traffic) - 26.0, WRONG_SPEED
                    )
                    act.user.backwards, act.user.obeys, act.route = True, False, route
                    act.user.place()
                    act.began_s = now_s
                    yield _event(act, "onset", now_s)
                    return
            return
        user = act.user
        left_m = _exit_start(user.route, traffic)
        if user.route.end_m - user.along_m < left_m + 2.0:
            act.over = True
            traffic.users.remove(user)
            traffic.held.discard(user.route.name)
            yield _event(act, "clear", now_s)

    def _stopped_vehicle(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car breaks down in an exit lane that few use."""
        traffic = self._traffic
        if act.user is None:
            for route in [
                r for r in self._routes("left", by="exit") if traffic.crossing.lanes[r.exit].arm == "E"
            ]:
                traffic.barred.add(route.name)
                start = _exit_start(route, traffic)
                quiet = traffic.colour(route.group) not in GO
                if quiet and traffic.clear(route, route.stop_m + 2.0, start + 30.0):
                    act.user = traffic.add(route, "car", start - 1.0, 6.0, obeys=False)
                    act.user.halt_at_m, act.route = start + 11.0, route
                    return
            return
        user = act.user
        if act.began_s is None and user.speed < 0.3:
            act.began_s = now_s
            yield _event(act, "onset", now_s, sure_s=now_s + STILL_S)
        elif act.began_s is not None and now_s - act.began_s > STOPPED_FOR_S:
            user.halt_at_m = None
            traffic.barred.discard(user.route.name)
            act.over = True
            yield _event(act, "clear", now_s)

    def _pedestrian_on_red(self, act: Act, now_s: float) -> Iterator[Event]:
        """Somebody walks over a crosswalk of ours on red, when no car is near."""
        traffic = self._traffic
        if act.user is None:
            for route in walk_routes(traffic.crossing, 0.3, back=True):
                arm = route.name.split("-")[1]
                red = traffic.colour(route.group) == "red"
                if arm in self._arms and red and self._quiet(route):
                    act.user = traffic.add(route, "pedestrian", route.stop_m - 0.2, 1.7, obeys=False)
                    return
            return
        user = act.user
        on_road = user.route.stop_m + 0.6 < user.along_m < user.route.end_m - 7.0
        if act.began_s is None and on_road:
            act.began_s = now_s
            yield _event(act, "onset", now_s)
        elif act.began_s is not None and not on_road:
            act.over = True
            yield _event(act, "clear", now_s)

    def _quiet(self, route: Route) -> bool:
        """No moving vehicle within 30 m of the crosswalk's middle, and it has been red for a while."""
        middle = route.points[len(route.points) // 2]
        for user in self._traffic.users:
            near = (user.x - middle[0]) ** 2 + (user.y - middle[1]) ** 2 < 30.0**2
            if near and user.speed > 1.0 and user.cls != "pedestrian":
                return False
        return True


def _exit_start(route: Route, traffic: Traffic) -> float:
    """Where a route's exit lane begins."""
    lane = traffic.crossing.lanes[route.exit]
    gaps = ((route.points - lane.points[0]) ** 2).sum(axis=1)
    return float(gaps.argmin()) * 0.5


def _event(act: Act, edge: str, now_s: float, sure_s: float | None = None) -> Event:
    user = act.user
    assert user is not None
    return Event(act.kind, edge, user.id, user.x, user.y, now_s, now_s if sure_s is None else sure_s)
