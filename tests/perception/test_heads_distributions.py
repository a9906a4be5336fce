"""NanoDet, PicoDet, NanoDet-Plus: distances as distributions; outputs by shape, not by order or name."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import cell, image, net, seen

THREE, FOUR = (8, 16, 32), (8, 16, 32, 64)
SURE = 40.0  # a logit that leaves the other bins nothing
Arrays = dict[str, np.ndarray[Any, Any]]


def sides(*bins: int) -> np.ndarray[Any, Any]:
    """32 logits: left, top, right and bottom each surely in one of eight bins."""
    logits = np.zeros((4, 8), np.float32)
    logits[np.arange(4), bins] = SURE
    return logits.ravel()


def split(size: int, strides: tuple[int, ...], classes: int = 80) -> Arrays:
    """A car in cell (3, 2) of stride 16: centre (3.5, 2.5) 16 = (56, 40), edges 1, 2, 3, 1 strides away."""
    made: Arrays = {}
    for k in strides:
        cells = (-(-size // k)) ** 2
        made[f"c{k}"] = np.full((1, cells, classes), 0.001, np.float32)
        made[f"d{k}"] = np.zeros((1, cells, 32), np.float32)
    at = 2 * -(-size // 16) + 3
    made["c16"][0, at, 2 % classes] = 0.8
    made["d16"][0, at] = sides(1, 2, 3, 1)
    return made


BOX = (56 - 16, 40 - 32, 56 + 48, 40 + 16)


def shuffled(made: Arrays, seed: int) -> Arrays:
    """The same arrays in another order under names that tell nothing."""
    names = list(made)
    random.Random(seed).shuffle(names)
    return {f"out_{n}": made[name] for n, name in enumerate(names)}


@pytest.mark.parametrize("seed", range(5))
def test_six_outputs_in_any_order_are_nanodet(seed: int, tmp_path: Path) -> None:
    path = net(tmp_path / "m.onnx", shuffled(split(320, THREE), seed), image(320, 320))
    (car,) = seen(path, 640, 480)
    assert car.kind is UserClass.CAR
    assert car.box == pytest.approx((BOX[0] * 2, BOX[1] * 1.5, BOX[2] * 2, BOX[3] * 1.5))
    detector = Detector(path)
    assert detector.family.name == "nanodet"
    assert detector.preparation.colour == "bgr"
    assert detector.preparation.mean == (103.53, 116.28, 123.675)
    assert detector.preparation.std == (57.375, 57.12, 58.395)


@pytest.mark.parametrize("squeezed", [False, True])
def test_eight_outputs_are_picodet_in_rgb(squeezed: bool, tmp_path: Path) -> None:
    made = split(416, FOUR)
    given = {name: value[0] if squeezed else value for name, value in made.items()}
    path = net(tmp_path / "m.onnx", shuffled(given, 1), image(416, 416), producer="paddle2onnx")
    (car,) = seen(path, 416, 416)
    assert car.box == pytest.approx(BOX)
    detector = Detector(path)
    assert (detector.family.name, detector.preparation.colour) == ("picodet", "rgb")
    assert detector.preparation.mean == (123.675, 116.28, 103.53)


def test_six_outputs_of_a_paddle_export_are_picodet_too(tmp_path: Path) -> None:
    path = net(tmp_path / "m.onnx", split(320, THREE), image(320, 320), producer="PaddlePaddle")
    assert Detector(path).family.name == "picodet"


def test_half_of_two_bins_is_in_the_middle_between_them(tmp_path: Path) -> None:
    made = split(320, THREE)
    at = 2 * 20 + 3
    left = np.zeros(8, np.float32)
    left[[1, 2]] = SURE  # equally sure of 1 and 2 strides
    made["d16"][0, at, :8] = left
    (car,) = seen(net(tmp_path / "m.onnx", made, image(320, 320)), 320, 320)
    assert car.box == pytest.approx((56 - 24, *BOX[1:]))


def test_the_sidecar_moves_the_point_that_boxes_are_measured_from(tmp_path: Path) -> None:
    path = net(tmp_path / "m.onnx", split(320, THREE), image(320, 320))
    (tmp_path / "m.toml").write_text("centre = 0.0\n")
    (car,) = seen(path, 320, 320)
    assert car.box == pytest.approx(tuple(edge - 8 for edge in BOX))


def test_with_32_classes_those_that_can_be_scores_are_the_classes(tmp_path: Path) -> None:
    made = split(320, THREE, 32)
    for k in THREE:
        made[f"d{k}"][0, :, 0] = 3.0  # what only a distance's logit can be
    (tmp_path / "m.toml").write_text('[classes]\n2 = "car"\n')
    (car,) = seen(net(tmp_path / "m.onnx", shuffled(made, 3), image(320, 320)), 320, 320)
    assert car.box == pytest.approx(BOX)


def test_where_nothing_tells_classes_from_distances_the_file_is_refused(tmp_path: Path) -> None:
    made = split(320, THREE, 32)
    for k in THREE:
        made[f"d{k}"] *= 0.0
    with pytest.raises(ModelRefused, match="which outputs are classes cannot be told"):
        Detector(net(tmp_path / "m.onnx", made, image(320, 320)))


@pytest.mark.parametrize("strides", [THREE, FOUR])
def test_nanodet_plus_is_told_from_yolox_by_columns_that_are_no_scores(
    strides: tuple[int, ...], tmp_path: Path
) -> None:
    parts = split(416, strides)
    rows = [np.concatenate([parts[f"c{k}"], parts[f"d{k}"]], axis=2) for k in strides]
    made = np.concatenate(rows, axis=1)
    assert made[0, cell(416, 416, 16, 3, 2, strides), 2] == pytest.approx(0.8)
    path = net(tmp_path / "m.onnx", {"output": made}, image(416, 416))
    (car,) = seen(path, 416, 416)
    assert car.kind is UserClass.CAR
    assert car.box == pytest.approx(BOX)
    detector = Detector(path)
    assert detector.family.name == "nanodet_plus"
    assert "never tried on a real file" in detector.warnings[0]
