"""Crossings drafted from OpenStreetMap and SUMO: lanes where they are, turns as tagged or by custom."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyproj
import pytest

from rsu_agent.messages.lint.finding import Severity, Subject
from rsu_agent.messages.lint.rules import findings
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.settings.drafting.draft import CannotDraft, Draft, document
from rsu_agent.settings.drafting.osm import draft_osm
from rsu_agent.settings.drafting.osm_tags import road_of, turns_of
from rsu_agent.settings.drafting.sumo import draft_sumo
from rsu_agent.world.crossing import Crossing, Lane, LaneRole, LaneUse, Turn
from rsu_agent.world.place import GeoPoint, LocalFrame
from tests.settings import maps

AT = GeoPoint(maps.LAT, maps.LON)


def read_back(draft: Draft, folder: Path) -> Crossing:
    path = folder / "drafted.geojson"
    path.write_text(json.dumps(document(draft)))
    return read_crossing(path)


def lanes_of(crossing: Crossing, arm: str, role: LaneRole, use: LaneUse = LaneUse.MOTOR) -> list[Lane]:
    return [lane for lane in crossing.lanes if (lane.arm, lane.role, lane.use) == (arm, role, use)]


def errors(crossing: Crossing) -> list[str]:
    return [f"{f.feature}: {f.text}" for f in findings(Subject(crossing)) if f.severity is Severity.ERROR]


def test_a_crossing_of_plain_roads_has_its_lanes_turns_walks_and_bicycles(tmp_path: Path) -> None:
    near = LocalFrame(AT).to_geo(12.0, -9.0)
    crossing = read_back(draft_osm(maps.four_arms(tmp_path / "a.osm"), near), tmp_path)
    assert errors(crossing) == []
    assert {arm.arm for arm in crossing.arms} == {"N", "E", "S", "W"}
    assert math.dist(LocalFrame(AT).to_local(crossing.origin), (0, 0)) < 1.0
    counts = {
        arm: (len(lanes_of(crossing, arm, LaneRole.ENTRY)), len(lanes_of(crossing, arm, LaneRole.EXIT)))
        for arm in "NESW"
    }
    assert counts == {"N": (3, 3), "E": (1, 1), "S": (3, 3), "W": (2, 2)}
    assert len(lanes_of(crossing, "N", LaneRole.ENTRY, LaneUse.BICYCLE)) == 1
    assert {walk.arm for walk in crossing.crosswalks} == {"N", "E", "W"}
    inner, middle, outer = lanes_of(crossing, "N", LaneRole.ENTRY)
    assert [{way.turn for way in lane.connections} for lane in (inner, middle, outer)] == [
        {Turn.LEFT},
        {Turn.THROUGH},
        {Turn.THROUGH, Turn.RIGHT},
    ]
    assert inner.points[-1][0] > outer.points[-1][0], "coming from the north the right is in the west"
    assert inner.speed_limit_mps == pytest.approx(60 / 3.6)
    assert lanes_of(crossing, "W", LaneRole.ENTRY)[0].speed_limit_mps == pytest.approx(
        25 * 1.609344 / 3.6, abs=0.02
    )


def test_the_halves_of_a_divided_road_become_one_arm(tmp_path: Path) -> None:
    crossing = read_back(draft_osm(maps.divided(tmp_path / "a.osm"), AT), tmp_path)
    assert errors(crossing) == []
    assert {arm.arm for arm in crossing.arms} == {"N", "E", "S", "W"}
    west_in = [lane.points[-1] for lane in lanes_of(crossing, "W", LaneRole.ENTRY)]
    west_out = [lane.points[0] for lane in lanes_of(crossing, "W", LaneRole.EXIT)]
    assert [round(y, 1) for _, y in west_in] == pytest.approx([-6.4, -9.6], abs=0.2)
    assert [round(y, 1) for _, y in west_out] == pytest.approx([6.4, 9.6], abs=0.2)


def test_a_place_without_a_crossing_and_a_file_that_is_no_map_say_so(tmp_path: Path) -> None:
    path = maps.four_arms(tmp_path / "a.osm")
    with pytest.raises(CannotDraft, match="no roads meet within 100 m"):
        draft_osm(path, GeoPoint(maps.LAT + 0.002, maps.LON))
    for text in ("", "<osm>", "no map at all"):
        (tmp_path / "b.osm").write_text(text)
        with pytest.raises(CannotDraft):
            draft_osm(tmp_path / "b.osm", AT)


def test_a_junction_of_a_sumo_network(tmp_path: Path) -> None:
    draft = draft_sumo(maps.sumo(tmp_path / "a.net.xml"), "J", AT)
    crossing = read_back(draft, tmp_path)
    assert errors(crossing) == []
    assert {arm.arm for arm in crossing.arms} == {"N", "E", "S"}
    assert len(crossing.lanes) == 9
    inner, outer = lanes_of(crossing, "N", LaneRole.ENTRY)
    assert {way.turn for way in inner.connections} == {Turn.LEFT, Turn.U_TURN}
    assert [way.turn for way in outer.connections] == [Turn.THROUGH]
    assert inner.points[-1] == pytest.approx((-1.6, 12.0), abs=0.01)
    (walk,) = crossing.crosswalks
    assert walk.arm == "E"
    assert walk.axis[0] == pytest.approx((10.0, 6.0), abs=0.01)
    assert walk.axis[1] == pytest.approx((10.0, -6.0), abs=0.01)


def test_a_network_with_a_projection_is_where_the_projection_puts_it(tmp_path: Path) -> None:
    utm = "+proj=utm +zone=50 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
    east, north = pyproj.Proj(utm)(maps.LON, maps.LAT)
    path = maps.sumo(tmp_path / "a.net.xml", utm, (500.0 - east, 300.0 - north))
    crossing = read_back(draft_sumo(path, "J", None), tmp_path)
    assert errors(crossing) == []
    assert math.dist(LocalFrame(AT).to_local(crossing.origin), (0, 0)) < 0.05
    inner = lanes_of(crossing, "N", LaneRole.ENTRY)[0]
    (x0, y0), (x1, y1) = inner.points[0], inner.points[-1]
    assert math.hypot(x1 - x0, y1 - y0) == pytest.approx(188.0, rel=1e-3), "of UTM's scale, 0.9996 and more"
    convergence_deg = math.degrees(math.atan2(x0 - x1, y0 - y1))
    assert abs(convergence_deg) == pytest.approx(1.03, abs=0.1), "grid north is not north"


def test_an_unknown_junction_names_those_with_lights_and_a_bare_network_wants_a_place(tmp_path: Path) -> None:
    path = maps.sumo(tmp_path / "a.net.xml")
    with pytest.raises(CannotDraft, match="with traffic lights: J"):
        draft_sumo(path, "X", AT)
    with pytest.raises(CannotDraft, match="--at LAT,LON"):
        draft_sumo(path, "J", None)
    (tmp_path / "b.net.xml").write_text("<net><edge")
    with pytest.raises(CannotDraft, match="no SUMO network"):
        draft_sumo(tmp_path / "b.net.xml", "J", AT)


@pytest.mark.parametrize(
    ("tags", "lanes"),
    [
        ({}, (1, 1)),
        ({"lanes": "3"}, (2, 1)),
        ({"lanes": "4", "oneway": "yes"}, (4, 0)),
        ({"oneway": "-1", "lanes": "2"}, (0, 2)),
        ({"lanes:forward": "3", "lanes:backward": "2"}, (3, 2)),
        ({"lanes": "many"}, (1, 1)),
        ({"lanes": "99"}, (1, 1)),
    ],
)
def test_lanes_are_counted_as_tagged_else_by_custom(tags: dict[str, str], lanes: tuple[int, int]) -> None:
    road = road_of({"highway": "primary", **tags})
    assert road is not None
    assert (road.forward, road.backward) == lanes


def test_turn_lanes_are_read_from_the_middle_outward_and_only_when_they_fit() -> None:
    road = road_of(
        {"highway": "primary", "oneway": "yes", "lanes": "3", "turn:lanes": "left|through|through;right"}
    )
    assert road is not None
    assert turns_of(road, backwards=True) == {
        0: {Turn.LEFT},
        1: {Turn.THROUGH},
        2: {Turn.THROUGH, Turn.RIGHT},
    }
    other = road_of({"highway": "primary", "oneway": "yes", "lanes": "2", "turn:lanes": "left|through|right"})
    assert other is not None
    assert turns_of(other, backwards=True) == {}
    assert road_of({"highway": "footway"}) is None
