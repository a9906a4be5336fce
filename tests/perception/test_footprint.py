"""Boxes of nets without a ground point: their bottom edge is moved to under the middle of the body."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from hil.paint.lens import View
from hil.paint.scene import labels
from hil.world.user import SIZES
from rsu_agent.perception.footprint import to_middles
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.roadway import Roadway
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import read_site
from rsu_agent.world.road_user import UserClass

VIEW = View(-16.0, -19.0, 8.0, 45.0, 14.0, 0.0, 430.0, 640, 384)
SITE = read_site(asset("config/virtual.yaml"))
ROADWAY = Roadway(SITE.crossing)


class Pose:
    """Of the view."""

    x_east_m, y_north_m, height_m = VIEW.x, VIEW.y, VIEW.height_m
    yaw_deg, pitch_deg, roll_deg = VIEW.yaw_deg, VIEW.pitch_deg, VIEW.roll_deg


EYE = GroundCamera.through(
    Pose(),
    PinholeLens(VIEW.width, VIEW.height, VIEW.focal_px, VIEW.focal_px, VIEW.width / 2, VIEW.height / 2),
)


def users(cls: str) -> list[dict[str, Any]]:
    """One on every lane that the camera sees, the way that lane goes, far from each other."""
    length, width, height = SIZES[cls]
    rows = []
    for lane in SITE.crossing.lanes:
        (x0, y0), (x1, y1) = lane.points[0], lane.points[-1]
        for share in (0.55, 0.8, 0.95):
            x, y = x0 + (x1 - x0) * share, y0 + (y1 - y0) * share
            heading = ROADWAY.heading(x, y)
            if heading is not None and math.hypot(x, y) < 60:
                rows.append(
                    {"id": len(rows), "cls": cls, "x": x, "y": y, "heading": heading, "l": length,
                     "w": width, "h": height}
                )  # fmt: skip
    return rows


def errors(cls: str, *, moved: bool) -> list[float]:
    found = []
    for user in users(cls):
        for label in labels(VIEW, [user]):
            left, _, right, bottom = label.box
            if left > 0 and right < VIEW.width and bottom < VIEW.height:
                ground = ((left + right) / 2, bottom)
                item = Detection(UserClass(cls), 0.9, label.box, ground, grounded=False)
                points, good = EYE.to_ground(np.array([ground]))
                if moved:
                    points, _ = to_middles(points, EYE.covariance(points), [item], EYE.eye[:2], ROADWAY)
                if good[0]:
                    found.append(float(np.hypot(*(points[0] - (user["x"], user["y"])))))
    assert len(found) > 10
    return found


@pytest.mark.parametrize(("cls", "least_gain"), [("car", 2.0), ("truck", 2.0), ("bus", 2.0)])
def test_vehicles_lie_where_their_middle_is(cls: str, least_gain: float) -> None:
    before, after = np.median(errors(cls, moved=False)), np.median(errors(cls, moved=True))
    assert before > least_gain * after, (before, after)


def test_a_pedestrian_is_hardly_moved() -> None:
    assert np.median(errors("pedestrian", moved=True)) < 0.3


def test_what_the_net_itself_grounded_stays() -> None:
    points = np.array([[5.0, 5.0]])
    spreads = EYE.covariance(points)
    item = Detection(UserClass.BUS, 0.9, (0, 0, 9, 9), (4, 9), grounded=True)
    same, spread = to_middles(points, spreads, [item], EYE.eye[:2], ROADWAY)
    assert (same == points).all()
    assert (spread == spreads).all()


def test_a_long_body_is_less_sure_along_the_ray_only() -> None:
    points = np.array([[20.0, 17.0]])
    before = EYE.covariance(points)
    item = Detection(UserClass.BUS, 0.9, (0, 0, 9, 9), (4, 9))
    _, after = to_middles(points, before, [item], EYE.eye[:2], ROADWAY)
    ray = (points[0] - EYE.eye[:2]) / np.hypot(*(points[0] - EYE.eye[:2]))
    across = np.array([-ray[1], ray[0]])
    assert ray @ after[0] @ ray > ray @ before[0] @ ray + 0.1
    assert across @ after[0] @ across == pytest.approx(across @ before[0] @ across)
