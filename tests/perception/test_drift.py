"""A camera that moved is noticed against its reference still; light, traffic and noise are not a move."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest

from hil.paint.ground import paint_ground
from hil.paint.lens import View
from hil.paint.scene import Look, paint
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.perception.drift import AGAIN_S, ALARM_PX, BETWEEN_S, GIVE_UP_S, LOOKS, Drift
from rsu_agent.perception.drift_reference import Reference
from rsu_agent.ports.assets import asset

VIEW = View(-16.0, -19.0, 8.0, 45.0, 12.0, 0.0, 860.0, 1280, 720)
CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))
DAY_S = 86_400.0
BUS = {"cls": "bus", "l": 11.5, "w": 2.5, "h": 3.1, "heading": 20.0, "shade": 700}
CAR = {"cls": "car", "l": 4.5, "w": 1.8, "h": 1.5, "heading": 100.0, "shade": 300}


@cache
def painted(
    yaw: float = 0.0, pitch: float = 0.0, seed: int = 1, *, night: bool = False, busy: bool = False
) -> Any:
    view = replace(VIEW, yaw_deg=VIEW.yaw_deg + yaw, pitch_deg=VIEW.pitch_deg + pitch)
    users = (
        [{**BUS, "x": 2.0, "y": 5.0}, {**CAR, "x": -4.0, "y": 3.0}, {**CAR, "x": 9.0, "y": -2.0}]
        if busy
        else []
    )
    look = Look(night=night, gain=1.6, seed=seed, sun_deg=120.0 if busy else 220.0)
    return paint(view, paint_ground(CROSSING, 9), users, CROSSING.heads, {1: "red"}, look)


@cache
def expected(yaw: float = 0.0, pitch: float = 0.0) -> tuple[float, float]:
    """By how much the crossing's painted things move in the picture, by the rig's own projection."""
    ends = [point for lane in CROSSING.lanes.values() for point in (lane.points[0], lane.points[-1])]
    places = np.array(
        [(x, y, 0.0) for x, y in [*ends, *(end for walk in CROSSING.walks for end in walk.axis)]]
    )
    before, depth = VIEW.project(places)
    after, _ = replace(VIEW, yaw_deg=VIEW.yaw_deg + yaw, pitch_deg=VIEW.pitch_deg + pitch).project(places)
    seen = (depth > 5) & (before > 0).all(axis=1) & (before < [VIEW.width, VIEW.height]).all(axis=1)
    dx, dy = np.median((after - before)[seen], axis=0)
    return float(dx), float(dy)


@pytest.mark.parametrize("turn_deg", [0.0, 0.1, 0.3, -0.8])
def test_a_turn_is_measured_to_a_fraction_of_a_pixel(turn_deg: float) -> None:
    shift = Drift(Reference.of(painted())).shift_of(painted(yaw=turn_deg, seed=2))
    assert shift is not None
    assert shift == pytest.approx(expected(yaw=turn_deg), abs=0.7, rel=0.1)


def test_a_nod_is_measured_the_other_way() -> None:
    shift = Drift(Reference.of(painted())).shift_of(painted(pitch=0.5, seed=2))
    assert shift is not None
    assert shift == pytest.approx(expected(pitch=0.5), abs=0.7, rel=0.1)


@pytest.mark.parametrize("look", [{"busy": True}, {"night": True}, {"night": True, "busy": True}])
def test_traffic_and_night_are_no_move(look: dict[str, bool]) -> None:
    shift = Drift(Reference.of(painted())).shift_of(painted(seed=5, **look))
    assert shift is None or np.hypot(*shift) < 1.0


def test_traffic_does_not_hide_a_move() -> None:
    shift = Drift(Reference.of(painted())).shift_of(painted(yaw=0.5, seed=5, busy=True))
    assert shift is not None
    assert shift == pytest.approx(expected(yaw=0.5), abs=0.7, rel=0.1)


@pytest.mark.parametrize("turn_deg", [2.5, -4.0])
def test_a_camera_that_was_knocked_far_is_found_by_its_features(turn_deg: float) -> None:
    shift = Drift(Reference.of(painted())).shift_of(painted(yaw=turn_deg, seed=2))
    assert shift is not None
    assert shift[0] == pytest.approx(expected(yaw=turn_deg)[0], rel=0.15)


@pytest.mark.parametrize("image", [np.zeros((720, 1280, 3), np.uint8), np.full((720, 1280, 3), 200, np.uint8),
                                   np.zeros((384, 640, 3), np.uint8)])  # fmt: skip
def test_fog_night_and_pictures_of_another_size_tell_nothing(image: Any) -> None:
    assert Drift(Reference.of(painted())).shift_of(image) is None
    assert Drift(Reference.of(image)).shift_of(painted()) is None


def test_noise_alone_is_no_move() -> None:
    dice = np.random.default_rng(1)
    assert Drift(Reference.of(painted())).shift_of(dice.integers(0, 255, (720, 1280, 3), np.uint8)) is None


def small(image: Any) -> Any:
    return cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA)


def look_at(drift: Drift, image: Any, from_s: float, looks: int = LOOKS) -> float:
    for n in range(looks):
        drift.saw(image, from_s + n * BETWEEN_S)
    return from_s + looks * BETWEEN_S


def test_it_measures_at_first_then_once_a_day_and_alarms_above_three_pixels() -> None:
    drift, moved = Drift(Reference.of(small(painted()))), small(painted(yaw=1.0, seed=2))
    assert (drift.shift_px, drift.alarm) == (None, False)
    end_s = look_at(drift, small(painted(seed=3)), 100.0)
    assert drift.shift_px is not None
    assert drift.shift_px < 0.5
    assert not drift.alarm
    look_at(drift, moved, end_s + 3600)
    assert not drift.alarm, "not before the day is over"
    look_at(drift, moved, end_s + DAY_S)
    assert drift.shift_px > ALARM_PX
    assert drift.alarm


def test_it_measures_when_asked() -> None:
    drift, moved = Drift(Reference.of(small(painted()))), small(painted(yaw=1.0, seed=2))
    end_s = look_at(drift, small(painted(seed=3)), 0.0)
    drift.ask(end_s + 5)
    look_at(drift, moved, end_s + 5)
    assert drift.alarm


def test_a_camera_that_has_moved_is_measured_again_soon_and_is_well_once_turned_back() -> None:
    drift, moved = Drift(Reference.of(small(painted()))), small(painted(yaw=1.0, seed=2))
    end_s = look_at(drift, moved, 0.0)
    assert drift.alarm
    end_s = look_at(drift, moved, end_s + AGAIN_S)
    assert drift.alarm
    look_at(drift, small(painted(seed=3)), end_s + AGAIN_S)
    assert not drift.alarm
    look_at(drift, moved, end_s + 20 * AGAIN_S)
    assert not drift.alarm, "once a day again"


def test_pictures_between_its_looks_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    drift, looked = Drift(Reference.of(small(painted()))), []
    monkeypatch.setattr(drift, "shift_of", lambda image: looked.append(image))
    for n in range(100):
        drift.saw(painted(), n * 0.1)
    assert len(looked) == 2


def test_what_cannot_be_measured_keeps_the_last_word_and_is_tried_again_the_next_day() -> None:
    drift, fog = Drift(Reference.of(small(painted()))), np.full((360, 640, 3), 180, np.uint8)
    end_s = look_at(drift, small(painted(yaw=1.0, seed=2)), 0.0)
    assert drift.alarm
    look_at(drift, fog, end_s + DAY_S, int(GIVE_UP_S / BETWEEN_S) + 3)
    assert drift.alarm
    look_at(drift, small(painted(seed=3)), end_s + DAY_S + GIVE_UP_S + 60)
    assert drift.alarm, "given up for this day"
    assert drift.failures == 1
    look_at(drift, small(painted(seed=3)), end_s + 2 * DAY_S + GIVE_UP_S + 60)
    assert not drift.alarm
    assert drift.failures == 0
