"""Tracks to lanes, lines and movements: handmade ways over the virtual crossing."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import pytest

from rsu_agent.lanes.approach import APPROACH_M, LEAST_SIGHT_M
from rsu_agent.lanes.follow import Follower
from rsu_agent.lanes.right import Right
from rsu_agent.lanes.stitch import FORGET_S
from rsu_agent.world.crossing import Crossing, Turn
from rsu_agent.world.road_user import RoadUser, Scene, UserClass
from rsu_agent.world.signal import Colour
from tests.lanes.made import (
    LENGTH_M,
    START_S,
    TICK_S,
    Users,
    driver,
    follow,
    lane,
    length_m,
    lights,
    lines,
    on,
    passages,
    user,
    virtual,
    walks,
    way,
)

GREEN, RED, YELLOW = Colour.GREEN, Colour.RED, Colour.YELLOW
ENTRY_M = 77.0  # of an entry lane, from its start to its stop line
TO_LINE_M = ENTRY_M - 5.0 - LENGTH_M / 2  # from where a driver begins to where its front is over the line
FOREVER = 99.0


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return virtual()


@pytest.fixture
def follower(crossing: Crossing) -> Follower:
    return Follower(crossing)


def test_straight_on_over_green(crossing: Crossing, follower: Follower) -> None:
    lights(follower, {1: GREEN})
    events = follow(follower, driver(1, way(crossing, 2, 26), [(10.0, FOREVER)]))
    (line,), (passage,) = lines(events), passages(events)
    assert (line.lane, line.sure, line.stops) == (2, True, 0)
    assert line.at_s == pytest.approx(START_S + TO_LINE_M / 10.0, abs=0.011)
    assert (line.travel_s, line.travel_m) == (pytest.approx(6.0, abs=0.02), APPROACH_M)
    assert (passage.turn, passage.to_lane, passage.group, passage.fixed) == (Turn.THROUGH, 26, 1, True)
    assert (passage.right, passage.permitted) == (Right.GO, True)
    assert passage.line_s is not None
    assert passage.conflict_in_s is not None
    assert passage.conflict_out_s is not None
    assert passage.line_s < passage.conflict_in_s < passage.conflict_out_s < passage.ended_s


def test_the_conflict_area_is_entered_where_its_outline_lies(crossing: Crossing, follower: Follower) -> None:
    events = follow(follower, driver(1, way(crossing, 2, 26), [(10.0, FOREVER)]))
    (passage,) = passages(events)
    assert passage.conflict_in_s is not None
    along_m = 5.0 + LENGTH_M / 2 + 10.0 * (passage.conflict_in_s - START_S)
    x, y, _ = on(way(crossing, 2, 26), along_m)
    assert follower.ground.conflict.holds(x, y - 0.2)
    assert not follower.ground.conflict.holds(x, y + 0.2)


def into_the_waiting_area(crossing: Crossing) -> Users:
    """From the south to the left: over the line, 12 s in the waiting area (front 13 m past the line), on."""
    to_wait = (TO_LINE_M + 13.0) / 8.0
    return driver(1, way(crossing, 21, 35), [(8.0, to_wait), (0.0, 12.0), (6.0, FOREVER)])


def test_left_by_the_waiting_area_is_no_red_running(crossing: Crossing, follower: Follower) -> None:
    leaves_s = (TO_LINE_M + 13.0) / 8.0 + 12.0
    for tick in range(600):
        t = tick * TICK_S
        follower.log.saw(7, GREEN if t > leaves_s - 1.0 else RED, START_S + t)
        follower.log.saw(12, GREEN if t < leaves_s - 4.0 else RED, START_S + t)
    (passage,) = passages(follow(follower, into_the_waiting_area(crossing)))
    assert (passage.turn, passage.right, passage.group) == (Turn.LEFT, Right.GO, 7)
    assert passage.line_s is not None
    assert passage.waiting_s is not None
    assert passage.conflict_in_s is not None
    assert passage.line_s < passage.waiting_s < START_S + leaves_s < passage.conflict_in_s


def test_out_of_the_waiting_area_on_red_is(crossing: Crossing, follower: Follower) -> None:
    lights(follower, {7: RED, 12: GREEN})
    (passage,) = passages(follow(follower, into_the_waiting_area(crossing)))
    assert passage.right is Right.RED


def test_who_never_leaves_the_waiting_area_never_entered_the_conflict_area(
    crossing: Crossing, follower: Follower
) -> None:
    lights(follower, {7: RED, 12: GREEN})
    stages = [(8.0, (TO_LINE_M + 13.0) / 8.0), (0.0, 12.0)]
    (passage,) = passages(follow(follower, driver(1, way(crossing, 21, 35), stages)))
    assert (passage.waiting_s is not None, passage.conflict_in_s) == (True, None)
    assert (passage.turn, passage.fixed, passage.right) == (Turn.LEFT, False, Right.UNKNOWN)


def test_every_point_of_the_way_into_the_waiting_area_is_sheltered(
    crossing: Crossing, follower: Follower
) -> None:
    """Between the pieces of the drive path, too, and to both sides of it."""
    points, entry = way(crossing, 21, 35), follower.ground.entries[21]
    for step in range(170):
        x, y, heading = on(points, ENTRY_M + 0.1 * step)
        side_x, side_y = math.cos(math.radians(heading)), -math.sin(math.radians(heading))
        assert all(entry.sheltered(x + side_x * right, y + side_y * right) for right in (-1.5, 0.0, 1.5))
    x, y, _ = on(points, ENTRY_M + 21.0)
    assert not entry.sheltered(x, y)


def test_straight_on_over_red_runs_it(crossing: Crossing, follower: Follower) -> None:
    lights(follower, {1: RED})
    (passage,) = passages(follow(follower, driver(1, way(crossing, 2, 26), [(10.0, FOREVER)])))
    assert passage.right is Right.RED


def test_over_the_stop_line_on_red_and_no_farther_does_not(crossing: Crossing, follower: Follower) -> None:
    lights(follower, {1: RED})
    stages = [(10.0, (TO_LINE_M + 3.0) / 10.0), (0.0, 20.0)]
    (passage,) = passages(follow(follower, driver(1, way(crossing, 2, 26), stages)))
    assert (passage.conflict_in_s, passage.right) == (None, Right.UNKNOWN)


def test_over_the_line_on_yellow_and_in_on_red_is_clearing(crossing: Crossing, follower: Follower) -> None:
    line_s = TO_LINE_M / 6.0
    for tick in range(600):
        t = tick * TICK_S
        follower.log.saw(1, YELLOW if t < line_s + 0.2 else RED, START_S + t)
    (passage,) = passages(follow(follower, driver(1, way(crossing, 2, 26), [(6.0, FOREVER)])))
    assert passage.right is Right.CLEARING


def test_when_nobody_told_the_colour_the_right_is_unknown(crossing: Crossing, follower: Follower) -> None:
    for tick in range(30):  # the controller's line breaks three seconds in
        follower.log.saw(1, RED, START_S + tick * TICK_S)
    (passage,) = passages(follow(follower, driver(1, way(crossing, 2, 26), [(10.0, FOREVER)])))
    assert passage.right is Right.UNKNOWN


def turning_right(crossing: Crossing, entry: int, leave: int) -> Users:
    return driver(1, way(crossing, entry, leave), [(6.0, FOREVER)])


def test_an_uncontrolled_right_turn_is_free_whatever_shines(crossing: Crossing, follower: Follower) -> None:
    lights(follower, dict.fromkeys(range(1, 25), RED))
    (passage,) = passages(follow(follower, turning_right(crossing, 33, 26)))
    assert (passage.turn, passage.right, passage.group) == (Turn.RIGHT, Right.FREE, None)


def test_a_right_turn_that_an_arrow_controls_may_not_go_on_red(
    crossing: Crossing, follower: Follower
) -> None:
    lights(follower, {9: RED, 1: RED})
    (passage,) = passages(follow(follower, turning_right(crossing, 3, 36)))
    assert passage.right is Right.RED


def test_a_dark_arrow_leaves_the_round_light_on_whose_red_right_turns_go(
    crossing: Crossing, follower: Follower
) -> None:
    lights(follower, {9: Colour.DARK, 1: RED})
    (passage,) = passages(follow(follower, turning_right(crossing, 3, 36)))
    assert passage.right is Right.RIGHT_ON_RED


@pytest.mark.parametrize("marked", [True, False])
def test_right_on_red_is_lawful_where_the_file_marks_it_or_no_arrow_stands(
    crossing: Crossing, marked: bool
) -> None:
    heads = crossing.heads if marked else tuple(head for head in crossing.heads if head.group != 9)
    lanes = tuple(replace(each, right_on_red=marked) if each.lane == 3 else each for each in crossing.lanes)
    follower = Follower(replace(crossing, lanes=lanes, heads=heads))
    lights(follower, {9: RED, 1: RED})
    (passage,) = passages(follow(follower, turning_right(crossing, 3, 36)))
    assert passage.right is Right.RIGHT_ON_RED


def test_a_u_turn_is_told_from_the_left_turn_of_the_same_lane(crossing: Crossing) -> None:
    for leave, turn, group in ((35, Turn.U_TURN, 21), (5, Turn.LEFT, 8)):
        follower = Follower(crossing)
        lights(follower, {21: GREEN, 8: RED} if turn is Turn.U_TURN else {21: RED, 8: GREEN})
        (passage,) = passages(follow(follower, driver(1, way(crossing, 31, leave), [(4.0, FOREVER)])))
        assert (passage.lane, passage.turn, passage.group) == (31, turn, group)
        assert passage.right is Right.GO


@pytest.mark.parametrize(("leave", "turn"), [(5, Turn.LEFT), (35, None)])
def test_the_way_that_was_driven_tells_where_a_track_that_is_lost_inside_was_going(
    crossing: Crossing, follower: Follower, leave: int, turn: Turn | None
) -> None:
    """From lane 31, lost 3 m before the exit lane: where a U-turn has hardly begun, nothing tells."""
    points, exit_m = way(crossing, 31, leave), length_m(lane(crossing, leave).points)
    stages = [(4.0, (length_m(points) - exit_m - 3.0 - 5.0) / 4.0)]
    (passage,) = passages(follow(follower, driver(1, points, stages)))
    assert (passage.turn, passage.fixed, passage.to_lane) == (turn, False, None)


def test_a_way_that_the_file_does_not_have_is_told_as_not_permitted(
    crossing: Crossing, follower: Follower
) -> None:
    """Straight on from the left-turn lane of the north arm."""
    entry, leave = lane(crossing, 1), lane(crossing, 26)
    (passage,) = passages(follow(follower, driver(1, (*entry.points, *leave.points), [(8.0, FOREVER)])))
    assert (passage.turn, passage.to_lane, passage.permitted) == (Turn.THROUGH, 26, False)


def changes_lanes(crossing: Crossing, at_m: float) -> Users:
    """From the through lane to the left-turn lane, over 12 m, so far before the line."""
    one, two = lane(crossing, 2), lane(crossing, 1)
    left = way(crossing, 1, 15)

    def at(t: float) -> Iterable[RoadUser]:
        along_m = 5.0 + 8.0 * t
        if along_m >= length_m(left) - 1.0:
            return []
        part = min(1.0, max(0.0, (along_m - (ENTRY_M - at_m)) / 12.0))
        if part == 1.0:
            return [user(1, on(left, along_m), 8.0)]
        a, b = on(one.points, along_m), on(two.points, along_m)
        return [user(1, (a[0] + (b[0] - a[0]) * part, a[1], a[2]), 8.0)]

    return at


def test_a_change_of_lanes_before_the_line_is_followed(crossing: Crossing, follower: Follower) -> None:
    events = follow(follower, changes_lanes(crossing, 30.0))
    (line,), (passage,) = lines(events), passages(events)
    assert (line.lane, passage.lane, passage.turn) == (1, 1, Turn.LEFT)
    assert line.travel_s == pytest.approx(APPROACH_M / 8.0, abs=0.05)


def test_who_drives_on_the_line_between_two_lanes_does_not_change_to_and_fro(
    crossing: Crossing, follower: Follower
) -> None:
    """30 cm to either side of the line between lanes 1 and 2, having come from lane 2."""
    middle, two = (lane(crossing, 1).points[0][0] + lane(crossing, 2).points[0][0]) / 2, lane(crossing, 2)
    kept = set()
    for tick in range(60):
        x, y, heading = on(two.points, 5.0 + tick)
        x = x if tick < 10 else middle + 0.3 * (-1) ** tick
        follower.scene(Scene(START_S + tick * TICK_S, tick, (user(1, (x, y, heading), 10.0),), ()))
        kept.add(follower.traces[1].lane)
    assert kept == {2}


def test_who_crosses_the_box_keeps_the_lane_that_it_came_from(crossing: Crossing, follower: Follower) -> None:
    for tick in range(200):
        users = tuple(driver(1, way(crossing, 1, 15), [(8.0, FOREVER)])(tick * TICK_S))
        follower.scene(Scene(START_S + tick * TICK_S, tick, users, ()))
        if users and not follower.traces[1].done:
            assert follower.traces[1].lane == 1


def test_a_stop_has_a_hysteresis(crossing: Crossing, follower: Follower) -> None:
    """Standing, creeping at 7 km/h and standing again is one stop; driving 20 km/h between makes two."""
    for creep_mps, stops in ((7 / 3.6, 1), (20 / 3.6, 2)):
        stages = [(10.0, 5.0), (0.0, 5.0), (creep_mps, 2.0), (0.0, 5.0), (5.0, FOREVER)]
        (line,) = lines(follow(Follower(crossing), driver(1, way(crossing, 2, 26), stages)))
        assert line.stops == stops


@pytest.mark.parametrize(
    ("sight_m", "speed", "measured"),
    [
        (50.0, 8.0, True),
        (LEAST_SIGHT_M + 1.0, 8.0, True),
        (LEAST_SIGHT_M - 1.0, 8.0, False),
        (50.0, 1.0, False),
    ],
)
def test_delay_is_reckoned_from_the_first_sight_of_who_is_far_out_and_on_the_move(
    crossing: Crossing, follower: Follower, sight_m: float, speed: float, measured: bool
) -> None:
    begins_m = ENTRY_M - LENGTH_M / 2 - sight_m
    stages = [(speed, 2.0), (8.0, FOREVER)]
    (line,) = lines(follow(follower, driver(1, way(crossing, 2, 26), stages, begins_m=begins_m)))
    assert (line.travel_s is not None) == measured
    if measured:
        assert (line.travel_m, line.travel_s) == (
            pytest.approx(sight_m, abs=0.01),
            pytest.approx(sight_m / 8.0, abs=0.02),
        )


def test_a_queue_passes_in_order_and_each_once(crossing: Crossing, follower: Follower) -> None:
    points = way(crossing, 2, 26)
    queue = [
        driver(n, points, [(0.0, 20.0 + 1.5 * n), (8.0, FOREVER)], begins_m=ENTRY_M - 4.0 - 7.0 * n)
        for n in range(6)
    ]
    passed = lines(follow(follower, *queue))
    assert [line.track for line in passed] == list(range(6))
    assert all(b.at_s > a.at_s for a, b in pairwise(passed))
    assert all(line.travel_s is None for line in passed)  # they stood there when they were first seen


def test_a_track_that_begins_on_the_line_is_counted_and_nobody_saw_when(
    crossing: Crossing, follower: Follower
) -> None:
    stages = [(0.0, 10.0), (8.0, FOREVER)]
    (line,) = lines(follow(follower, driver(1, way(crossing, 2, 26), stages, begins_m=ENTRY_M - 1.0)))
    assert (line.lane, line.sure, line.travel_s) == (2, False, None)


def test_a_track_that_begins_beyond_the_line_is_not_counted(crossing: Crossing, follower: Follower) -> None:
    events = follow(follower, driver(1, way(crossing, 2, 26), [(8.0, FOREVER)], begins_m=ENTRY_M + 2.0))
    assert lines(events) == passages(events) == []


@pytest.mark.parametrize("hidden_m", [ENTRY_M - 30.0, ENTRY_M - 8.0, ENTRY_M + 4.0, ENTRY_M + 15.0])
def test_lost_and_found_again_under_a_new_number_is_one_user(crossing: Crossing, hidden_m: float) -> None:
    """Hidden for 1.5 s before the line, over it, behind it."""
    whole = driver(1, way(crossing, 2, 26), [(9.0, FOREVER)])
    begins_s = (hidden_m - 5.0) / 9.0

    def at(t: float) -> Iterable[RoadUser]:
        if begins_s <= t < begins_s + 1.5:
            return []
        return [replace(one, track=1 if t < begins_s else 2) for one in whole(t)]

    events = follow(Follower(crossing), at)
    (line,), (passage,) = lines(events), passages(events)
    assert (line.lane, passage.turn, passage.fixed) == (2, Turn.THROUGH, True)
    assert line.at_s == pytest.approx(START_S + TO_LINE_M / 9.0, abs=0.02)
    assert passage.track == 2


def test_who_is_hidden_for_longer_is_somebody_else(crossing: Crossing, follower: Follower) -> None:
    whole = driver(1, way(crossing, 2, 26), [(4.0, FOREVER)])

    def at(t: float) -> Iterable[RoadUser]:
        hidden = 5.0 <= t < 5.0 + FORGET_S + 0.5
        return [] if hidden else [replace(one, track=1 if t < 5.0 else 2) for one in whole(t)]

    (line,) = lines(follow(follower, at))
    assert line.track == 2
    assert line.travel_m < APPROACH_M  # it came into sight anew, on the move


def test_a_second_track_of_a_body_counts_for_nothing(crossing: Crossing, follower: Follower) -> None:
    points = way(crossing, 2, 26)
    one = driver(1, points, [(8.0, FOREVER)])
    events = follow(follower, one, lambda t: [] if t < 3.0 else [replace(u, track=2) for u in one(t)])
    assert [line.track for line in lines(events)] == [1]
    assert [passage.track for passage in passages(events)] == [1]


def test_a_track_that_is_given_somebody_elses_body_begins_anew(
    crossing: Crossing, follower: Follower
) -> None:
    """At 6 s the track jumps from lane 2 behind its line to lane 12 before the line there: two passings."""
    first, second = (driver(1, way(crossing, *ends), [(12.0, FOREVER)]) for ends in ((2, 26), (12, 36)))
    events = follow(follower, lambda t: first(t) if t < 6.5 else second(t - 6.5))
    assert [line.lane for line in lines(events)] == [2, 12]
    assert [(passage.lane, passage.fixed) for passage in passages(events)] == [(2, False), (12, True)]


def test_a_bicycle_uses_its_lane_and_turns_left_by_its_own_light(
    crossing: Crossing, follower: Follower
) -> None:
    lights(follower, {13: RED, 22: GREEN})
    points = way(crossing, 4, 17)
    events = follow(follower, driver(1, points, [(4.5, FOREVER)], UserClass.BICYCLE))
    (line,), (passage,) = lines(events), passages(events)
    assert (line.lane, line.kind) == (4, UserClass.BICYCLE)
    assert (passage.turn, passage.group, passage.right) == (Turn.LEFT, 22, Right.GO)


def over_the_walk(
    crossing: Crossing, share: float, speed_mps: float = 1.5, kind: UserClass = UserClass.PEDESTRIAN
) -> Users:
    """On foot over the crosswalk of the north arm, from 4 m before its kerb; back again after this share."""
    (ax, ay), (bx, by) = crossing.crosswalks[0].axis
    length = math.dist((ax, ay), (bx, by))
    ux, uy = (bx - ax) / length, (by - ay) / length

    def at(t: float) -> Iterable[RoadUser]:
        far, turns_m = speed_mps * t - 4.0, length * share
        if far > turns_m and share < 1.0:
            far = 2 * turns_m - far
        if not -5.0 < far < length + 5.0:
            return []
        heading = math.degrees(math.atan2(ux, uy)) % 360.0
        return [user(1, (ax + ux * far, ay + uy * far, heading), speed_mps, kind)]

    return at


@pytest.mark.parametrize(("colour", "right"), [(GREEN, Right.GO), (RED, Right.RED), (None, Right.UNKNOWN)])
def test_a_pedestrian_over_a_crosswalk(crossing: Crossing, colour: Colour | None, right: Right) -> None:
    follower = Follower(crossing)
    if colour is not None:
        lights(follower, {17: colour})
    events = follow(follower, over_the_walk(crossing, 1.0), seconds=40.0)
    (walked,) = walks(events)
    assert (walked.crosswalk, walked.kind, walked.right) == (1, UserClass.PEDESTRIAN, right)
    length = math.dist(*crossing.crosswalks[0].axis)
    assert walked.off_s - walked.on_s == pytest.approx(length / 1.5, abs=0.5)
    assert lines(events) == []


def test_a_rider_over_a_crosswalk_is_told_there_and_a_car_is_not(crossing: Crossing) -> None:
    for kind, told in ((UserClass.BICYCLE, [1]), (UserClass.CAR, [])):
        events = follow(Follower(crossing), over_the_walk(crossing, 1.0, 3.0, kind), seconds=40.0)
        assert [walked.crosswalk for walked in walks(events)] == told
        assert lines(events) == []


def test_who_turns_back_on_a_crosswalk_has_not_crossed(crossing: Crossing, follower: Follower) -> None:
    assert walks(follow(follower, over_the_walk(crossing, 0.4), seconds=40.0)) == []


def test_who_is_lost_near_the_other_kerb_has_crossed(crossing: Crossing, follower: Follower) -> None:
    whole = over_the_walk(crossing, 1.0)
    until_s = (4.0 + 0.8 * math.dist(*crossing.crosswalks[0].axis)) / 1.5
    assert len(walks(follow(follower, lambda t: whole(t) if t < until_s else [], seconds=40.0))) == 1


def test_a_scene_that_comes_late_tells_nothing(crossing: Crossing, follower: Follower) -> None:
    late = Scene(START_S - 1.0, 0, (user(1, on(way(crossing, 2, 26), 74.0), 10.0),), ())
    follower.scene(Scene(START_S, 1, (), ()))
    assert follower.scene(late) == []
    assert follower.traces == {}
