"""What `rsu calibrate` says to people, and what it draws over a still."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rsu_agent.cli.calibrate_picture import BAD, GOOD, LANE, STOP, WALK, drawn
from rsu_agent.cli.calibrate_posed import changed
from rsu_agent.cli.calibrate_told import lines_of, point_lines
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose
from rsu_agent.perception.surveyed import GroundPoint
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import read_site

SITE = read_site(asset("config/virtual.yaml"))
SECTION = SITE.settings.cameras[0]
LENS = PinholeLens.of(SECTION.lens)
POSE = CameraPose(**SECTION.pose.model_dump())
EYE = GroundCamera.through(POSE, LENS)
STILL = np.full((384, 640, 3), 90, np.uint8)
POINT = {"name": "N-stop", "away_m": 23.42, "residual_px": 0.81, "left_out_m": 0.034, "used": True}
ROW = {"away_m": 40.0, "pose_m": 0.05, "pixel_m": 0.46, "tilt_m": 0.21, "total_m": 0.51, "in_picture": True}
TOLD: dict[str, Any] = {
    "points": [POINT, {**POINT, "name": "K7", "used": False}],
    "exchanged": [],
    "rms_px": 1.02,
    "left_out_m": 0.06,
    "unlevel_m": 0.01,
    "expected": [ROW, {**ROW, "away_m": 90.0, "in_picture": False}],
    "changes": {"pose": {"yaw_deg": 44.99}, "lens": {"focal_px": None, "fx_px": 431.0}},
    "written": False,
}


def said(**other: Any) -> str:
    return "\n".join(lines_of({**TOLD, **other}, SECTION))


def test_every_point_and_distance_has_its_line_and_what_is_odd_its_words() -> None:
    lines = said().splitlines()
    assert "N-stop            23.4 m     0.8 px     0.03 m" in lines
    assert next(line for line in lines if line.startswith("K7")).endswith("does not fit: not used")
    assert next(line for line in lines if line.startswith("90")).endswith("not in the picture")
    assert "a point left out is missed by 0.06 m within 40 m" in said()
    assert len(set(map(len, lines[1:2]))) == 1


def test_a_road_that_is_not_level_is_mentioned_only_where_it_costs() -> None:
    assert "level" not in said()
    assert "not level: that costs up to 0.62 m" in said(unlevel_m=0.62)


def test_exchanged_clicks_are_told_with_both_names() -> None:
    assert "K7 and K9 would fit if their clicks were exchanged" in said(exchanged=[["K7", "K9"]])


def test_changes_are_told_before_and_after_and_whether_they_are_written() -> None:
    assert "pose.yaw_deg: 45.0 -> 44.99" in said()
    assert "lens.focal_px: 430.0 -> (none)" in said()
    assert "lens.fx_px: (none) -> 431.0" in said()
    assert "nothing is written" in said()
    assert said(written=True).endswith("written; restart the agent")
    assert said(changes={}).endswith("the site file says so already")


def test_an_imported_pose_is_to_be_looked_at() -> None:
    told = {"changes": {}, "written": False, "picture": "check.png"}
    words = "\n".join(lines_of(told, SECTION))
    assert "look at it before you trust it" in words
    assert "check.png" in words


def test_a_list_of_points_alone_is_told_with_its_head() -> None:
    head, line = point_lines([POINT])
    assert len(head) == len(line)


def test_only_what_differs_is_a_change() -> None:
    assert changed(SECTION, POSE, None) == {}
    assert changed(SECTION, replace(POSE, yaw_deg=44.0), None) == {"pose": {"yaw_deg": 44.0}}
    lens = replace(LENS, fx=431.234567, distortion=(-0.1, 0.0, 0.0, 0.0, 0.0))
    assert changed(SECTION, POSE, lens)["lens"] == {
        "focal_px": None,
        "fx_px": 431.23,
        "fy_px": 430.0,
        "cx_px": 320.0,
        "cy_px": 192.0,
        "distortion": [-0.1, 0.0, 0.0, 0.0, 0.0],
    }


def inked(picture: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) <= tolerance).sum())


def test_lanes_stop_lines_and_crossings_are_drawn_and_the_still_stays() -> None:
    before = STILL.copy()
    picture = drawn(STILL, EYE, SITE.crossing, (), ())
    assert np.array_equal(STILL, before)
    assert picture.shape == STILL.shape
    assert all(inked(picture, colour) > 30 for colour in (LANE, STOP, WALK))
    assert np.array_equal(picture[:60], STILL[:60]), "nothing is drawn into the sky"


@pytest.mark.parametrize("name", ["N-stop", "停止线左端"])
def test_a_point_is_drawn_where_it_was_clicked_and_a_bad_one_in_red(name: str) -> None:
    point = GroundPoint(name, 0.0, 5.0, 0.0, 200.0, 300.0)
    good, bad = (drawn(STILL, EYE, SITE.crossing, (point,), names) for names in ((), (name,)))
    assert inked(good[290:311, 190:211], GOOD) > 10
    assert inked(bad[290:311, 190:211], BAD) > 10
    assert inked(bad[290:311, 190:211], GOOD) == 0


def test_a_point_behind_the_camera_has_no_ring_and_one_outside_harms_nothing() -> None:
    behind = GroundPoint("B", -40.0, -40.0, 0.0, 100.0, 200.0)
    outside = GroundPoint("O", 0.0, 5.0, 0.0, 5000.0, -300.0)
    picture = drawn(STILL, EYE, SITE.crossing, (behind, outside), ())
    assert picture.shape == STILL.shape


def test_a_camera_that_looks_at_the_sky_draws_nothing() -> None:
    up = GroundCamera.through(replace(POSE, pitch_deg=-40.0), LENS)
    assert np.array_equal(drawn(STILL, up, SITE.crossing, (), ()), STILL)
