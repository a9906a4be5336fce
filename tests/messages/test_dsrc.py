"""SPAT and MAP of Europe and America: mappers, PDU headers, frames, editions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pycrate_asn1dir import ITS_IS

from hil.bench.crossing import site
from rsu_agent.messages.dsrc import codec
from rsu_agent.messages.dsrc.map import map_value, rights_of
from rsu_agent.messages.dsrc.spat import Right, spat_value, unavailable_value
from rsu_agent.messages.dsrc.units import Edition, check_time_marks, step
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.j2735 import frame
from rsu_agent.messages.moment import Instant, utc_stamp
from rsu_agent.wire.uper import Malformed
from rsu_agent.world.signal import Colour, Control, GroupOutlook, SignalOutlook

NOON_S = 1_790_000_000.0 - 1_790_000_000.0 % 3600.0  # a whole hour
RIGHTS = {1: Right.PROTECTED, 2: Right.PERMISSIVE, 9: Right.WALK}


def outlook(*groups: GroupOutlook) -> SignalOutlook:
    return SignalOutlook(100.0, groups, Control.FIXED_TIME, 1, 1)


def spat(group: GroupOutlook, utc_s: float = NOON_S, **more: Any) -> dict[str, Any]:
    return spat_value(outlook(group), RIGHTS, (12, None), 3, Instant(100.0, utc_s), **more)


def event(value: dict[str, Any], group: int) -> dict[str, Any]:
    states = value["intersections"][0]["states"]
    found: dict[str, Any] = next(s for s in states if s["signalGroup"] == group)["state-time-speed"][0]
    return found


@pytest.mark.parametrize(
    ("group", "colour", "state"),
    [
        (1, Colour.GREEN, "protected-Movement-Allowed"),
        (2, Colour.GREEN, "permissive-Movement-Allowed"),
        (9, Colour.GREEN, "protected-Movement-Allowed"),
        (1, Colour.GREEN_FLASH, "protected-Movement-Allowed"),
        (9, Colour.GREEN_FLASH, "protected-clearance"),
        (2, Colour.YELLOW, "permissive-clearance"),
        (1, Colour.RED_FLASH, "stop-Then-Proceed"),
        (1, Colour.DARK, "dark"),
        (1, Colour.UNKNOWN, "unavailable"),
    ],
)
def test_a_colour_becomes_the_state_that_its_right_gives(group: int, colour: Colour, state: str) -> None:
    assert event(spat(GroupOutlook(group, colour, 90.0)), group)["eventState"] == state


def test_times_are_tenths_of_the_utc_hour_and_turn_with_it() -> None:
    group = GroupOutlook(1, Colour.GREEN, 95.0, 110.04, 112.0, 114.01, 0.9, 160.0, 20.0, flash_s=0.0)
    timing = event(spat(group, NOON_S - 5.0), 1)["timing"]
    assert timing == {
        "startTime": 35_900,
        "minEndTime": 50,
        "likelyTime": 70,
        "maxEndTime": 91,
        "nextTime": 550,
    }


def test_a_lower_bound_is_rounded_down_an_upper_one_up_and_dust_is_neither() -> None:
    group = GroupOutlook(1, Colour.RED, None, 100.1, 100.4, 100.4)
    timing = event(spat(group, NOON_S + 0.3), 1)["timing"]
    assert (timing["minEndTime"], timing["likelyTime"], timing["maxEndTime"]) == (4, 7, 7)


def test_an_end_beyond_the_hour_or_in_the_past_is_not_named() -> None:
    far = event(spat(GroupOutlook(1, Colour.RED, None, None, 100.0 + 3700.0)), 1)
    assert "timing" not in far
    late = event(spat(GroupOutlook(1, Colour.RED, None, 99.0, 99.5, 99.7)), 1)["timing"]
    assert (late["minEndTime"], late["likelyTime"], late["maxEndTime"]) == (0, 1, 1)


@pytest.mark.parametrize(("edition", "mark"), [(Edition.J2735_2016, 36_001), (Edition.J2735_2024, 36_111)])
def test_an_unknown_minimum_is_written_as_the_edition_writes_it(edition: Edition, mark: int) -> None:
    value = spat(GroupOutlook(1, Colour.RED, None, None, 120.0), edition=edition)
    assert event(value, 1)["timing"] == {"minEndTime": mark, "likelyTime": 200}


def test_a_vehicles_green_ends_with_its_flash_and_a_pedestrians_before_it() -> None:
    group = GroupOutlook(1, Colour.GREEN, 95.0, 110.0, 112.0, 114.0, flash_s=3.0)
    vehicle = event(spat(group), 1)["timing"]
    assert (vehicle["minEndTime"], vehicle["likelyTime"], vehicle["maxEndTime"]) == (130, 150, 170)
    walk = event(spat(replace(group, group=9)), 9)["timing"]
    assert (walk["minEndTime"], walk["likelyTime"], walk["maxEndTime"]) == (100, 120, 140)


def test_of_a_flash_that_is_not_known_the_least_end_alone_holds() -> None:
    group = GroupOutlook(1, Colour.GREEN, 95.0, 110.0, 112.0, 114.0)
    assert event(spat(group), 1)["timing"] == {"startTime": 35_950, "minEndTime": 100}


def test_a_flashing_green_goes_on_with_the_state_and_has_no_beginning_of_its_own() -> None:
    group = GroupOutlook(1, Colour.GREEN_FLASH, 99.0, 101.0, 102.0, 103.0, next_start_s=150.0)
    assert event(spat(group), 1) == {
        "eventState": "protected-Movement-Allowed",
        "timing": {"minEndTime": 10, "likelyTime": 20, "maxEndTime": 30},
    }


def test_without_a_trusted_clock_there_are_colours_and_no_times_at_all() -> None:
    group = GroupOutlook(1, Colour.GREEN, 95.0, 110.0, 112.0, 114.0)
    value = spat_value(outlook(group), RIGHTS, (12, None), 3, Instant(100.0, None))
    assert event(value, 1) == {"eventState": "protected-Movement-Allowed"}
    assert "timeStamp" not in value
    assert not {"moy", "timeStamp"} & set(value["intersections"][0])


def test_a_group_that_the_guard_holds_back_shows_its_colour_only() -> None:
    group = GroupOutlook(1, Colour.GREEN, 95.0, 110.0, 112.0, 114.0)
    assert "timing" not in event(spat(group, without_times={1}), 1)


def test_the_last_resort_knows_nothing_of_every_group_and_says_so() -> None:
    value = unavailable_value(RIGHTS, (12, None), 3)
    state = value["intersections"][0]
    assert state["status"] == (b"\x00\x04", 16)
    assert [m["state-time-speed"] for m in state["states"]] == [[{"eventState": "unavailable"}]] * 3


def test_a_group_without_a_number_in_the_set_is_refused() -> None:
    with pytest.raises(ValueError, match="lamp group 255"):
        unavailable_value({255: Right.WALK}, (12, None), 3)


def test_pycrate_reads_the_spatem_and_the_mapem_of_the_virtual_crossing() -> None:
    crossing = site().crossing
    rights = rights_of(crossing, frozenset())
    greens = tuple(GroupOutlook(g, Colour.GREEN, 95.0, 110.0, 112.0, 114.0) for g in rights)
    instant, stamp = Instant(100.0, NOON_S), utc_stamp(NOON_S)
    identity = crossing.node, crossing.region
    messages = {
        "SPATEM": {"spat": spat_value(outlook(*greens), rights, identity, 1, instant)},
        "MAPEM": {"map": map_value(crossing, stamp, 1, region=crossing.region)},
    }
    referees = {
        "SPATEM": ITS_IS.SPATEM_PDU_Descriptions.SPATEM,
        "MAPEM": ITS_IS.MAPEM_PDU_Descriptions.MAPEM,
    }
    for name, value in messages.items():
        raw = pdu.encode((name, {"header": pdu.header(name, 123_456), **value}))
        referees[name].from_uper(raw)
        assert referees[name].to_uper() == raw
        assert pdu.decode(raw) == (name, {"header": pdu.header(name, 123_456), **value})


def test_a_waiting_area_is_a_lane_of_its_own_in_the_mapem() -> None:
    crossing = site().crossing
    lanes = {
        lane["laneID"]: lane
        for lane in map_value(crossing, None, 1, region=None)["intersections"][0]["laneSet"]
    }
    ways = {way["connectingLane"]["lane"]: way["signalGroup"] for way in lanes[21]["connectsTo"]}
    assert ways.pop(150) == 12
    assert [way["signalGroup"] for way in lanes[150]["connectsTo"]] == list(ways.values()) == [7]
    assert rights_of(crossing, frozenset({12}))[12] is Right.PROTECTED


def test_every_signalled_connection_of_the_map_has_its_movement_in_the_spat() -> None:
    crossing = site().crossing
    lanes = map_value(crossing, None, 1, region=None)["intersections"][0]["laneSet"]
    named = {
        way["signalGroup"] for lane in lanes for way in lane.get("connectsTo", []) if "signalGroup" in way
    }
    assert named == set(rights_of(crossing, frozenset()))


def test_lanes_go_outward_and_no_rounding_adds_up() -> None:
    crossing = site().crossing
    lanes = map_value(crossing, None, 1, region=None)["intersections"][0]["laneSet"]
    for lane in crossing.lanes:
        said = next(one for one in lanes if one["laneID"] == lane.lane)
        ends = lane.points[::-1] if lane.role == "entry" else lane.points
        deltas = [node["delta"][1] for node in said["nodeList"][1]]
        assert (deltas[0]["x"], deltas[0]["y"]) == (round(ends[0][0] * 100), round(ends[0][1] * 100))
        far = sum(d["x"] for d in deltas), sum(d["y"] for d in deltas)
        assert far == (round(ends[-1][0] * 100), round(ends[-1][1] * 100))


def test_nodes_take_the_smallest_form_and_refuse_what_none_holds() -> None:
    assert step(511, -512) == ("node-XY1", {"x": 511, "y": -512})
    assert step(512, 0)[0] == "node-XY2"
    assert step(0, 32_767)[0] == "node-XY6"
    with pytest.raises(ValueError, match="at most 327 m"):
        step(40_000, 0)


def test_a_frame_of_america_is_id_length_and_message() -> None:
    value = spat(GroupOutlook(1, Colour.GREEN, 95.0, 110.0, 112.0, 114.0))
    raw = frame.encode(("SPAT", value), Edition.J2735_2016)
    body = codec.encode(value, "SPAT")
    assert raw == bytes([0x00, 0x13, len(body)]) + body
    assert frame.decode(raw) == ("SPAT", value)
    assert frame.decode(bytes([0, 0x14, 2, 1, 2])) == ("id:20", b"\x01\x02")
    assert frame.encode(("id:20", b"\x01\x02"), Edition.J2735_2016) == bytes([0, 0x14, 2, 1, 2])


def test_a_mark_of_a_later_edition_is_read_and_named_but_not_written() -> None:
    value = spat(GroupOutlook(1, Colour.RED, None, None, 120.0), edition=Edition.J2735_2020)
    raw = frame.encode(("SPAT", value), Edition.J2735_2020)
    assert frame.decode(raw) == ("SPAT", value)
    with pytest.raises(Malformed, match=r"states\[0\].*timing\.minEndTime: 36111 not in"):
        check_time_marks(value, Edition.J2735_2016)
    with pytest.raises(Malformed, match="edition 2016"):
        frame.encode(("SPAT", value), Edition.J2735_2016)


@pytest.mark.parametrize("raw", ["", "0013", "00130500", "80000100", "0013c100"])
def test_a_frame_that_is_none_is_a_typed_error(raw: str) -> None:
    with pytest.raises(Malformed):
        frame.decode(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", ["", "020400000001", "0263000000010000"])
def test_a_pdu_that_is_none_is_a_typed_error(raw: str) -> None:
    with pytest.raises(Malformed):
        pdu.decode(bytes.fromhex(raw))
