"""From where a track comes onto an entry lane to where its front passes the stop line."""

from __future__ import annotations

from rsu_agent.lanes.events import LinePassed
from rsu_agent.lanes.ground import Ground
from rsu_agent.lanes.line import LanePlace
from rsu_agent.lanes.match import entry_place
from rsu_agent.lanes.trace import Point, Trace, between
from rsu_agent.world.road_user import RoadUser, UserClass

APPROACH_M = 60.0  # delay is reckoned from here, or from where somebody comes into sight nearer
STANDS_MPS, GOES_MPS = 5.0 / 3.6, 10.0 / 3.6  # a stop begins below the one and is over above the other
EVENED_S = 1.0  # speeds are noise from fix to fix
LEAST_SIGHT_M = 25.0  # nearer, the braking before the line is over when a track begins
SIDE_M = 2.0  # beside its lane, whoever was hidden at the line may have come out
SURE_GAP_S = 1.0  # two fixes farther apart do not tell when the line was passed


def approach(ground: Ground, trace: Trace, user: RoadUser, front: Point, at_s: float) -> LinePassed | None:
    """One fix of a track that has not passed a stop line; the passing when it has with this fix."""
    if user.kind is UserClass.PEDESTRIAN:
        return None
    _pace(trace, user, at_s)
    place = entry_place(ground, user, trace.lane)
    if place is None:
        return _hidden(ground, trace, user, front, at_s)
    before_m, was_m = place.before_m - user.length_m / 2, trace.before_m
    if trace.lane is not None and ground.entries[trace.lane].lane.arm != place.lane.arm:
        was_m, trace.from_s, trace.from_m = None, None, 0.0
    trace.lane, trace.before_m = place.lane.lane, before_m
    if was_m is None:
        _in_sight(trace, user, before_m, at_s)
        return _passed(trace, user, None, at_s) if _over(place, before_m) else None
    if was_m > APPROACH_M >= before_m:
        trace.from_s = between(trace.at_s, at_s, (was_m - APPROACH_M) / (was_m - before_m))
        trace.from_m = APPROACH_M
    if was_m > 0.0 >= before_m:
        return _passed(trace, user, was_m / (was_m - before_m), at_s)
    stand(trace, user)
    return None


def stand(trace: Trace, user: RoadUser) -> None:
    """Count a stop when it begins."""
    if not trace.standing and user.speed_mps < STANDS_MPS:
        trace.standing = True
        trace.stops += 1
    elif trace.standing and user.speed_mps > GOES_MPS:
        trace.standing = False


def _pace(trace: Trace, user: RoadUser, at_s: float) -> None:
    """The evened speed, and the fastest that it has been."""
    before = trace.pace_mps if trace.pace_mps is not None else user.speed_mps
    seconds = max(0.0, at_s - trace.at_s)
    trace.pace_mps = before + (user.speed_mps - before) * seconds / (seconds + EVENED_S)
    trace.fastest_mps = max(trace.fastest_mps, trace.pace_mps)


def _in_sight(trace: Trace, user: RoadUser, before_m: float, at_s: float) -> None:
    """Delay is reckoned from the first sight of who is far out and on the move: nothing has held it up."""
    if LEAST_SIGHT_M <= before_m <= APPROACH_M and user.speed_mps > GOES_MPS:
        trace.from_s, trace.from_m = at_s, before_m


def _over(place: LanePlace, before_m: float) -> bool:
    """Whether a track begins with its front over the line and its middle before it."""
    return before_m <= 0.0 <= place.before_m


def _hidden(ground: Ground, trace: Trace, user: RoadUser, front: Point, at_s: float) -> LinePassed | None:
    """A track that has come off its lane: past the line, while it was not seen or between two lanes."""
    if trace.lane is None or trace.before_m is None:
        return None
    line = ground.entries[trace.lane].line
    past_m = line.past_end_m(*front)
    aside = line.end_aside_m(*front) > line.lane.width_m / 2 + SIDE_M
    if past_m <= 0.0 or (aside and not ground.conflict.holds(*front)):
        return None
    if trace.before_m <= 0.0:  # from another lane, whose line lies nearer
        return _passed(trace, user, 0.0, at_s)
    return _passed(trace, user, trace.before_m / (trace.before_m + past_m), at_s)


def _passed(trace: Trace, user: RoadUser, share: float | None, at_s: float) -> LinePassed | None:
    trace.passed = True
    sure = share is not None and at_s - trace.at_s <= SURE_GAP_S
    if share is not None:
        trace.line_s = between(trace.at_s, at_s, share)
    line_s = trace.line_s if trace.line_s is not None else at_s
    travel_s = line_s - trace.from_s if sure and trace.from_s is not None else None
    if trace.twin or trace.lane is None:
        return None
    return LinePassed(
        user.track,
        user.kind,
        trace.lane,
        line_s,
        user.speed_mps,
        sure,
        travel_s,
        trace.from_m,
        trace.fastest_mps,
        trace.stops,
    )
