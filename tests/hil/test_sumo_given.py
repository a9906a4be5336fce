"""Any SUMO scenario read without SUMO: its configuration, its net, the junction, the geometry, the bodies."""

from __future__ import annotations

import gzip
import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pytest

from hil.world.crossing_read import inside
from hil.world.sumo import KINDS
from hil.world.sumo_given import CLASSES, GivenOrder, body, simulate
from hil.world.sumo_given_crossing import band, crossing_at, cut, poles_at
from hil.world.sumo_given_net import Around, Use, around, centroid, chosen, junctions, shape_of
from hil.world.sumo_net import NoSumo
from hil.world.sumo_scenario import UnfitScenario, read_scenario, seconds
from hil.world.user import SIZES
from rsu_agent.perception.roadway import Roadway
from rsu_agent.world.crossing import Crossing, LaneRole, LaneUse, Turn

# Two junctions 60 m apart in net coordinates far from nought: c with lights and three arms (west, east, a
# footpath to the north), d without. The left turn of c's western lane waits in the junction: two pieces.
NET = """<net version="1.20">
<location netOffset="-385000.00,-5819000.00" projParameter="+proj=utm +zone=33"/>
<edge id=":c_0" function="internal">
  <lane id=":c_0_0" index="0" speed="13.89" shape="4990.00,2998.40 5010.00,2998.40"/></edge>
<edge id=":c_1" function="internal">
  <lane id=":c_1_0" index="0" speed="8" shape="4990.00,2998.40 5000.00,2999.00"/></edge>
<edge id=":c_2" function="internal">
  <lane id=":c_2_0" index="0" speed="8" shape="5000.00,2999.00 4990.00,3001.60"/></edge>
<edge id=":c_c0" function="crossing" crossingEdges="w_in w_out">
  <lane id=":c_c0_0" allow="pedestrian" width="4.00" shape="4988.00,3005.00 4988.00,2995.00"/></edge>
<edge id=":d_0" function="internal">
  <lane id=":d_0_0" index="0" speed="13.89" shape="5055.00,2998.40 5065.00,2998.40"/></edge>
<edge id="w_in" from="a" to="c">
  <lane id="w_in_0" allow="bicycle" width="1.50" speed="13.89" shape="4700.00,2996.00 4990.00,2996.00"/>
  <lane id="w_in_1" disallow="pedestrian" speed="14" shape="4700.00,2998.40,7.5 4990.00,2998.40,8.1"/></edge>
<edge id="w_out" from="c" to="a">
  <lane id="w_out_0" speed="13.89" shape="4990.00,3001.60 4700.00,3001.60"/></edge>
<edge id="e_out" from="c" to="d">
  <lane id="e_out_0" speed="13.89" shape="5010.00,2998.40 5055.00,2998.40"/></edge>
<edge id="on" from="d" to="b">
  <lane id="on_0" allow="tram bus taxi" speed="13.89" shape="5065.00,2998.40 5300.00,2998.40"/>
  <lane id="on_1" disallow="all" speed="13.89" shape="5065.00,3001.60 5300.00,3001.60"/></edge>
<edge id="path" from="c" to="p" type="highway.path">
  <lane id="path_0" allow="pedestrian wheelchair" width="2" shape="5000.00,3010.00 5000.00,3040.00"/></edge>
<edge id="kerb" from="a" to="c">
  <lane id="kerb_0" allow="pedestrian" width="2" shape="4920.00,2993.00 4985.00,2993.00"/></edge>
<edge id="rails" from="a" to="c">
  <lane id="rails_0" allow="tram rail_urban" shape="4900.00,3020.00 4990.00,3005.00"/></edge>
<edge id="far" from="x" to="y"><lane id="far_0" shape="5000.00,3200.00 5100.00,3200.00"/></edge>
<junction id="c" type="traffic_light" x="5003.00" y="3000.00" incLanes="w_in_0 w_in_1 kerb_0 rails_0 :c_w0_0"
  shape="4990.00,2990.00 5010.00,2990.00 5010.00,3010.00 4990.00,3010.00"/>
<junction id="d" type="priority" x="5060.00" y="3000.00" incLanes="e_out_0" shape=""/>
<junction id="b" type="dead_end" x="5300.00" y="3000.00" incLanes="on_0 on_1" shape=""/>
<junction id=":c_2_0" type="internal" x="5000.00" y="2999.00" incLanes=":c_1_0" shape=""/>
<connection from="w_in" to="e_out" fromLane="1" toLane="0" via=":c_0_0" tl="c" linkIndex="0" dir="s"/>
<connection from="w_in" to="w_out" fromLane="1" toLane="0" via=":c_1_0" tl="c" linkIndex="1" dir="t"/>
<connection from="e_out" to="on" fromLane="0" toLane="0" via=":d_0_0" dir="s"/>
<connection from=":c_0" to="e_out" fromLane="0" toLane="0" dir="s"/>
<connection from=":c_1" to="w_out" fromLane="0" toLane="0" via=":c_2_0" dir="t"/>
<connection from=":c_2" to="w_out" fromLane="0" toLane="0" dir="t"/>
</net>
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    file = tmp_path / "town.net.xml.gz"
    file.write_bytes(gzip.compress(NET.encode()))
    return file


@pytest.fixture
def here(net: Path) -> Around:
    return around(net, chosen(net, "c"), 110.0)


@pytest.fixture
def crossing(here: Around) -> Crossing:
    return crossing_at(here, 110.0)


def scenario(folder: Path, inner: str) -> Path:
    file = folder / "town.sumocfg"
    file.write_text(f"<configuration>{inner}</configuration>")
    return file


INPUT = '<input><net-file value="town.net.xml.gz"/><route-files value="a.rou.xml, sub/b.rou.xml"/></input>'


def test_a_configuration_names_its_files_times_and_what_it_would_write(net: Path) -> None:
    folder = net.parent
    (folder / "sub").mkdir()
    for name in ("a.rou.xml", "sub/b.rou.xml", "view.xml"):
        (folder / name).write_text("<routes/>")
    more = """<time><b value="08:00:00"/><end value="8:10:00"/><step-length value="1"/></time>
        <output><fcd-output value="fcd.xml"/><summary-output value="s.xml"/></output>
        <report><log value="run.log"/><no-step-log value="true"/><message-log value="false"/></report>
        <processing><lateral-resolution value="0.8"/></processing>
        <gui_only><gui-settings-file value="view.xml"/></gui_only>"""
    read = read_scenario(scenario(folder, INPUT + more))
    assert [file.name for file in read.files] == [
        "town.sumocfg", "town.net.xml.gz", "a.rou.xml", "b.rou.xml"
    ]  # fmt: skip
    assert (read.begin_s, read.end_s) == (28800.0, 29400.0)
    assert read.options == {
        "net-file": str(folder / "town.net.xml.gz"),
        "route-files": f"{folder / 'a.rou.xml'},{folder / 'sub/b.rou.xml'}",
        "begin": "08:00:00", "end": "8:10:00", "step-length": "1", "no-step-log": "true",
        "message-log": "false", "lateral-resolution": "0.8",
    }  # fmt: skip
    assert read.moves_sideways
    read.write(folder / "own.sumocfg")
    assert read_scenario(folder / "own.sumocfg").options == read.options
    bare = read_scenario(scenario(folder, '<net value="town.net.xml.gz"/><e v="-1"/>'))
    assert (bare.begin_s, bare.end_s, bare.moves_sideways) == (0.0, None, False)
    assert bare.net == folder / "town.net.xml.gz"


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (
            '<input><net-file value="gone.net.xml"/></input>',
            r"names as net-file .*gone\.net\.xml: no such file",
        ),
        (INPUT, r"names as route-files .*a\.rou\.xml: no such file; paths count from its folder"),
        ('<input><route-files value="a.rou.xml"/></input>', r"names no net: put <input><net-file"),
        ('<net value="town.net.xml.gz"/><begin value="noon"/>', "noon is no time: seconds, or hh:mm:ss"),
        ("<input>", r"town\.sumocfg is no XML: .*; name a SUMO configuration"),
    ],
)
def test_what_is_missing_in_a_configuration_is_named(net: Path, inner: str, words: str) -> None:
    with pytest.raises(UnfitScenario, match=words):
        read_scenario(scenario(net.parent, inner))


def test_what_is_no_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitScenario, match=r"gone\.sumocfg: no such file; name a SUMO configuration"):
        read_scenario(tmp_path / "gone.sumocfg")
    (tmp_path / "plain.net.xml").write_text(NET)
    with pytest.raises(UnfitScenario, match=r"is a <net>: name the SUMO configuration \(\.sumocfg\)"):
        read_scenario(tmp_path / "plain.net.xml")


def test_without_sumo_it_is_said_how_to_install_it(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = GivenOrder("", "", 1, 100, 0.1, 60.0, 110.0, 70.0)
    read = read_scenario(scenario(net.parent, '<net-file value="town.net.xml.gz"/>'))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(NoSumo, match=r"pip install 'eclipse-sumo>=1\.28' 'libsumo>=1\.28'"):
        simulate(order, read, (0.0, 0.0))


def test_times_are_seconds_or_hours_or_days() -> None:
    assert (seconds("90.5"), seconds("01:00:10"), seconds("1:00:00:00")) == (90.5, 3610.0, 86400.0)


def test_junctions_are_counted_by_their_lanes_for_wheels(net: Path) -> None:
    found = junctions(net)
    assert {name: each.entries for name, each in found.items()} == {"c": 2, "d": 1}
    assert found["c"].middle == pytest.approx((5000.0, 3000.0))  # of its area, not its node
    assert found["d"].middle == (5060.0, 3000.0)  # it has no area
    assert chosen(net, "").id == "c"
    assert chosen(net, "d").id == "d"


def test_the_signalised_junction_with_most_lanes_is_chosen_and_of_two_the_first_name(tmp_path: Path) -> None:
    row = '<junction id="{}" type="{}" x="0" y="0" incLanes="{}" shape=""/>'
    rows = [
        ("big", "priority", "a b c d"),
        ("z", "traffic_light_right_on_red", "e f"),
        ("m", "traffic_light", "g h"),
    ]
    file = tmp_path / "n.net.xml"
    file.write_text("<net>" + "".join(row.format(*each) for each in rows) + "</net>")
    assert chosen(file, "").id == "m"
    file.write_text("<net>" + row.format(*rows[0]) + "</net>")
    with pytest.raises(UnfitScenario, match=r"no junction with a traffic light.*--junction: big \(4 lanes"):
        chosen(file, "")


def test_an_unknown_junction_is_told_the_nearest_names_and_how_many_there_are(net: Path) -> None:
    with pytest.raises(UnfitScenario, match="no junction cc among 2; the nearest names: c, d"):
        chosen(net, "cc")


@pytest.mark.parametrize("content", [b"<net><edge>", gzip.compress(NET.encode())[:300], b"\x1f\x8bnothing"])
def test_a_broken_net_is_told_as_broken(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "n.net.xml"
    file.write_bytes(content)
    with pytest.raises(UnfitScenario, match=r"n\.net\.xml cannot be read: .*make it anew with netconvert"):
        junctions(file)


def test_a_net_without_junctions_is_no_net(tmp_path: Path) -> None:
    (tmp_path / "n.xml").write_text("<routes/>")
    with pytest.raises(UnfitScenario, match="has no junction: is it a SUMO net"):
        junctions(tmp_path / "n.xml")


def test_lanes_around_are_those_within_reach_and_know_who_may_use_them(here: Around) -> None:
    uses = {name: strip.use for name, strip in here.strips.items()}
    assert "far_0" not in uses
    assert (uses["w_in_0"], uses["w_in_1"], uses["on_0"]) == (Use.CYCLE, Use.MOTOR, Use.MOTOR)
    assert (uses["on_1"], uses["rails_0"], uses["path_0"]) == (Use.NOBODY, Use.NOBODY, Use.FOOT)


def test_the_geometry_is_around_the_middle_and_cut(crossing: Crossing) -> None:
    roles = [(lane.arm, lane.role.value, lane.use.value) for lane in crossing.lanes]
    assert roles == [
        (":d_0", "exit", "motor"),  # through the other junction: nobody's way of ours
        ("a", "entry", "bicycle"), ("a", "entry", "motor"), ("a", "exit", "motor"), ("d", "exit", "motor"),
        ("b", "exit", "motor"),
    ]  # fmt: skip
    western = crossing.lanes[2]
    assert western.points[-1] == pytest.approx((-10.0, -1.6))
    assert math.hypot(*western.points[0]) == pytest.approx(110.0)
    assert (crossing.lanes[1].use, crossing.lanes[1].width_m) == (LaneUse.BICYCLE, 1.5)
    assert {arm.arm: round(arm.bearing_deg) for arm in crossing.arms} == {"a": 270, "d": 90}


def test_ways_lead_through_all_their_pieces_to_the_exit_that_they_reach(crossing: Crossing) -> None:
    through, back = crossing.lanes[2].connections
    assert (through.turn, crossing.lanes[through.to_lane - 1].arm) == (Turn.THROUGH, "d")
    assert (back.turn, crossing.lanes[back.to_lane - 1].arm) == (Turn.U_TURN, "a")
    assert back.path == tuple(pytest.approx(place) for place in ((-10.0, -1.6), (0.0, -1.0), (-10.0, 1.6)))
    assert crossing.lanes[0].role is LaneRole.EXIT
    assert not crossing.lanes[0].connections


def test_a_net_without_inner_lanes_has_straight_ways(tmp_path: Path) -> None:
    file = tmp_path / "n.net.xml"
    file.write_text(re.sub(r'(?s)<edge id=":c_\d".*?</edge>\n| via=":c_\d_0"', "", NET))
    through, _ = crossing_at(around(file, chosen(file, "c"), 110.0), 110.0).lanes[2].connections
    assert through.path == (pytest.approx((-10.0, -1.6)), pytest.approx((10.0, -1.6)))


def test_crossings_and_paths_of_their_own_are_crosswalks_and_pavements_are_not(crossing: Crossing) -> None:
    assert [walk.axis for walk in crossing.crosswalks] == [
        ((-12.0, 5.0), (-12.0, -5.0)), ((0.0, 10.0), (0.0, 40.0))
    ]  # fmt: skip
    assert crossing.crosswalks[0].arm == "a"
    road = Roadway(crossing)
    assert road.near(0.0, 38.0)  # on the path
    assert road.near(-60.0, -7.0)  # on the pavement
    assert not road.near(30.0, 30.0)
    assert road.heading(60.0, -1.6) == pytest.approx(90.0)  # in the other junction


def test_the_conflict_area_is_the_hull_of_stop_lines_and_mouths(crossing: Crossing) -> None:
    assert inside_of(crossing, 0.0, 0.0)
    assert inside_of(crossing, -9.9, 3.0)
    assert not inside_of(crossing, -10.1, 0.0)
    assert not inside_of(crossing, 0.0, 6.0)


def inside_of(crossing: Crossing, x: float, y: float) -> bool:
    return inside(np.array(crossing.conflict_area), x, y)


def test_a_junction_that_no_wheels_reach_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "n.net.xml"
    file.write_text(NET.replace('to="c"', 'to="elsewhere"'))
    with pytest.raises(UnfitScenario, match="no lane for wheels leads to junction c: name another"):
        crossing_at(around(file, chosen(file, "c"), 110.0), 110.0)


def test_poles_stand_at_the_corners_as_far_out_as_ours_or_outside_a_larger_junction(net: Path) -> None:
    here = around(net, chosen(net, "c"), 110.0)
    crossing = crossing_at(here, 110.0)
    places = poles_at(here, crossing)
    assert [math.hypot(*place) for place in places] == pytest.approx([math.hypot(12, 12)] * 4, abs=1e-2)
    large = NET.replace(
        'shape="4990.00,2990.00 5010.00,2990.00 5010.00,3010.00 4990.00,3010.00"',
        'shape="4975.00,2975.00 5025.00,2975.00 5025.00,3025.00 4975.00,3025.00"',
    )
    net.write_bytes(gzip.compress(large.encode()))
    outside = poles_at(around(net, chosen(net, "c"), 110.0), crossing)
    assert all(max(map(abs, place)) > 25.0 for place in outside)
    assert all(math.hypot(*place) < 37.0 for place in outside)


def test_a_line_is_cut_into_the_pieces_that_lie_in_the_circle() -> None:
    line = ((-20.0, 0.0), (0.0, 0.0), (0.0, 20.0), (5.0, 20.0), (5.0, 0.0))
    assert cut(line, 10.0) == [
        ((-10.0, 0.0), (0.0, 0.0), (0.0, 10.0)),
        (pytest.approx((5.0, math.sqrt(75.0))), (5.0, 0.0)),
    ]
    assert cut(((30.0, 0.0), (30.0, 5.0)), 10.0) == []


def test_outlines_and_shapes_are_those_by_hand() -> None:
    assert band(((0.0, 0.0), (10.0, 0.0)), 4.0) == ((0.0, 2.0), (10.0, 2.0), (10.0, -2.0), (0.0, -2.0))
    assert shape_of("1,2,9 1,2,9 3.5,4") == ((1.0, 2.0), (3.5, 4.0))
    assert centroid(((0.0, 0.0), (30.0, 0.0), (0.0, 30.0))) == pytest.approx((10.0, 10.0))
    assert centroid(((0.0, 0.0), (9.0, 0.0))) is None


@pytest.mark.parametrize(
    ("v_class", "kind"),
    [
        ("taxi", "car"), ("delivery", "truck"), ("trailer", "truck"), ("emergency", "truck"),
        ("coach", "bus"), ("moped", "motorcycle"),
        ("scooter", "bicycle"), ("wheelchair", "pedestrian"),
    ],
)  # fmt: skip
def test_a_kind_is_by_the_class_and_a_size_is_sumos(v_class: str, kind: str) -> None:
    _, width, height = SIZES[kind]
    assert body(v_class, (7.1, width, height), on_foot=False) == (KINDS.index(kind), (7.1, width, height))
    assert set(CLASSES.values()) < set(KINDS)


def test_sizes_that_make_no_sense_are_ours() -> None:
    assert body("coach", (14.0, 2.6, 1.5), on_foot=False) == (KINDS.index("bus"), (14.0, 2.6, 3.1))
    assert body("truck", (0.0, 9.0, 2.4), on_foot=False) == (KINDS.index("truck"), (8.0, 2.4, 2.4))


def test_rails_have_no_kind_and_a_person_with_a_cars_class_is_a_pedestrian() -> None:
    assert body("tram", (22.0, 2.4, 3.2), on_foot=False) is None
    assert body("rail_fast", (200.0, 2.9, 3.9), on_foot=False) is None
    assert body("passenger", (5.0, 1.8, 1.5), on_foot=True) == (
        KINDS.index("pedestrian"),
        SIZES["pedestrian"],
    )
    child = body("pedestrian", (0.2, 0.4, 1.2), on_foot=True)
    assert child == (KINDS.index("pedestrian"), (0.2, 0.4, 1.2))
