"""By what right somebody went: the light of the movement at the lines, and what it allowed."""

from __future__ import annotations

from enum import StrEnum

from rsu_agent.lanes.ground import Entry, Ground
from rsu_agent.lanes.lights import LightLog, Shone
from rsu_agent.world.crossing import Connection
from rsu_agent.world.signal import GO, Colour

SURE_RED_S = 0.45  # lamps and positions are this uncertain together: entering on yellow is no running
CAUTION = frozenset(
    {Colour.YELLOW_FLASH, Colour.RED_FLASH}
)  # nobody's turn: who may goes by the rules of the road
STOP = frozenset({Colour.RED, Colour.RED_YELLOW})


class Right(StrEnum):
    """What let somebody go into the crossing."""

    GO = "go"
    YELLOW = "yellow"
    FREE = "free"  # not signalled, or flashing
    RIGHT_ON_RED = "right_on_red"
    CLEARING = "clearing"  # over the stop line by right, into the conflict area when it was red already
    RED = "red"  # ran the red light
    UNKNOWN = "unknown"


def right_of(
    ground: Ground,
    entry: Entry,
    ways: tuple[Connection, ...],
    times_s: tuple[float | None, float | None],
    log: LightLog,
) -> Right:
    """The right of whoever went one of these ways; UNKNOWN where they differ.

    times_s: when it passed the stop line and the conflict line, None: not seen. Red running means passing the
    conflict line on red, not the stop line (field-rules 2.5).
    """
    rights = {_right(ground, entry, way, times_s, log) for way in ways}
    return rights.pop() if len(rights) == 1 else Right.UNKNOWN


def _right(
    ground: Ground,
    entry: Entry,
    way: Connection,
    times_s: tuple[float | None, float | None],
    log: LightLog,
) -> Right:
    if way.uncontrolled or way.group is None:
        return Right.FREE
    line_s, conflict_s = times_s
    at_s = conflict_s if conflict_s is not None else line_s
    right = shown(ground, entry, way, at_s, log)
    if right is not Right.RED:
        return right
    if ground.right_on_red(entry.lane, way) or (_dark(way, at_s, log) and way.turn == "right"):
        return Right.RIGHT_ON_RED
    if conflict_s is None or line_s is None:
        return Right.UNKNOWN
    at_line = shown(ground, entry, way, line_s, log)
    if at_line is Right.UNKNOWN:
        return Right.UNKNOWN
    return Right.RED if at_line is Right.RED else Right.CLEARING


def shown(ground: Ground, entry: Entry, way: Connection, at_s: float | None, log: LightLog) -> Right:
    """What a way's light said at an instant; a dark arrow leaves the round light (field-rules 2.1)."""
    if at_s is None or way.group is None:
        return Right.UNKNOWN
    group: int | None = way.group
    if _dark(way, at_s, log):
        group = ground.round_group(entry.lane.arm)
    if group is None:
        return Right.UNKNOWN
    return said(log.at(group, at_s), log.at(group, at_s + SURE_RED_S))


def said(shone: Shone, soon: Shone) -> Right:
    """What a colour said; soon: what shone a moment later, for green begins as uncertainly as red does."""
    if shone.colour in GO:
        return Right.GO
    if shone.colour is Colour.YELLOW:
        return Right.YELLOW
    if shone.colour in CAUTION:
        return Right.FREE
    if shone.colour in STOP:
        if soon.colour in GO:
            return Right.GO
        return Right.RED if shone.for_s >= SURE_RED_S else Right.YELLOW
    return Right.UNKNOWN


def _dark(way: Connection, at_s: float | None, log: LightLog) -> bool:
    return at_s is not None and way.group is not None and log.at(way.group, at_s).colour is Colour.DARK
