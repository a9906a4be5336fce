"""A still: whoever moves vanishes, who stands there all along is painted over, the road stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hil.paint.ground import paint_ground
from hil.paint.lens import View
from hil.paint.marks import planted
from hil.paint.scene import Look, paint
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.perception.heads.detection import Box
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.still import (
    EVERY_S,
    FILL,
    LEAST_PICTURES,
    LEAST_S,
    Picture,
    StillMaker,
)
from rsu_agent.ports.assets import asset

VIEW = View(-16.0, -19.0, 8.0, 45.0, 14.0, 0.0, 430.0, 640, 384)
CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))
GROUND = paint_ground(CROSSING, 3)


def car(number: int, x: float, y: float, heading: float) -> dict[str, Any]:
    return {"id": number, "cls": "car", "x": x, "y": y, "heading": heading, "l": 4.6, "w": 1.8, "h": 1.5,
            "shade": 1900 * number}  # fmt: skip


def walker(number: int, x: float, y: float, heading: float) -> dict[str, Any]:
    return {"id": number, "cls": "pedestrian", "x": x, "y": y, "heading": heading, "l": 0.5, "w": 0.6,
            "h": 1.72, "shade": 300 * number}  # fmt: skip


def scene(step: int, *, standing: bool) -> Picture:
    """Cars and people with faces and plates that drive and walk through; standing: some stay all along."""
    users = [car(1, -6 + step * 0.9, 2.0, 90.0), walker(2, 4.0, -8 + step * 0.15, 0.0)]
    users += [car(3, 8.0 - step * 0.8, 6.0, 270.0)]
    if standing:
        users += [car(4, 1.0, -2.0, 225.0), car(5, 10.0, 9.0, 225.0), walker(6, -2.0, -6.0, 225.0)]
    look = Look(seed=step, planted=True)
    return paint(VIEW, GROUND, users, CROSSING.heads, {}, look)


@pytest.fixture(scope="module")
def net() -> Detector:
    return Detector(asset("models/detector/detector.onnx"), ["simulation_only"])


def boxes(net: Detector, image: Picture, score: float) -> list[Box]:
    return [each.box for each in net.detect(image, None, score)]


def made(net: Detector, *, standing: bool) -> tuple[StillMaker, list[Picture]]:
    maker, pictures = StillMaker(), []
    for step in range(LEAST_PICTURES + 4):
        pictures.append(scene(step, standing=standing))
        maker.saw(pictures[-1], boxes(net, pictures[-1], 0.35), step * LEAST_S / LEAST_PICTURES)
    assert maker.ready
    return maker, pictures


@pytest.fixture(scope="module")
def with_standers(net: Detector) -> StillMaker:
    return made(net, standing=True)[0]


def test_who_moves_vanishes_and_the_road_stays(net: Detector) -> None:
    maker, pictures = made(net, standing=False)
    still = maker.filled(maker.median(), lambda image, score: boxes(net, image, score))
    assert min(map(planted, pictures)) > 20, "the pictures themselves show faces and plates"
    assert planted(still.image) == 0
    empty = paint(VIEW, GROUND, [], CROSSING.heads, {}, Look(seed=1, planted=True))
    unlike = np.abs(still.image.astype(int) - empty).max(axis=2) > 40
    assert unlike.mean() < 0.05
    assert still.pictures >= LEAST_PICTURES


def test_who_stands_there_all_along_is_painted_over(net: Detector, with_standers: StillMaker) -> None:
    maker, median = with_standers, with_standers.median()
    assert planted(median) > 20, "the median alone shows who stands"
    still = maker.filled(median, lambda image, score: boxes(net, image, score))
    assert planted(still.image) == 0
    assert still.filled >= 3


def test_what_the_net_misses_in_the_median_is_painted_over_when_a_picture_told_of_it(
    with_standers: StillMaker,
) -> None:
    still = with_standers.filled(with_standers.median(), lambda *_: [])
    assert planted(still.image) == 0


def test_thirty_pictures_over_ten_seconds_at_the_least() -> None:
    maker, image = StillMaker(), np.zeros((8, 8, 3), np.uint8)
    for step in range(1000):
        at_s = step * 0.01
        if maker.wants(at_s):
            maker.saw(image, [], at_s)
    assert not maker.ready, "ten seconds are not over"
    assert maker.pictures <= LEAST_S / EVERY_S + 1
    slow = StillMaker()
    for step in range(LEAST_PICTURES - 1):
        slow.saw(image, [], step * 1.0)
    assert not slow.ready, "too few pictures"
    slow.saw(image, [], 100.0)
    assert slow.ready


def test_a_picture_of_another_size_begins_anew() -> None:
    maker = StillMaker()
    maker.saw(np.zeros((8, 8, 3), np.uint8), [], 0.0)
    maker.saw(np.zeros((8, 16, 3), np.uint8), [], 5.0)
    assert maker.pictures == 1


@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, 3.0, 3.0), (5.0, 5.0, 900.0, 900.0), (float("nan"), 0, 4, 4), (30, 30, 40, 40)]
)
def test_boxes_beyond_the_picture_fill_what_is_within(box: Box) -> None:
    maker = StillMaker()
    maker.saw(np.zeros((20, 20, 3), np.uint8), [box], 0.0)
    still = maker.filled(maker.median(), lambda *_: [box])
    assert set(np.unique(still.image)) <= {0, FILL}
