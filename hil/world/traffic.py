"""The traffic of the virtual crossing: who arrives, stops, goes. Deterministic for a seed. Sans-IO."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.world.crossing_read import RigCrossing
from hil.world.routes import STEP_M, Route, routes_of, walk_routes
from hil.world.user import User

# Arrivals a second: motor, bicycle lanes, pedestrians; users at once: the fewest hoped for, the most.
DENSITIES = {
    "day": (0.48, 0.20, 0.11, 32, 36),
    "peak": (1.6, 1.3, 0.6, 80, 150),
    "night": (0.16, 0.06, 0.03, 0, 20),
}
SPARSE = 3.0  # so many times more arrive while there are fewer
MOTOR = (("car", 0.86), ("truck", 0.08), ("bus", 0.06))
TWO_WHEEL = (("bicycle", 0.42), ("motorcycle", 0.34), ("tricycle", 0.16), ("cart", 0.08))
SPEEDS = {
    "car": (11.0, 14.0),
    "truck": (9.0, 11.0),
    "bus": (9.0, 11.0),
    "bicycle": (3.6, 5.0),
    "motorcycle": (5.0, 6.9),
    "tricycle": (3.6, 5.0),
    "cart": (3.0, 4.2),
    "pedestrian": (1.5, 1.9),
}
TURN_SPEED = {"left": 7.0, "right": 5.0, "u_turn": 3.5, "through": 14.0, "walk": 2.0}
LOOK_M = 45.0
GO = frozenset({"green", "green_flash"})
WALK_START_S = 2.5  # of green within which pedestrians set out
FREE_M = 12.0
KERB_M = 0.3
SETS_OUT_M, SETS_OUT_SHARE = 2.0, 0.8  # where on its route a vehicle comes in, of its class's least speed


Array = npt.NDArray[Any]


class Traffic:
    """All users; `step` moves them by the lamps that shine."""

    def __init__(self, crossing: RigCrossing, seed: int, density: str = "day") -> None:
        self.crossing = crossing
        self._random = random.Random(seed)
        self.routes = routes_of(crossing)
        self.motor = [route for route in self.routes if route.use == "motor"]
        self.bicycle = [r for r in self.routes if r.use == "bicycle" and r.turn == "through"]
        self._rates = DENSITIES[density]
        self.users: list[User] = []
        self._next_id = 1
        self.barred: set[str] = set()  # routes on which nobody sets out
        self.held: set[str] = set()  # routes whose stop line holds everybody
        self._green_s: dict[int, float] = {}
        self._red_s: dict[int, float] = {}
        self._lamps: dict[int, str] = {}
        self.now_s = 0.0

    def step(self, dt_s: float, lamps: dict[int, str], now_s: float) -> None:
        """Move everybody by dt_s."""
        self.now_s = now_s
        for group, colour in lamps.items():
            if colour == "green" and self._lamps.get(group) != "green":
                self._green_s[group] = now_s
            if colour == "red" and self._lamps.get(group) != "red":
                self._red_s[group] = now_s
        self._lamps = dict(lamps)
        self._arrive(dt_s)
        ahead = self._ahead()
        for user, (gap_m, speed) in zip(self.users, ahead, strict=True):
            stop_gap = self._stop_gap(user)
            if stop_gap < gap_m:
                gap_m, speed = stop_gap, 0.0
            user.wanted = self._wanted(user)
            user.drive(float(gap_m), float(speed), dt_s)
        self.users = [user for user in self.users if user.along_m < user.route.end_m - 0.5]

    def add(self, route: Route, cls: str, along_m: float, speed: float, **more: bool) -> User:
        """Put a user on the road."""
        low, high = SPEEDS[cls]
        user = User(
            id=self._next_id,
            cls=cls,
            route=route,
            along_m=along_m,
            speed=speed,
            wanted=self._random.uniform(low, high),
            side_m=self._random.uniform(-0.5, 0.5) if route.use == "bicycle" else 0.0,
            shade=self._random.randrange(1 << 16),
            **more,
        )
        self._next_id += 1
        user.place()
        self.users.append(user)
        return user

    def clear(self, route: Route, low_m: float, high_m: float) -> bool:
        """Whether nobody is near this stretch of a route."""
        i, j = int(max(0.0, low_m) / STEP_M), int(high_m / STEP_M) + 1
        stretch = route.points[i:j]
        for user in self.users:
            near = np.hypot(stretch[:, 0] - user.x, stretch[:, 1] - user.y).min(initial=99.0)
            if near < 2.4 + user.size[0] / 2:
                return False
        return True

    def free_s(self, user: User, from_m: float, to_m: float, dt_s: float) -> float:
        """What its front would take from one place of its route to another, alone and on green."""
        alone = replace(user, along_m=SETS_OUT_M, speed=SPEEDS[user.cls][0] * SETS_OUT_SHARE)
        half, seconds = user.size[0] / 2, 0.0
        while alone.along_m + half < to_m:
            before_m = alone.along_m + half
            alone.wanted = self._wanted(alone)
            alone.drive(999.0, 0.0, dt_s)
            done = alone.along_m + half
            low, high = max(before_m, from_m), min(done, to_m)
            seconds += dt_s * max(0.0, high - low) / max(1e-9, done - before_m)
        return seconds

    def colour(self, group: int | None) -> str:
        """What shines; routes without a group see green."""
        return "green" if group is None else self._lamps.get(group, "red")

    def red_for(self, group: int | None) -> float:
        """Seconds a group has been red; 0 when it is not."""
        red = group is not None and self._lamps.get(group) == "red"
        return self.now_s - self._red_s.get(group or 0, self.now_s) if red else 0.0

    def _arrive(self, dt_s: float) -> None:
        motor, bicycle, walk, fewest, most = self._rates
        if len(self.users) >= most:
            return
        if len(self.users) < fewest:
            dt_s *= SPARSE
        for rate, routes, mix in ((motor, self.motor, MOTOR), (bicycle, self.bicycle, TWO_WHEEL)):
            if self._random.random() < rate * dt_s:
                weights = [
                    3.0 if r.turn == "through" else 0.25 if r.turn == "u_turn" else 1.0 for r in routes
                ]
                route = self._random.choices(routes, weights)[0]
                cls = self._random.choices([m[0] for m in mix], [m[1] for m in mix])[0]
                if route.name not in self.barred and self.clear(route, 0.0, FREE_M):
                    self.add(route, cls, SETS_OUT_M, SPEEDS[cls][0] * SETS_OUT_SHARE)
        if self._random.random() < walk * dt_s:
            back, offset = self._random.random() < 0.5, self._random.uniform(-1.4, 1.4)
            route = self._random.choice(walk_routes(self.crossing, offset, back=back))
            if self.clear(route, 0.0, 0.5):
                self.add(route, "pedestrian", 0.0, 1.0)

    def _wanted(self, user: User) -> float:
        """The speed a user would like here."""
        low, high = SPEEDS[user.cls]
        wish = low + (high - low) * (user.shade & 255) / 255
        if user.backwards:
            return 5.0
        past = user.along_m - user.route.stop_m
        if user.route.use == "walk":
            return wish
        if -12.0 < past < 32.0:
            wish = min(wish, TURN_SPEED[user.route.turn])
        return wish

    def _stop_gap(self, user: User) -> float:
        """Distance to where the lights, or its own errand, make a user stop."""
        if user.halt_at_m is not None:
            return max(0.05, user.halt_at_m - user.along_m)
        if not user.obeys or user.backwards:
            return 999.0
        front = user.along_m + user.size[0] / 2
        route = user.route
        colour = self.colour(route.group)
        if route.use == "walk":
            return self._walk_gap(user, colour)
        stop_m = route.stop_m
        held = route.name in self.held
        if route.wait_m is not None and front > route.stop_m + 0.5:
            user.waits = user.waits and colour not in GO
            if not user.waits:  # its light has been green: it clears the crossing
                return 999.0
            stop_m = route.wait_m
        elif route.wait_m is not None:
            user.waits = not held and colour not in GO and self.colour(route.wait_group) in GO
            stop_m = route.wait_m if user.waits else route.stop_m
        gap = stop_m - front
        if gap < -0.3 or (colour in GO and not held):
            return 999.0
        if colour == "dark" and not held:
            return 999.0
        can_stop = user.speed * user.speed / (2 * 3.2) <= max(0.0, gap) + 0.3
        may_pass = colour == "yellow" or colour in GO  # a light that is green is held by the script alone
        return 999.0 if may_pass and not can_stop else max(0.05, gap + 1.6)

    def _walk_gap(self, user: User, colour: str) -> float:
        """Pedestrians wait at the kerb and set out early in green."""
        gap = user.route.stop_m - user.along_m
        if gap < -KERB_M:  # who stands at the kerb stands a little over the line
            return 999.0
        early = self.now_s - self._green_s.get(user.route.group or 0, -99.0) < WALK_START_S
        return 999.0 if colour == "green" and early else gap + 0.55

    def _ahead(self) -> list[tuple[float, float]]:
        """(gap, speed along the way) of the nearest user in each user's way."""
        if not self.users:
            return []
        xs = np.array([user.x for user in self.users])
        ys = np.array([user.y for user in self.users])
        half = np.array([user.size[0] / 2 for user in self.users])
        wide = np.array([user.size[1] / 2 for user in self.users])
        heads = np.radians([user.heading for user in self.users])
        speeds = np.array([user.speed for user in self.users])
        # Where people on foot and on bicycles will be soon matters as much as where they are.
        slow = np.array([user.cls not in ("car", "truck", "bus") for user in self.users])
        soon_x, soon_y = xs + np.sin(heads) * speeds * 1.3, ys + np.cos(heads) * speeds * 1.3
        found = []
        places = xs, ys, soon_x, soon_y
        for i, user in enumerate(self.users):
            found.append(self._nearest(i, user, places, half, wide, heads, speeds, slow))
        return found

    def _nearest(
        self,
        i: int,
        user: User,
        places: tuple[Array, Array, Array, Array],
        half: Array,
        wide: Array,
        heads: Array,
        speeds: Array,
        slow: Array,
    ) -> tuple[float, float]:
        """What one user has in its way: a walk along its route, looking for bodies."""
        walker = user.route.use == "walk"
        reach = 2.0 if walker else min(LOOK_M, 8.0 + user.speed * 3.2)
        way = _way_ahead(user, reach)
        if len(way) < 1:
            return 999.0, 0.0
        xs, ys, soon_x, soon_y = places
        near = np.hypot(xs - user.x, ys - user.y) < reach + 8.0
        near[i] = False
        if walker:  # people on foot step aside for each other
            near &= ~np.array([other.route.use == "walk" for other in self.users])
        best = 999.0, 0.0
        for j in np.flatnonzero(near):
            body = (half[j] if abs(math.sin(heads[j] - heads[i])) > 0.7 else wide[j]) + user.size[1] / 2
            spots = [(xs[j], ys[j], 0.35)]
            if slow[j] and not walker and speeds[j] >= 0.5:
                spots.append((soon_x[j], soon_y[j], 0.2))
            for x, y, margin in spots:
                apart = np.hypot(way[:, 0] - x, way[:, 1] - y)
                hits = np.flatnonzero(apart < body + margin)
                if len(hits) and (hits[0] > 0 or _in_front(user, x, y)):
                    length = wide[j] if abs(math.sin(heads[j] - heads[i])) > 0.7 else half[j]
                    gap = hits[0] * 2 * STEP_M + body - user.size[0] / 2 - length
                    along = speeds[j] * math.cos(heads[j] - heads[i])
                    if gap < best[0]:
                        best = max(0.1, gap), max(0.0, along)
        return best


def _in_front(user: User, x: float, y: float) -> bool:
    angle = math.radians(user.heading)
    return (x - user.x) * math.sin(angle) + (y - user.y) * math.cos(angle) > 0.3


def _way_ahead(user: User, reach: float) -> Array:
    """Points a metre apart along the way to come, moved to the user's own side."""
    steps = int(reach / STEP_M) + 1
    if user.backwards:
        start = int((user.route.end_m - user.along_m) / STEP_M)
        way = user.route.points[max(0, start - steps) : start + 1][::-1]
    else:
        start = int(user.along_m / STEP_M)
        way = user.route.points[start : start + steps]
    angle = math.radians(user.heading)
    ahead: Array = way[::2] + np.array([math.cos(angle), -math.sin(angle)]) * user.side_m
    return ahead
