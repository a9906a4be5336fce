"""The scripted hazards: each waits for a moment at which it harms nobody, then happens. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hil.world.crossing_read import inside
from hil.world.routes import STEP_M, Route, walk_routes
from hil.world.traffic import Traffic
from hil.world.user import User
from hil.world.visibility import Eye, seen

KINDS = ("red_light_running", "wrong_way", "stopped_vehicle", "pedestrian_on_red")
STILL_S, STOPPED_FOR_S = 5.0, 30.0  # a stopped vehicle is sure after five seconds of standing
RUN_SPEED, RUN_START_M = 13.5, 4.0
WRONG_SPEED, WRONG_FROM_M = 4.5, 18.0  # so far up the exit lane a wrong-way car turns out of a driveway
RED_LASTS_S = 38.0  # a light that has been red for longer may be green before the runner arrives
PATIENCE_S = 12.0  # so long a runner waits for crosswalks to be empty
BOX_M, CROSS_M = 45.0, 2.5  # of a route behind its stop line; so near is in each other's way
QUIET_M = ((14.0, 10.0), (7.0, 18.0), (-1.0, 30.0))  # after so many seconds, no vehicle within so many metres
# Who crosses on red does it where nobody waits and where it is seen; after so long anywhere.
ALONE_M, SEEN, SHY_S = 4.0, 0.6, 14.0
# The left turners of these arms stay away: by where they enter, or by where they leave. South's would wait in
# their waiting area, in the runner's way.
KEPT_FREE = {
    "red_light_running": (("entry", "E"), ("entry", "S")),
    "wrong_way": (("exit", "N"),),
    "stopped_vehicle": (("exit", "E"),),
}


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
    holds: set[str] = field(default_factory=set)  # routes whose stop lines wait for it


class Script:
    """Watches the traffic and the lamps, and makes its acts happen."""

    def __init__(
        self, traffic: Traffic, arms: tuple[str, ...] = ("N", "E"), eyes: Sequence[Eye] = ()
    ) -> None:
        self._traffic, self._arms = traffic, arms
        self._eyes = eyes
        self.acts: list[Act] = []

    def plan(self, kind: str, after_s: float) -> None:
        """Let a hazard happen at the first harmless moment from then on; its lanes are kept free."""
        self.acts.append(Act(kind, after_s))
        self._traffic.barred.update(self._kept_free(kind))

    def step(self, now_s: float) -> Iterator[Event]:
        """Move every act on; edges as they happen."""
        for act in self.acts:
            if not act.over and now_s >= act.after_s:
                yield from getattr(self, f"_{act.kind}")(act, now_s)
        self._traffic.held = set().union(*(act.holds for act in self.acts if not act.over))

    def _kept_free(self, kind: str) -> set[str]:
        """Names of the routes on which nobody sets out while an act is to come."""
        lanes = self._traffic.crossing.lanes
        return {
            route.name
            for by, arm in KEPT_FREE.get(kind, ())
            for route in self._traffic.motor
            if route.turn == "left" and lanes[getattr(route, by)].arm == arm
        }

    def _routes(self, turn: str, *, by: str = "entry") -> list[Route]:
        lanes = self._traffic.crossing.lanes
        return [
            route
            for route in self._traffic.motor
            if route.turn == turn and lanes[getattr(route, by)].arm in self._arms
        ]

    def _red_light_running(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car that does not stop: its lane has been kept free, so that it reaches the box on red."""
        traffic = self._traffic
        routes = [r for r in self._routes("left") if traffic.crossing.lanes[r.entry].arm == "E"]
        if act.user is None:
            waited_s = now_s - act.after_s
            for route in routes:
                red = 0.0 < traffic.red_for(route.group) < RED_LASTS_S
                ahead = [
                    u for u in traffic.users if u.route.entry == route.entry and u.along_m < u.route.stop_m
                ]
                if not red or not (waited_s > PATIENCE_S or self._walks_stand(route)):
                    continue
                if not ahead:
                    act.user = traffic.add(route, "car", RUN_START_M, RUN_SPEED, obeys=False)
                    act.user.shade |= 0xFF
                elif waited_s > PATIENCE_S and ahead[0].still_s > 1.0:  # left over from its green: it goes
                    act.user, ahead[0].obeys = ahead[0], False
                if act.user is not None:
                    act.holds = {other.name for other in traffic.routes if _cross(route, other)}
                    return
            return
        user = act.user
        if act.began_s is None:
            red = traffic.colour(user.route.group) == "red"
            if red and inside(traffic.crossing.conflict, user.x, user.y):
                act.began_s = now_s
                yield _event(act, "onset", now_s)
            elif user.along_m > user.route.stop_m + 12.0:
                act.user, act.holds = None, set()  # it got through in time: try again
        elif not inside(traffic.crossing.conflict, user.x, user.y):
            act.over = True
            traffic.barred -= self._kept_free(act.kind)
            yield _event(act, "clear", now_s)

    def _wrong_way(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car comes in through the exit lane that left turners leave by."""
        traffic = self._traffic
        if act.user is None:
            routes = [r for r in self._routes("left", by="exit") if traffic.crossing.lanes[r.exit].arm == "N"]
            for route in routes:
                act.holds.add(route.name)
                if self._nobody_leaves_by(route.exit):
                    far_m = _exit_start(route, traffic) + WRONG_FROM_M
                    act.user = traffic.add(route, "car", route.end_m - far_m, WRONG_SPEED)
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
            traffic.barred -= self._kept_free(act.kind)
            yield _event(act, "clear", now_s)

    def _stopped_vehicle(self, act: Act, now_s: float) -> Iterator[Event]:
        """A car breaks down in an exit lane that few use."""
        traffic = self._traffic
        if act.user is None:
            for route in [
                r for r in self._routes("left", by="exit") if traffic.crossing.lanes[r.exit].arm == "E"
            ]:
                start = _exit_start(route, traffic)
                if self._nobody_leaves_by(route.exit):
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
            traffic.barred -= self._kept_free(act.kind)
            act.over = True
            yield _event(act, "clear", now_s)

    def _pedestrian_on_red(self, act: Act, now_s: float) -> Iterator[Event]:
        """Somebody walks over a crosswalk of ours on red, when no car is near."""
        traffic = self._traffic
        if act.user is None:
            for route in self._walks():
                red, waited_s = traffic.colour(route.group) == "red", now_s - act.after_s
                if red and self._quiet(route, waited_s) and (waited_s > SHY_S or self._in_sight(route)):
                    act.user = traffic.add(route, "pedestrian", 0.0, 1.7, obeys=False)
                    return
            return
        user = act.user
        on_road = user.route.stop_m + 0.6 < user.along_m < user.route.end_m - 7.0
        if act.began_s is None and on_road:
            if traffic.colour(user.route.group) == "red":
                act.began_s = now_s
                yield _event(act, "onset", now_s)
            else:
                act.user = None  # its light changed while it walked up to the kerb: somebody else will
        elif act.began_s is not None and not on_road:
            act.over = True
            yield _event(act, "clear", now_s)

    def _nobody_leaves_by(self, lane: int) -> bool:
        """Whether nobody is in an exit lane, or past its stop line on the way there."""
        return not any(u.route.exit == lane and u.along_m > u.route.stop_m for u in self._traffic.users)

    def _walks(self) -> list[Route]:
        """Crosswalks of these arms, from the kerb that the cameras see."""
        both = [r for back in (True, False) for r in walk_routes(self._traffic.crossing, 0.3, back=back)]
        ours = [route for route in both if route.name.split("-")[1] in self._arms]
        cameras = [eye for eye in self._eyes if eye.kind == "camera"]
        return [r for r in ours if all(eye.holds(*r.at(r.stop_m)[:2], margin_deg=4.0) for eye in cameras)]

    def _quiet(self, route: Route, waited_s: float) -> bool:
        """No moving vehicle near the crosswalk's middle; the longer it takes, the less that asks."""
        reach_m = next(metres for seconds, metres in QUIET_M if waited_s >= seconds)
        middle = route.points[len(route.points) // 2]
        for user in self._traffic.users:
            near = (user.x - middle[0]) ** 2 + (user.y - middle[1]) ** 2 < reach_m**2
            if near and user.speed > 1.0 and user.cls != "pedestrian":
                return False
        return True

    def _in_sight(self, route: Route) -> bool:
        """Whether the cameras see who steps onto the road here: nobody waits there, nothing hides it."""
        users = self._traffic.users
        walker = User(0, "pedestrian", route, route.stop_m + 1.0, 1.7, 1.7)
        walker.place()
        alone = not any(np.hypot(u.x - walker.x, u.y - walker.y) < ALONE_M for u in users)
        cameras = [eye for eye in self._eyes if eye.kind == "camera"]
        return alone and all(seen(eye, [*users, walker]).get(0, 0.0) > SEEN for eye in cameras)

    def _walks_stand(self, route: Route) -> bool:
        """Whether the crosswalks that a route passes are red."""
        lanes = self._traffic.crossing.lanes
        arms = lanes[route.entry].arm, lanes[route.exit].arm
        walks = [walk for walk in self._traffic.crossing.walks if walk.arm in arms]
        return all(self._traffic.colour(walk.group) == "red" for walk in walks)


def _cross(one: Route, other: Route) -> bool:
    """Whether two routes of different lanes meet in the box, where both would stand for ever."""
    if one.entry == other.entry:
        return False
    mine, theirs = (
        route.points[int(route.stop_m / STEP_M) : int((route.stop_m + BOX_M) / STEP_M)]
        for route in (one, other)
    )
    apart = np.hypot(*(mine[:, None] - theirs[None]).transpose(2, 0, 1))
    return bool(apart.min() < CROSS_M)


def _exit_start(route: Route, traffic: Traffic) -> float:
    """Where a route's exit lane begins."""
    lane = traffic.crossing.lanes[route.exit]
    gaps = ((route.points - lane.points[0]) ** 2).sum(axis=1)
    return float(gaps.argmin()) * 0.5


def _event(act: Act, edge: str, now_s: float, sure_s: float | None = None) -> Event:
    user = act.user
    assert user is not None
    return Event(act.kind, edge, user.id, user.x, user.y, now_s, now_s if sure_s is None else sure_s)
