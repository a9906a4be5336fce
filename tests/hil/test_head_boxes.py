"""The boxes of the virtual camera's signal heads are those that are painted."""

from __future__ import annotations

from ruamel.yaml import YAML

from hil.paint.ground import paint_ground
from hil.paint.lens import View
from hil.paint.scene import LAMP_COLOURS, Look, paint
from hil.world.crossing_read import RigHead, read_rig_crossing
from hil.world.head_boxes import RigBox, boxes_of_site, head_boxes
from rsu_agent.ports.assets import asset

SITE = asset("config/virtual.yaml")
NORTH = View(0.0, 0.0, 7.0, 0.0, 16.0, 0.0, 480.0, 640, 384)


def south_facing(group: int, x: float, y: float) -> RigHead:
    return RigHead(group, x, y, 5.5, 180.0, "round")


def test_the_boxes_of_the_virtual_site_are_those_computed() -> None:
    document = YAML(typ="safe").load(SITE.read_text())
    computed = boxes_of_site(SITE)
    for camera in document["cameras"]:
        assert camera["heads"] == [box.plain for box in computed[camera["name"]]]


def test_a_box_holds_all_of_the_housing_and_nothing_else() -> None:
    ground = paint_ground(read_rig_crossing(asset("config/crossings/virtual.geojson")), 3)
    heads = [south_facing(4, 3.0, 25.0)]
    (box,) = head_boxes(NORTH, heads)
    plain = Look(noise=0.0)
    bare, painted = (paint(NORTH, ground, [], drawn, {4: "red"}, plain) for drawn in ([], heads))
    changed = (bare != painted).any(axis=2)
    inside = changed[box.top : box.top + box.height, box.left : box.left + box.width]
    assert inside.all()
    assert changed.sum() == inside.sum()
    assert (
        painted[box.top : box.top + box.height // 3, box.left : box.left + box.width] == LAMP_COLOURS["red"]
    ).any()


def test_who_looks_away_is_too_far_off_or_outside_has_no_box() -> None:
    heads = [
        RigHead(1, 0.0, 25.0, 5.5, 0.0, "round"),
        south_facing(2, 0.0, 90.0),
        south_facing(3, 60.0, 25.0),
        south_facing(4, 0.0, -25.0),
    ]
    assert head_boxes(NORTH, heads) == []


def test_heads_that_hide_each_other_have_no_boxes() -> None:
    apart, behind, before = south_facing(1, 6.0, 25.0), south_facing(2, 0.0, 30.0), south_facing(3, 0.0, 29.0)
    assert [box.group for box in head_boxes(NORTH, [apart, behind, before])] == [1]
    assert RigBox(1, 0, 0, 10, 10).shared(RigBox(2, 5, 0, 10, 20)) == 0.5
