"""What the rules remember of each track, and what shines. Pure; one owner."""

from __future__ import annotations

from dataclasses import dataclass, field

from rsu_agent.hazards.places import Places
from rsu_agent.lanes.jump import jumped
from rsu_agent.lanes.line import LanePlace
from rsu_agent.world.road_user import RoadUser, Scene
from rsu_agent.world.signal import Colour

FORGET_S = 3.0


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant and a place that a rule measures from."""

    at_s: float
    x_east_m: float
    y_north_m: float

    def away(self, user: RoadUser) -> tuple[float, float]:
        """Metres east and north that a user has gone since."""
        return user.x_east_m - self.x_east_m, user.y_north_m - self.y_north_m


@dataclass(slots=True)
class Seen:
    """One track's past as the rules need it."""

    user: RoadUser
    last_s: float
    entry: LanePlace | None = None  # the entry lane it came by, as last seen on it
    entered_box_s: float | None = None
    lane: LanePlace | None = None
    still: Mark | None = None  # where it came to stand
    wrong: Mark | None = None  # where it began to drive against its lane
    on_walk: Mark | None = None  # where it stepped onto a crosswalk
    walked_m: float = 0.0  # from the kerb behind it, when it was first seen on the crosswalk
    walk_judged: bool = False
    walk_words: str | None = None  # what it did there, while it is on the road
    box_judged: bool = False

    def mark(self, now_s: float) -> Mark:
        """Here and now."""
        return Mark(now_s, self.user.x_east_m, self.user.y_north_m)


@dataclass(slots=True)
class Lights:
    """Newest colour of each group, since when, and what it was before."""

    colours: dict[int, tuple[Colour, float]] = field(default_factory=dict)

    def changed(self, group: int, colour: Colour, at_s: float) -> None:
        """A change of colour."""
        self.colours[group] = colour, at_s

    def red_for(self, group: int, now_s: float) -> float | None:
        """Seconds a group has been red; None when it is not red, or nobody knows."""
        colour, since_s = self.colours.get(group, (Colour.UNKNOWN, 0.0))
        return now_s - since_s if colour is Colour.RED else None


class Memory:
    """All tracks of the present."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.seen: dict[int, Seen] = {}

    def update(self, scene: Scene) -> list[Seen]:
        """Take in a scene; the tracks that are in it."""
        present = []
        for user in scene.users:
            seen = self.seen.get(user.track)
            if seen is None:
                seen = self.seen[user.track] = Seen(user, scene.at_s)
            self._one(seen, user, scene.at_s)
            present.append(seen)
        self.seen = {track: s for track, s in self.seen.items() if scene.at_s - s.last_s <= FORGET_S}
        return present

    def _one(self, seen: Seen, user: RoadUser, at_s: float) -> None:
        if jumped(seen.user, user, at_s - seen.last_s):
            seen.wrong = seen.on_walk = seen.entry = None
        seen.user, seen.last_s = user, at_s
        seen.lane = self.places.lane_at(user.x_east_m, user.y_north_m)
        if seen.lane is not None and seen.lane.lane.role == "entry" and seen.entered_box_s is None:
            seen.entry = seen.lane
        if seen.entered_box_s is None and self.places.in_box(user.x_east_m, user.y_north_m):
            seen.entered_box_s = at_s
