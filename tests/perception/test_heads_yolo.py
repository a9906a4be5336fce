"""YOLOX, undecoded and decoded, in a letterbox at the top left; YOLOv5 and v7, three anchors a cell."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, cell, image, net, seen

CELLS = 3549  # of 416 x 416: 52^2 + 26^2 + 13^2


def table(rows: int = CELLS, classes: int = 80) -> np.ndarray[Any, Any]:
    return np.full((1, rows, 5 + classes), 0.001, np.float32)


def undecoded() -> np.ndarray[Any, Any]:
    """A car in cell (10, 5) of stride 16: centre ((0.5+10) 16, (0.25+5) 16) = (168, 84), size (4, 2) 16."""
    made = table()
    at = cell(416, 416, 16, 10, 5)
    made[0, at, :5] = (0.5, 0.25, math.log(4.0), math.log(2.0), 0.9)
    made[0, at, 5 + 2] = 0.8
    return made


def decoded() -> np.ndarray[Any, Any]:
    """The same car in pixels."""
    made = undecoded()
    made[0, cell(416, 416, 16, 10, 5), :4] = (168, 84, 64, 32)
    return made


@pytest.mark.parametrize(("made", "how"), [(undecoded(), "offsets"), (decoded(), "already in pixels")])
@pytest.mark.parametrize("squeezed", [False, True])
def test_both_kinds_of_export_give_the_same_box_to_the_pixel(
    made: np.ndarray[Any, Any], how: str, squeezed: bool, tmp_path: Path
) -> None:
    path = net(tmp_path / "m.onnx", {"output": made[0] if squeezed else made}, image(416, 416))
    (car,) = seen(path, 832, 600)
    # 832 x 600 into 416: half as large, at the top left, so no offset.
    assert car.kind is UserClass.CAR
    assert car.score == pytest.approx(0.72)
    assert car.box == pytest.approx((2 * 136, 2 * 68, 2 * 200, 2 * 100), abs=1e-3)
    assert car.ground == pytest.approx((336, 200), abs=1e-3)
    detector = Detector(path)
    assert detector.family.name == "yolox"
    assert how in detector.head.why
    assert (detector.preparation.resize, detector.preparation.colour) == ("letterbox", "bgr")
    assert detector.preparation.std == (1.0, 1.0, 1.0)


def test_a_grid_of_a_size_that_strides_do_not_divide_is_rounded_up(tmp_path: Path) -> None:
    rows = 25 * 13 + 13 * 7 + 7 * 4  # 200 x 100: ceil(200/8) ceil(100/8) ...
    made = table(rows)
    at = cell(200, 100, 32, 6, 3)
    assert at == rows - 1
    made[0, at, :5] = (-0.5, -0.5, 0.0, 0.0, 0.9)  # centre (176, 80), size 32 x 32
    made[0, at, 5] = 0.9
    (person,) = seen(net(tmp_path / "m.onnx", {"output": made}, image(200, 100)), 200, 100)
    assert person.box == pytest.approx((160, 64, 192, 96))


def test_the_last_row_and_column_of_every_stride_are_where_they_are(tmp_path: Path) -> None:
    made = table()
    for stride, side in ((8, 52), (16, 26), (32, 13)):
        at = cell(416, 416, stride, side - 1, side - 1)
        made[0, at, :5], made[0, at, 5] = (-1, -1, 0, 0, 0.99), 0.99
    found = seen(net(tmp_path / "m.onnx", {"output": made}, image(416, 416)), 416, 416)
    ends = sorted(item.box[2] for item in found)
    assert ends == pytest.approx([416 - 2 * 32 + 16, 416 - 2 * 16 + 8, 416 - 2 * 8 + 4], abs=1e-3)


def test_three_anchors_a_cell_are_yolov5_in_a_centred_letterbox_and_recalled(tmp_path: Path) -> None:
    made = table(25200)
    made[0, 12345, :5], made[0, 12345, 5 + 7] = (320, 320, 80, 40, 0.9), 0.9
    path = net(tmp_path / "m.onnx", {"output": made}, image())
    (truck,) = seen(path, 640, 320)  # 160 px of grey above
    assert truck.kind is UserClass.TRUCK
    assert truck.box == pytest.approx((280, 140, 360, 180))
    detector = Detector(path)
    assert detector.family.name == "yolov5"
    assert "never tried on a real file" in detector.warnings[0]


def test_a_sidecar_decides_where_sizes_are_near_the_border(tmp_path: Path) -> None:
    made = decoded()
    made[0, :, 2:4] = np.minimum(made[0, :, 2:4], 15.0)  # pixels, all below what tells them from exponents
    path = net(tmp_path / "m.onnx", {"output": made}, image(416, 416))
    (tmp_path / "m.toml").write_text('head = "yolox"\ndecoded = true\n')
    (car,) = seen(path, 416, 416)
    assert car.box == pytest.approx((168 - 7.5, 84 - 7.5, 168 + 7.5, 84 + 7.5))


def test_objectness_that_is_no_score_is_refused(tmp_path: Path) -> None:
    made = table(classes=1)
    made[0, 5, 4] = 7.5
    with pytest.raises(ModelRefused, match=r"not yolox: objectness and class scores reach from .* to 7.5"):
        Detector(net(tmp_path / "m.onnx", {"output": made}, image(416, 416)))


def test_the_raw_maps_of_a_yolov5_training_checkpoint_are_refused_with_all_shapes(tmp_path: Path) -> None:
    maps = {f"p{n}": np.zeros((1, 3, side, side, 85), np.float32) for n, side in ((3, 80), (4, 40), (5, 20))}
    with pytest.raises(ModelRefused) as refused:
        Detector(net(tmp_path / "m.onnx", maps, {"images": (FLOAT, [1, 3, 640, 640])}))
    told = str(refused.value)
    for words in ("images [1, 3, 640, 640] float", "p3 [1, 3, 80, 80, 85] float32", 'head = "NAME"', "yolox"):
        assert words in told
