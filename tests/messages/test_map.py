"""MAP of the virtual crossing: one node, every lane kind, phases joined, receivers' limits held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.map import MapTooLarge, map_value
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.moment import utc_stamp
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import SiteRead, read_site


@pytest.fixture(scope="module")
def site() -> SiteRead:
    return read_site(asset("config/virtual.yaml"))


@pytest.fixture(scope="module")
def node(site: SiteRead) -> dict:
    table = PhaseTable(site.settings.signals.phases, site.settings.signals.lamps.arrow)
    value = map_value(site.crossing, table, utc_stamp(1.79e9), 3, region=0)
    read = codec.decode(codec.encode(("mapFrame", value)))[1]
    (only,) = read["nodes"]
    return only


def test_the_node_is_whole_and_has_a_link_for_every_arm(node: dict) -> None:
    assert node["id"] == {"region": 0, "id": 12}
    assert len(node["inLinks"]) == 4
    for link in node["inLinks"]:
        assert link["linkWidth"] > 0
        assert len(link["points"]) >= 2


def test_lanes_of_every_kind_are_there_with_widths_and_speeds(node: dict) -> None:
    kinds = [lane["laneAttributes"]["laneType"][0] for link in node["inLinks"] for lane in link["lanes"]]
    assert kinds.count("vehicle") == 13, "one of them is a waiting area"
    assert kinds.count("bikeLane") == 4
    assert kinds.count("crosswalk") == 4
    car = node["inLinks"][0]["lanes"][0]
    assert car["laneWidth"] == 350
    assert car["speedLimits"][0]["speed"] == round(50 / 3.6 / 0.02)


def test_connections_carry_the_phase_of_their_group(site: SiteRead, node: dict) -> None:
    by_lane = {lane["laneID"]: lane for link in node["inLinks"] for lane in link["lanes"]}
    left, through, right = by_lane[1], by_lane[2], by_lane[3]
    assert [c["phaseId"] for c in left["connectsTo"]] == [3]
    assert [c["phaseId"] for c in through["connectsTo"]] == [1]
    assert [c["phaseId"] for c in right["connectsTo"]] == [5]
    assert by_lane[201]["connectsTo"][0]["phaseId"] == 241


def test_a_waiting_area_is_entered_by_its_own_phase_and_left_by_the_phase_of_the_turn(node: dict) -> None:
    by_lane = {lane["laneID"]: lane for link in node["inLinks"] for lane in link["lanes"]}
    through_the_box, into_the_area = by_lane[21]["connectsTo"]
    assert into_the_area == {
        "remoteIntersection": {"region": 0, "id": 12},
        "connectingLane": {"lane": 150, "maneuver": (b"\x40\x00", 12)},
        "phaseId": 101,
    }
    area = by_lane[150]
    assert area["connectsTo"] == [through_the_box]
    assert through_the_box["phaseId"] == 3
    assert area["points"][0] == by_lane[21]["points"][-1], "it begins at the stop line"


def test_the_uncontrolled_slip_has_no_phase_and_yields(node: dict) -> None:
    slip = next(lane for link in node["inLinks"] for lane in link["lanes"] if lane["laneID"] == 33)
    assert "phaseId" not in slip["connectsTo"][0]
    bits, _ = slip["maneuvers"]
    assert int.from_bytes(bits, "big") >> 4 & 1 << (11 - 8), "yieldAllwaysRequired is bit 8 of 12"


def test_more_than_receivers_hold_is_refused_with_the_numbers(site: SiteRead) -> None:
    table = PhaseTable(site.settings.signals.phases)
    lane = site.crossing.lanes[0]
    crowd = tuple(replace(lane, lane=100 + n) for n in range(20))
    with pytest.raises(MapTooLarge, match="arm N: 25 lanes, receivers hold 16"):
        map_value(replace(site.crossing, lanes=site.crossing.lanes + crowd), table, None, 0, region=0)
