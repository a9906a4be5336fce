"""What OpenStreetMap's tags say of a road: lanes each way, turns, speed, bicycle lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rsu_agent.world.crossing import Turn

DRIVABLE = frozenset(
    {
        "motorway",
        "trunk",
        "primary",
        "secondary",
        "tertiary",
        "unclassified",
        "residential",
        "living_street",
        *(f"{kind}_link" for kind in ("motorway", "trunk", "primary", "secondary", "tertiary")),
    }
)
DEFAULT_KMH = 50.0
KMH_A_MPH = 1.609344
MOST_LANES = 8
LANE_M = 3.25
TURN_WORDS = {
    "through": Turn.THROUGH,
    "left": Turn.LEFT,
    "slight_left": Turn.LEFT,
    "sharp_left": Turn.LEFT,
    "right": Turn.RIGHT,
    "slight_right": Turn.RIGHT,
    "sharp_right": Turn.RIGHT,
    "reverse": Turn.U_TURN,
}


@dataclass(frozen=True, slots=True)
class Road:
    """A road; forward and backward: lanes in and against the way's own direction."""

    forward: int
    backward: int
    speed_kmh: float
    bicycle_lane: bool
    turns_forward: str
    turns_backward: str

    @property
    def width_m(self) -> float:
        """Of all its lanes."""
        return (self.forward + self.backward) * LANE_M

    def lanes_in(self, backwards: bool) -> int:
        """Lanes that come in, where the way's own direction is (backwards) towards the crossing or not."""
        return self.forward if backwards else self.backward


def road_of(tags: Mapping[str, str]) -> Road | None:
    """The road of a way's tags; None where no car may drive, or it is only an area."""
    if tags.get("highway") not in DRIVABLE or tags.get("area") == "yes":
        return None
    oneway = tags.get("oneway", "yes" if tags.get("junction") == "roundabout" else "no")
    total = _whole(tags.get("lanes"))
    if oneway in ("yes", "1", "true"):
        forward, backward = total or 1, 0
    elif oneway == "-1":
        forward, backward = 0, total or 1
    else:
        forward = _whole(tags.get("lanes:forward")) or max(1, (total or 2) - (total or 2) // 2)
        backward = _whole(tags.get("lanes:backward")) or max(1, (total or 2) // 2)
    plain = tags.get("turn:lanes", "")
    return Road(
        forward,
        backward,
        _speed(tags.get("maxspeed", "")),
        any(tags.get(key) in ("lane", "track") for key in ("cycleway", "cycleway:both", "cycleway:right")),
        tags.get("turn:lanes:forward", plain if forward else ""),
        tags.get("turn:lanes:backward", plain if not forward else ""),
    )


def turns_of(road: Road, backwards: bool) -> dict[int, frozenset[Turn]]:
    """Turns allowed from each lane that comes in, counted from the middle outward; none where not tagged."""
    text, count = (road.turns_forward, road.forward) if backwards else (road.turns_backward, road.backward)
    lanes = text.split("|") if text else []
    if len(lanes) != count:
        return {}
    turns = {}
    for order, words in enumerate(lanes):  # tagged from left to right: the left lane is the inner one
        known = frozenset(TURN_WORDS[word] for word in words.split(";") if word in TURN_WORDS)
        if known:
            turns[order] = known
    return turns


def _whole(text: str | None) -> int | None:
    try:
        number = int(float(text or ""))
    except ValueError:
        return None
    return number if 1 <= number <= MOST_LANES else None


def _speed(text: str) -> float:
    words = text.split()
    try:
        number = float(words[0])
    except (IndexError, ValueError):
        return DEFAULT_KMH
    kmh = number * KMH_A_MPH if words[1:] == ["mph"] else number
    return kmh if 5.0 <= kmh <= 160.0 else DEFAULT_KMH
