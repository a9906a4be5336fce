"""One simulated road user and how it moves along its route."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.world.routes import Route

SIZES = {  # length, width, height in metres
    "car": (4.5, 1.8, 1.5),
    "truck": (8.0, 2.4, 3.0),
    "bus": (11.0, 2.5, 3.1),
    "motorcycle": (2.1, 0.8, 1.4),
    "bicycle": (1.8, 0.6, 1.6),
    "tricycle": (2.6, 1.1, 1.5),
    "cart": (2.4, 1.0, 1.6),
    "pedestrian": (0.5, 0.6, 1.72),
}
ACCELERATION = {"car": 2.0, "truck": 1.1, "bus": 1.2, "pedestrian": 1.5}
BRAKING = 2.5
HARD_BRAKING = 7.0


@dataclass
class User:
    """along_m is the centre's place on the route; side_m its offset to the right."""

    id: int
    cls: str
    route: Route
    along_m: float
    speed: float
    wanted: float
    side_m: float = 0.0
    shade: int = 0
    obeys: bool = True
    backwards: bool = False
    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0
    braking: bool = False
    still_s: float = 0.0
    halt_at_m: float | None = None
    waits: bool = False  # went into a waiting area before its own light was green

    @property
    def size(self) -> tuple[float, float, float]:
        """Length, width, height."""
        return SIZES[self.cls]

    def place(self) -> None:
        """Position and heading from the place on the route."""
        along = self.route.end_m - self.along_m if self.backwards else self.along_m
        self.x, self.y, self.heading = self.route.at(along)
        angle = math.radians(self.heading)
        self.x += math.cos(angle) * self.side_m
        self.y -= math.sin(angle) * self.side_m
        if self.backwards:
            self.heading = (self.heading + 180.0) % 360.0

    def drive(self, gap_m: float, leader_speed: float, dt_s: float) -> None:
        """Intelligent-driver model towards whatever is ahead (gap to it, its speed)."""
        most = ACCELERATION.get(self.cls, 1.4)
        wish = max(0.3, self.wanted)
        closing = self.speed - leader_speed
        keep = 1.6 if self.cls != "pedestrian" else 0.5
        headway = 1.1 if self.cls != "pedestrian" else 0.2
        safe = keep + max(0.0, self.speed * headway + self.speed * closing / (2 * (most * BRAKING) ** 0.5))
        change = most * (1.0 - (self.speed / wish) ** 4 - (safe / max(0.1, gap_m)) ** 2)
        change = max(-HARD_BRAKING, min(most, change))
        self.braking = bool(change < -0.7)
        self.speed = max(0.0, self.speed + change * dt_s)
        if self.speed < 0.05 and change < 0:
            self.speed = 0.0
        self.along_m += self.speed * dt_s
        self.still_s = self.still_s + dt_s if self.speed < 0.2 else 0.0
        self.place()
