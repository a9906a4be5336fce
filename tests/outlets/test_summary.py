"""Records for the district: counts at the stop line, queues, hazards, the phase log, health."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.outlets.summary import QUEUE_US, Summary
from rsu_agent.outlets.summary_queue import LONGEST_GAP_M
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, Lane, LaneRole
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.place import line_heading_deg
from rsu_agent.world.road_user import RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Lamp

VIRTUAL = Path(__file__).parents[2] / "config" / "crossings" / "virtual.geojson"
OFFSET_S = 1_790_000_040.0 - 1000.0  # monotonic 1000 s is the start of a whole minute of UTC
START_S = 1000.0
TICK_S = 0.1
PAST_M = 12.0  # so far beyond the line a user is followed here
HALF_M = 2.25  # of a car: its front is so far ahead of its middle

Place = tuple[float, float, float]  # metres east and north, heading


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return read_crossing(VIRTUAL)


def lane_of(crossing: Crossing, arm: str, place: int) -> Lane:
    lanes = [lane for lane in crossing.lanes if lane.arm == arm and lane.role is LaneRole.ENTRY]
    return lanes[place]


def at(lane: Lane, before_m: float, beside_m: float = 0.0) -> Place:
    """A place so far before the stop line, by the last two points of the lane, headed along it."""
    (x0, y0), (x1, y1) = lane.points[-2:]
    length = math.hypot(x1 - x0, y1 - y0)
    ex, ey = (x1 - x0) / length, (y1 - y0) / length
    heading = line_heading_deg(lane.points[-2:])
    return x1 - ex * before_m + ey * beside_m, y1 - ey * before_m - ex * beside_m, heading


def user(
    track: int,
    place: Place,
    speed_mps: float = 10.0,
    kind: UserClass = UserClass.CAR,
    length_m: float = 4.5,
) -> RoadUser:
    x, y, heading = place
    angle = math.radians(heading)
    velocity = math.sin(angle) * speed_mps, math.cos(angle) * speed_mps
    body = length_m, 1.8, 1.5, 0.3
    return RoadUser(track, kind, x, y, *velocity, speed_mps, heading, *body, ("camera",), START_S)


def scene(at_s: float, users: Iterable[RoadUser], covers: tuple[str, ...] = ("N", "E", "S", "W")) -> Scene:
    return Scene(
        at_s, round(at_s / TICK_S), tuple(users), (SensorHealth("camera", True, "ok", 0.05, covers),)
    )


def run_minute(
    summary: Summary, users_at: Any, seconds: float = 60.0, covers: tuple[str, ...] = ("N", "E", "S", "W")
) -> list[dict[str, Any]]:
    """Scenes at 10 Hz from START_S for so long, then one that ends the minute."""
    records: list[dict[str, Any]] = []
    for tick in range(round(seconds / TICK_S)):
        t = tick * TICK_S
        records += summary.scene(scene(START_S + t, users_at(t), covers), OFFSET_S)
    return records + summary.scene(scene(START_S + 60.0, [], covers), OFFSET_S)


def of_kind(records: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in records if record["k"] == kind]


def flows(records: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {record["ln"]: record for record in of_kind(records, "flow")}


def test_a_car_that_passes_the_stop_line_is_counted_once_in_its_lane_and_minute(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)
    records = run_minute(
        Summary(crossing, START_S),
        lambda t: [user(1, at(lane, 40.0 - 10.0 * t))] if 40.0 - 10.0 * t > -60 else [],
    )
    flow = flows(records)
    assert flow[lane.lane]["n"] == {"car": 1}
    assert flow[lane.lane]["v"] == 10.0
    assert sum(record["n"].get("car", 0) for record in flow.values()) == 1
    assert flow[lane.lane]["t"] == round((START_S + OFFSET_S) * 1e6)
    assert flow[lane.lane]["d"] == pytest.approx(59.9, abs=0.5)


def test_every_class_is_counted_apart_and_pedestrians_are_not_traffic(crossing: Crossing) -> None:
    lane = lane_of(crossing, "E", 0)
    kinds = [UserClass.CAR, UserClass.BUS, UserClass.TRICYCLE, UserClass.PEDESTRIAN]

    def users_at(t: float) -> list[RoadUser]:
        return [
            user(n, at(lane, 30.0 + 10.0 * n - 5.0 * t), 5.0, kind)
            for n, kind in enumerate(kinds)
            if 30.0 + 10.0 * n - 5.0 * t > -PAST_M
        ]

    flow = flows(run_minute(Summary(crossing, START_S), users_at))
    assert flow[lane.lane]["n"] == {"bus": 1, "car": 1, "tricycle": 1}


def test_a_car_that_stops_on_the_line_and_trembles_is_counted_once(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 0)

    def users_at(t: float) -> list[RoadUser]:
        before_m = max(20.0 - 5.0 * t, 0.3 * math.sin(7.0 * t))
        return [user(1, at(lane, before_m), 0.0 if t > 4 else 5.0)]

    assert flows(run_minute(Summary(crossing, START_S), users_at))[lane.lane]["n"] == {"car": 1}


def test_a_car_that_changes_lanes_at_the_line_is_counted_where_it_passes(crossing: Crossing) -> None:
    one, two = lane_of(crossing, "N", 0), lane_of(crossing, "N", 1)

    def users_at(t: float) -> list[RoadUser]:
        before_m = 20.0 - 10.0 * t
        return [user(1, at(one if before_m > HALF_M + 0.4 else two, before_m))] if before_m > -PAST_M else []

    flow = flows(run_minute(Summary(crossing, START_S), users_at))
    assert flow[one.lane]["n"] == {}
    assert flow[two.lane]["n"] == {"car": 1}


def test_traffic_of_the_other_street_inside_the_crossing_is_not_counted(crossing: Crossing) -> None:
    y = at(lane_of(crossing, "N", 0), -6.0)[1]  # across the box, past the line of the north arm
    summary = Summary(crossing, START_S)
    flow = flows(run_minute(summary, lambda t: [user(1, (40.0 - 10.0 * t, y, 270.0))] if t < 8 else []))
    assert sum(sum(record["n"].values()) for record in flow.values()) == 0


def test_a_wrong_way_car_that_leaves_over_an_entry_lane_is_not_counted(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 0)
    summary = Summary(crossing, START_S)

    def users_at(t: float) -> list[RoadUser]:
        x, y, heading = at(lane, -10.0 + 8.0 * t)
        return [user(1, (x, y, heading + 180.0))] if t < 8 else []

    flow = flows(run_minute(summary, users_at))
    assert flow[lane.lane]["n"] == {}


def test_a_lane_that_no_healthy_sensor_watches_has_no_count_rather_than_zero(crossing: Crossing) -> None:
    records = run_minute(Summary(crossing, START_S), lambda t: [], covers=("N",))
    arms = {lane.lane: lane.arm for lane in crossing.lanes}
    assert {arms[lane] for lane in flows(records)} == {"N"}


def test_a_minute_seen_by_half_says_so(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 0)
    flow = flows(run_minute(Summary(crossing, START_S), lambda t: [], seconds=30.0))
    assert flow[lane.lane]["d"] == pytest.approx(29.9, abs=0.1)


def test_occupancy_is_the_share_of_time_that_the_last_two_metres_are_covered(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 2)

    def users_at(t: float) -> list[RoadUser]:
        return [user(1, at(lane, 3.0), 0.0)] if t < 15.0 else []

    assert flows(run_minute(Summary(crossing, START_S), users_at))[lane.lane]["o"] == pytest.approx(
        0.25, abs=0.01
    )


def test_a_queue_is_as_long_as_its_farthest_standing_body_without_a_gap(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)
    standing = [user(n, at(lane, 3.0 + 7.0 * n), 0.2) for n in range(5)]
    parked_far_away = user(9, at(lane, 70.0), 0.0)
    arriving = user(10, at(lane, 45.0), 9.0)
    records = run_minute(Summary(crossing, START_S), lambda t: [*standing, parked_far_away, arriving])
    queue = [record for record in of_kind(records, "queue") if record["ln"] == lane.lane]
    assert [(record["n"], record["m"]) for record in queue] == [(5, pytest.approx(33.2, abs=0.1))] * 2
    assert queue[0]["t"] == round((START_S + OFFSET_S) * 1e6)
    assert queue[0]["d"] == QUEUE_US / 1e6


def test_a_queue_that_has_gone_is_told_once(crossing: Crossing) -> None:
    lane, summary, told = lane_of(crossing, "N", 1), Summary(crossing, START_S), []
    for tick in range(1250):
        t = tick * TICK_S
        users = [user(1, at(lane, 3.0), 0.0)] if t < 20 else []
        told += of_kind(summary.scene(scene(START_S + t, users), OFFSET_S), "queue")
    assert [(record["ln"], record["n"]) for record in told] == [(lane.lane, 1), (lane.lane, 0)]


def test_two_tracks_with_one_number_are_one_user(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)
    records = run_minute(Summary(crossing, START_S), lambda t: [user(1, at(lane, 3.0), 0.0)] * 2)
    assert {record["n"] for record in of_kind(records, "queue")} == {1}


def test_a_minute_ends_though_the_senses_have_died(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    for tick in range(100):
        summary.scene(scene(START_S + tick * TICK_S, []), OFFSET_S)
    assert flows(summary.beat(START_S + 61.0, OFFSET_S))


def test_a_scene_a_little_late_does_not_open_the_old_minute_again(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    for tick in range(595):
        summary.scene(scene(START_S + tick * TICK_S, []), OFFSET_S)
    first = summary.beat(START_S + 60.05, OFFSET_S)
    assert flows(first)
    assert not summary.scene(scene(START_S + 59.9, []), OFFSET_S)
    assert not of_kind(summary.beat(START_S + 60.1, OFFSET_S), "flow")


def test_a_step_of_the_clock_ends_the_minute_early(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    summary.scene(scene(START_S, []), OFFSET_S)
    summary.scene(scene(START_S + 0.1, []), OFFSET_S)
    stepped = summary.scene(scene(START_S + 0.2, []), OFFSET_S - 28_800.0)
    assert {record["t"] for record in of_kind(stepped, "flow")} == {round((START_S + OFFSET_S) * 1e6)}


def hazard(ended_s: float | None = None, **changes: Any) -> Hazard:
    values: dict[str, Any] = {
        "number": 1,
        "kind": HazardKind.WRONG_WAY,
        "onset_s": 1002.5,
        "ended_s": ended_s,
        "x_east_m": 5.0,
        "y_north_m": 40.0,
        "track": 17,
        "lane": 5,
        "heading_deg": 181.26,
        "evidence": "against lane 5 for 1.2 s",
    }
    return Hazard(**(values | changes))


def test_a_hazard_is_told_at_its_onset_and_at_its_end_and_not_between(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    on = summary.hazard(hazard(), OFFSET_S)
    assert summary.hazard(hazard(y_north_m=30.0), OFFSET_S) == []
    off = summary.hazard(hazard(ended_s=1009.0, y_north_m=10.0), OFFSET_S + 0.5)  # the clock was slewed
    assert summary.hazard(hazard(ended_s=1009.0), OFFSET_S) == []
    assert [record["s"] for record in on + off] == ["on", "off"]
    assert on[0]["i"] == off[0]["i"]
    assert on[0]["t"] == off[0]["t"] == round((1002.5 + OFFSET_S) * 1e6)
    assert off[0]["te"] == round((1009.0 + OFFSET_S + 0.5) * 1e6)
    assert "te" not in on[0]
    assert on[0]["lat"] - crossing.origin.lat_deg == pytest.approx(40.0 / 110_700, rel=0.01)


def test_a_hazard_first_told_when_it_is_over_gives_both_records(crossing: Crossing) -> None:
    records = Summary(crossing, START_S).hazard(hazard(ended_s=1003.0), OFFSET_S)
    assert [record["s"] for record in records] == ["on", "off"]


def test_equal_numbers_of_two_runs_are_two_hazards(crossing: Crossing) -> None:
    one = Summary(crossing, START_S).hazard(hazard(), OFFSET_S)
    two = Summary(crossing, START_S).hazard(hazard(onset_s=1500.0), OFFSET_S)
    assert one[0]["i"] != two[0]["i"]


def test_a_change_of_colour_carries_group_colour_and_utc(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    assert summary.changed(7, Colour.GREEN_FLASH, 1_790_000_000_000_000) == [
        {"k": "phase", "t": 1_790_000_000_000_000, "g": 7, "c": "green_flash"}
    ]
    assert summary.changed(7, Colour.DARK, 1, "controller")[0]["src"] == "controller"


def test_a_device_is_told_when_it_changes_and_once_a_minute(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    well = DeviceHealth("radar", DeviceState.OK, "ok", 1000.0)
    lost = DeviceHealth("radar", DeviceState.LOST, "missing", 1010.0)
    assert [r["s"] for r in summary.device(well, 1) + summary.device(well, 2) + summary.device(lost, 3)] == [
        "ok",
        "lost",
    ]
    assert of_kind(summary.beat(START_S + 59.0, OFFSET_S), "health") == []
    again = of_kind(summary.beat(START_S + 60.0, OFFSET_S), "health")
    assert [(record["d"], record["s"], record["w"]) for record in again] == [("radar", "lost", "missing")]


def test_the_heart_beats_every_ten_seconds(crossing: Crossing) -> None:
    summary = Summary(crossing, START_S)
    summary.device(DeviceHealth("camera", DeviceState.OK, "ok", 1000.0), 1)
    beats = [
        record for second in range(31) for record in of_kind(summary.beat(START_S + second, OFFSET_S), "hb")
    ]
    assert [record["up"] for record in beats] == [0, 10, 20, 30]
    assert beats[0]["ok"] == 1


def test_a_longer_gap_than_between_queueing_bodies_ends_the_queue(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)
    far_m = 3.0 + 2 * HALF_M + LONGEST_GAP_M
    for apart_m, count in ((-0.1, 2), (0.1, 1)):
        standing = [user(1, at(lane, 3.0), 0.0), user(2, at(lane, far_m + apart_m), 0.0)]
        records = run_minute(Summary(crossing, START_S), lambda _t, them=standing: them)
        assert {record["n"] for record in of_kind(records, "queue")} == {count}


def test_headways_are_between_the_fronts_that_pass_one_after_the_other(crossing: Crossing) -> None:
    lane, starts = lane_of(crossing, "N", 1), (40.0, 60.0, 95.0)

    def users_at(t: float) -> list[RoadUser]:
        places = [(n, start_m - 10.0 * t) for n, start_m in enumerate(starts)]
        return [user(n, at(lane, before_m)) for n, before_m in places if -60.0 < before_m < 75.0]

    flow = flows(run_minute(Summary(crossing, START_S), users_at))[lane.lane]
    assert (flow["h"], flow["hm"]) == (pytest.approx(2.75, abs=0.01), pytest.approx(2.0, abs=0.01))


def test_no_headway_is_reckoned_over_time_that_nobody_watched(crossing: Crossing) -> None:
    lane, summary = lane_of(crossing, "N", 1), Summary(crossing, START_S)
    records: list[dict[str, Any]] = []
    for tick in range(600):
        t = tick * TICK_S
        users = [
            user(n, at(lane, m - 10.0 * t)) for n, m in enumerate((40.0, 240.0)) if abs(m - 10.0 * t) < 70
        ]
        records += summary.scene(scene(START_S + t, users, () if 10.0 < t < 11.0 else ("N",)), OFFSET_S)
    flow = flows(records + summary.scene(scene(START_S + 60.0, []), OFFSET_S))[lane.lane]
    assert (flow["n"], flow["h"], flow["hm"]) == ({"car": 2}, None, None)


def stop_and_go(t: float) -> float:
    """Where somebody is who drives at 10 m/s, stands from 5 to 25 s with its front 4 m before the line."""
    return 56.25 - 10.0 * min(t, 5.0) - 10.0 * max(0.0, t - 25.0)


def test_delay_and_stops_of_who_was_seen_from_the_approach_on(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)

    def users_at(t: float) -> list[RoadUser]:
        before_m = stop_and_go(t)
        return [user(1, at(lane, before_m), 0.0 if 5.0 <= t < 25.0 else 10.0)] if before_m > -60 else []

    flow = flows(run_minute(Summary(crossing, START_S), users_at))[lane.lane]
    free_s = 54.0 / (
        0.8 * lane.speed_limit_mps
    )  # who is never faster than 10 m/s here has somebody in its way
    assert flow["dl"] == pytest.approx(25.4 - free_s, abs=0.02)
    assert flow["df"] == pytest.approx(54.0, abs=0.1)
    assert (flow["dn"], flow["du"], flow["st"], flow["ss"]) == (1, 0, 1.0, 1.0)


def test_delay_that_began_before_the_track_did_is_counted_and_left_out(crossing: Crossing) -> None:
    lane = lane_of(crossing, "N", 1)

    def users_at(t: float) -> list[RoadUser]:
        before_m = stop_and_go(t + 3.0)  # it is first seen 26 m before the line
        return [user(1, at(lane, before_m), 0.0 if 2.0 <= t < 22.0 else 10.0)] if before_m > -60 else []

    flow = flows(run_minute(Summary(crossing, START_S), users_at))[lane.lane]
    assert (flow["n"], flow["dl"], flow["dn"], flow["du"], flow["ss"]) == ({"car": 1}, None, 0, 1, None)


def test_the_queue_at_the_beginning_of_green_is_told_beside_the_longest(crossing: Crossing) -> None:
    lane, summary = lane_of(crossing, "N", 1), Summary(crossing, START_S)
    group, records = lane.connections[0].group, []
    assert group is not None
    for tick in range(301):
        t = tick * TICK_S
        summary.lamps([Lamp(group, Colour.GREEN if t >= 10.0 else Colour.RED)], START_S + t)
        standing = 2 if t < 12.0 else 3
        users = [user(n, at(lane, 3.0 + 7.0 * n), 0.0) for n in range(standing)]
        records += summary.scene(scene(START_S + t, users), OFFSET_S)
    queue = next(record for record in of_kind(records, "queue") if record["ln"] == lane.lane)
    assert (queue["n"], queue["gn"]) == (3, 2)
    assert queue["gm"] == pytest.approx(3.0 + 7.0 + HALF_M, abs=0.06)
    assert queue["w"] == pytest.approx(30.0, abs=0.2)


def test_a_lane_that_nobody_watches_has_no_queue_rather_than_none(crossing: Crossing) -> None:
    lane, summary, told = lane_of(crossing, "N", 1), Summary(crossing, START_S), []
    for tick in range(1250):
        t = tick * TICK_S
        covers, users = (("N",), [user(1, at(lane, 3.0), 0.0)]) if t < 30 else ((), [])
        told += of_kind(summary.scene(scene(START_S + t, users, covers), OFFSET_S), "queue")
    assert [record["n"] for record in told] == [1]


def test_ways_that_ended_are_told_by_movement_and_by_right(crossing: Crossing) -> None:
    """Straight on from lane 2 of the north arm, on the green of group 1; and one whose light nobody told."""
    summary, records = Summary(crossing, START_S), []
    entry, leave = (next(lane for lane in crossing.lanes if lane.lane == number) for number in (2, 26))
    far_m = entry.points[-1][1] - leave.points[0][1]

    def place(t: float) -> Place:
        past_m = 10.0 * t - 40.0
        x = entry.points[-1][0] + (leave.points[0][0] - entry.points[-1][0]) * min(
            1.0, max(0.0, past_m / far_m)
        )
        return x, entry.points[-1][1] - past_m, 180.0

    for tick in range(600):
        t = tick * TICK_S
        if t < 30.0:
            summary.lamps([Lamp(1, Colour.GREEN)], START_S + t)
        users = [user(n, place(t - at_s)) for n, at_s in ((1, 0.0), (2, 40.0)) if 0.0 <= t - at_s < 14.0]
        records += summary.scene(scene(START_S + t, users), OFFSET_S)
    flow = flows(records + summary.scene(scene(START_S + 60.0, []), OFFSET_S))[2]
    assert (flow["n"], flow["mv"]) == ({"car": 2}, {"through": 2})
    assert flow["rt"] == {"go": 1, "unknown": 1}


def test_people_over_a_crosswalk_are_told_in_a_record_of_its_own(crossing: Crossing) -> None:
    (ax, ay), (bx, by) = crossing.crosswalks[0].axis
    length_m = math.dist((ax, ay), (bx, by))

    def users_at(t: float) -> list[RoadUser]:
        part = (1.5 * t - 3.0) / length_m
        place = ax + (bx - ax) * part, ay + (by - ay) * part, 270.0
        return [user(1, place, 1.5, UserClass.PEDESTRIAN, 0.5)] if part < 1.2 else []

    records = of_kind(run_minute(Summary(crossing, START_S), users_at), "walk")
    assert [record["cw"] for record in records] == [walk.crosswalk for walk in crossing.crosswalks]
    assert [record["n"] for record in records] == [{"pedestrian": 1}, {}, {}, {}]
    assert records[0]["rt"] == {"unknown": 1}
    unwatched = run_minute(Summary(crossing, START_S), users_at, covers=("E",))
    assert [record["cw"] for record in of_kind(unwatched, "walk")] == [2]
