"""The four rules: each finds its hazard, and none of its look-alikes."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from rsu_agent.hazards.judge import HIDDEN_S, Judge
from rsu_agent.hazards.stopped_vehicle import FOR_S
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, Points
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import heading_deg
from rsu_agent.world.road_user import RoadUser, Scene, UserClass
from rsu_agent.world.signal import Colour

NOISE_M = 0.3


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return read_crossing(asset("config/crossings/virtual.geojson"))


def judge(crossing: Crossing, green: tuple[int, ...] = ()) -> Judge:
    """All lights red since long ago but these."""
    made = Judge(crossing)
    for group in range(1, 25):
        made.saw_lamp(group, Colour.GREEN if group in green else Colour.RED, 0.0)
    return made


def along(
    points: Points, speed: float, seconds: float, start_m: float = 0.0
) -> Iterator[tuple[float, float, float]]:
    """(x, y, heading) every 100 ms of somebody that follows a line."""
    lengths = [math.dist(a, b) for a, b in pairwise(points)]
    for step in range(int(seconds * 10)):
        left = start_m + speed * step / 10
        for (a, b), length in zip(pairwise(points), lengths, strict=False):
            if left <= length:
                part = left / length
                x, y = a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
                yield x, y, heading_deg(b[0] - a[0], b[1] - a[1])
                break
            left -= length


def user(
    track: int, x: float, y: float, heading: float, speed: float, kind: UserClass = UserClass.CAR
) -> RoadUser:
    angle = math.radians(heading)
    velocity = math.sin(angle) * speed, math.cos(angle) * speed
    return RoadUser(track, kind, x, y, *velocity, speed, heading, 4.5, 1.8, 1.5, 0.4, ("cam", "radar"), 0.0)


def drive(
    made: Judge,
    way: list[tuple[float, float, float]],
    speed: float,
    kind: UserClass = UserClass.CAR,
    **more: object,
) -> list[Hazard]:
    """Let somebody go along a way, with noise; the hazards that begin. more: others=[...], start=seconds."""
    dice = random.Random(1)
    others = list(more.get("others", []))  # type: ignore[call-overload]
    start = float(more.get("start", 100.0))  # type: ignore[arg-type]
    began: list[Hazard] = []
    for step, (x, y, heading) in enumerate(way):
        here = user(
            7, x + dice.gauss(0, NOISE_M), y + dice.gauss(0, NOISE_M), heading + dice.gauss(0, 4), speed, kind
        )
        began += made.scene(Scene(start + step / 10, step, (here, *others), ()))[0]
    return began


def route(crossing: Crossing, lane: int, way: int = 0) -> Points:
    """An entry lane, one of its paths, and the exit lane."""
    lanes = {entry.lane: entry for entry in crossing.lanes}
    path = lanes[lane].connections[way]
    return (*lanes[lane].points, *path.path[1:-1], *lanes[path.to_lane].points)


def kinds(found: list[Hazard]) -> list[HazardKind]:
    return [hazard.kind for hazard in found]


@pytest.mark.parametrize("lane", [1, 2, 11, 12, 21, 22, 31, 32])
def test_a_car_that_enters_on_red_is_found_once_within_a_second(crossing: Crossing, lane: int) -> None:
    found = drive(judge(crossing), list(along(route(crossing, lane), 12.0, 12, 40.0)), 12.0)
    assert kinds(found) == [HazardKind.RED_LIGHT_RUNNING]
    assert math.hypot(found[0].x_east_m, found[0].y_north_m) < 19


@pytest.mark.parametrize(("lane", "group"), [(1, 5), (2, 1), (12, 2), (21, 7)])
def test_entering_on_green_is_lawful(crossing: Crossing, lane: int, group: int) -> None:
    assert not drive(judge(crossing, (group, 24)), list(along(route(crossing, lane), 12.0, 12, 40.0)), 12.0)


def test_entering_just_after_the_change_is_within_our_uncertainty(crossing: Crossing) -> None:
    made = judge(crossing, (1,))
    way = list(along(route(crossing, 2), 12.0, 12, 40.0))
    entered = next(i for i, (x, y, _) in enumerate(way) if abs(x) < 15.5 and abs(y) < 15.3)
    made.saw_lamp(1, Colour.RED, 100.0 + entered / 10 - 0.2)
    assert not drive(made, way, 12.0)


def test_turning_right_on_red_and_the_uncontrolled_slip_are_lawful(crossing: Crossing) -> None:
    for lane in (3, 13, 23, 33):
        assert not drive(judge(crossing), list(along(route(crossing, lane), 5.0, 20, 55.0)), 5.0)


def test_waiting_in_the_waiting_area_is_lawful(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 21)
    spot = lane.connections[0].path[4]
    way = list(along(route(crossing, 21), 6.0, 8, 45.0))
    near = min(range(len(way)), key=lambda i: math.dist(way[i][:2], spot))
    standing = [way[near]] * 100
    assert not drive(judge(crossing, (12,)), standing, 0.0)


def test_bicycles_and_pedestrians_do_not_run_red_lights_by_this_rule(crossing: Crossing) -> None:
    way = list(along(route(crossing, 2), 5.0, 20, 40.0))
    assert not drive(judge(crossing), way, 5.0, UserClass.BICYCLE)


def test_a_car_against_its_lane_is_found_after_a_second(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 5)
    way = list(along(tuple(reversed(lane.points)), 5.0, 8, 20.0))
    found = drive(judge(crossing), way, 5.0)
    assert kinds(found) == [HazardKind.WRONG_WAY]
    assert found[0].onset_s == pytest.approx(100.0, abs=0.5)


def test_driving_with_the_lane_and_turning_round_are_lawful(crossing: Crossing) -> None:
    assert not drive(judge(crossing, (1, 3)), list(along(route(crossing, 2), 10.0, 14)), 10.0)
    assert not drive(judge(crossing, (8, 21)), list(along(route(crossing, 31, 1), 3.0, 40, 60.0)), 3.0)


@pytest.mark.parametrize(("seconds", "expected"), [(1.3, 0), (2.2, 1)])
def test_one_sensor_alone_needs_twice_the_way_for_wrong_way(
    crossing: Crossing, seconds: float, expected: int
) -> None:
    lane, made = next(entry for entry in crossing.lanes if entry.lane == 5), judge(crossing)
    way = along(tuple(reversed(lane.points)), 5.0, seconds, 20.0)
    users = [replace(user(7, *place, 5.0), sources=("cam",)) for place in way]
    began = [made.scene(Scene(100.0 + n / 10, n, (here,), ()))[0] for n, here in enumerate(users)]
    assert sum(map(len, began)) == expected


@pytest.mark.parametrize(("sd_m", "expected"), [(0.5, 1), (1.2, 0)])
def test_a_place_known_too_badly_is_no_evidence_of_wrong_way(
    crossing: Crossing, sd_m: float, expected: int
) -> None:
    lane, made = next(entry for entry in crossing.lanes if entry.lane == 5), judge(crossing)
    way = along(tuple(reversed(lane.points)), 5.0, 4, 20.0)
    users = [replace(user(7, *place, 5.0), position_sd_m=sd_m) for place in way]
    began = [made.scene(Scene(100.0 + n / 10, n, (here,), ()))[0] for n, here in enumerate(users)]
    assert sum(map(len, began)) == expected


def test_noise_in_heading_of_a_standing_car_is_not_wrong_way(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 2)
    x, y = lane.points[1]
    assert not drive(judge(crossing), [(x, y, 0.0)] * 80, 0.6)


def test_a_car_that_stands_in_an_exit_lane_is_found_after_a_few_seconds_and_let_go(
    crossing: Crossing,
) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 15)
    way = list(along(lane.points, 0.001, 1, 12.0)) * 9
    made = judge(crossing)
    found = drive(made, way, 0.0)
    assert kinds(found) == [HazardKind.STOPPED_VEHICLE]
    assert found[0].onset_s == pytest.approx(100.0 + FOR_S, abs=0.5)
    last_s = 100.0 + 0.1 * (len(way) - 1)
    passing = [made.scene(Scene(last_s + n, 200 + n, (), ()))[1] for n in range(1, int(HIDDEN_S))]
    assert made.active, "traffic that hides it for some seconds ends nothing"
    assert not any(passing)
    ended = [made.scene(Scene(last_s + HIDDEN_S + n, 210 + n, (), ()))[1] for n in (0.5, 1.5)]
    assert [hazard.ended_s for scene in ended for hazard in scene] == [pytest.approx(last_s)]
    assert not made.active


def test_a_queue_spilling_back_is_its_head_alone(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 15)
    spots = [next(along(lane.points, 1.0, 1, at)) for at in (12.0, 18.0, 24.0)]
    queue = [user(20 + i, *spot, 0.0) for i, spot in enumerate(spots[1:])]
    found = drive(judge(crossing), [spots[0]] * 90, 0.0, others=queue)
    assert {hazard.track for hazard in found} == {21}


def test_a_queue_at_red_is_no_stopped_vehicle(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 2)
    x, y = lane.points[-1]
    assert not drive(judge(crossing), [(x, y + 2.5, 180.0)] * 300, 0.0)


def test_somebody_who_steps_onto_the_crosswalk_on_red_is_found(crossing: Crossing) -> None:
    walk = crossing.crosswalks[0]
    way = list(along(walk.axis, 1.5, 12))
    found = drive(judge(crossing), way, 1.5, UserClass.PEDESTRIAN)
    assert kinds(found) == [HazardKind.PEDESTRIAN_ON_RED]
    assert found[0].onset_s < 102.0


def test_finishing_after_the_change_and_waiting_at_the_kerb_are_lawful(crossing: Crossing) -> None:
    walk = crossing.crosswalks[0]
    made = judge(crossing, (walk.group,))
    way = list(along(walk.axis, 1.5, 16))
    made.saw_lamp(walk.group, Colour.GREEN_FLASH, 101.0)
    began = []
    for step, (x, y, heading) in enumerate(way):
        if step == 60:
            made.saw_lamp(walk.group, Colour.RED, 106.0)
        here = user(3, x, y, heading, 1.5, UserClass.PEDESTRIAN)
        began += made.scene(Scene(100 + step / 10, step, (here,), ()))[0]
    assert not began
    (x, y), _ = walk.axis
    assert not drive(judge(crossing), [(x, y, 90.0)] * 100, 0.2, UserClass.PEDESTRIAN)


def test_one_hazard_seen_under_another_track_number_stays_one(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 5)
    made = judge(crossing)
    began = []
    for step, (x, y, heading) in enumerate(along(tuple(reversed(lane.points)), 5.0, 6, 20.0)):
        here = user(7 if step < 30 else 8, x, y, heading, 5.0)
        began += made.scene(Scene(100 + step / 10, step, (here,), ()))[0]
    assert kinds(began) == [HazardKind.WRONG_WAY]


@pytest.mark.parametrize(("jump_m", "expected"), [(0.0, [HazardKind.WRONG_WAY]), (4.0, [])])
def test_a_track_that_jumps_onto_somebody_else_begins_its_evidence_anew(
    crossing: Crossing, jump_m: float, expected: list[HazardKind]
) -> None:
    """Without the jump the same drive is against its lane for long enough."""
    lane = next(entry for entry in crossing.lanes if entry.lane == 5)
    way = list(along(tuple(reversed(lane.points)), 5.0, 1.6, 20.0))
    for step in range(8, len(way)):
        x, y, heading = way[step]
        way[step] = x, y - jump_m, heading
    assert kinds(drive(judge(crossing), way, 5.0)) == expected


def test_a_track_that_came_from_the_lane_beside_did_not_run_that_lanes_light(crossing: Crossing) -> None:
    """Seen on the left lane, which is red, then 3.5 m beside it: it is the through traffic on green."""
    left = next(entry for entry in crossing.lanes if entry.lane == 1)
    way = list(along(route(crossing, 1), 12.0, 12, 40.0))
    end_y = left.points[-1][1]
    beside = [(left.points[-1][0] - 3.5, end_y - 1.2 * n, 180.0) for n in range(1, 12)]
    approach = [place for place in way if place[1] > end_y]
    made = judge(crossing, (1,))
    assert not drive(made, approach + beside, 12.0)


def test_who_rides_over_a_crosswalk_is_nobody_on_foot(crossing: Crossing) -> None:
    walk = crossing.crosswalks[0]
    way = list(along(walk.axis, 4.0, 6))
    assert not drive(judge(crossing), way, 4.0, UserClass.PEDESTRIAN)


def test_a_walker_hidden_for_some_seconds_and_found_again_is_one_hazard(crossing: Crossing) -> None:
    walk, made = crossing.crosswalks[0], judge(crossing)
    began = []
    for step, (x, y, heading) in enumerate(along(walk.axis, 1.5, 11)):
        here = user(3 if step < 25 else 4, x, y, heading, 1.5, UserClass.PEDESTRIAN)
        seen = () if 25 <= step < 65 else (here,)
        began += made.scene(Scene(100 + step / 10, step, seen, ()))[0]
    assert kinds(began) == [HazardKind.PEDESTRIAN_ON_RED]
    assert len(made.active) == 1


@pytest.mark.parametrize(("red_s", "expected"), [(30.0, 1), (3.0, 0)])
def test_who_is_first_seen_on_the_road_is_judged_by_when_they_left_the_kerb(
    crossing: Crossing, red_s: float, expected: int
) -> None:
    walk, made = crossing.crosswalks[0], judge(crossing)
    made.saw_lamp(walk.group, Colour.RED, 100.0 - red_s)
    way = [place for place in along(walk.axis, 1.5, 5) if math.dist(place[:2], walk.axis[0]) > 4.0]
    assert len(drive(made, way, 1.5, UserClass.PEDESTRIAN)) == expected


def test_who_waited_behind_a_hazard_is_none_when_it_drives_on(crossing: Crossing) -> None:
    lane = next(entry for entry in crossing.lanes if entry.lane == 15)
    head, behind = (next(along(lane.points, 1.0, 1, at)) for at in (24.0, 18.0))
    made, began = judge(crossing), []
    for step in range(60 + int(10 * FOR_S) - 2):
        gone = step >= 60
        users = [user(2, *behind, 0.0), *([] if gone else [user(1, *head, 0.0)])]
        began += made.scene(Scene(100 + step / 10, step, tuple(users), ()))[0]
    assert [hazard.track for hazard in began] == [1]


def test_a_standing_walker_that_is_given_a_passing_bicycles_returns_stepped_nowhere(
    crossing: Crossing,
) -> None:
    """Seen on the rig: 0.7 m of drift within 0.8 s, then back to the kerb."""
    walk = crossing.crosswalks[0]
    (ax, ay), (bx, by) = walk.axis
    length = math.dist((ax, ay), (bx, by))
    made, began = judge(crossing), []
    for step in range(60):
        into = 0.2 if not 20 <= step < 28 else 0.9 + 0.1 * (step - 20)
        x, y = ax + (bx - ax) * into / length, ay + (by - ay) * into / length
        here = user(3, x, y, 90.0, 1.5 if into > 0.5 else 0.0, UserClass.PEDESTRIAN)
        began += made.scene(Scene(100 + step / 10, step, (here,), ()))[0]
    assert not began
