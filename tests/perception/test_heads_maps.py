"""FastestDet's map of cells, and our own centre-point head behind the same door."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import CentrePointDetector, Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.ports.assets import asset
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, image, net, picture, seen


def fastest(classes: int = 80) -> np.ndarray[Any, Any]:
    """A car in row 4, column 6 of 22 x 22: x = (tanh 0.5 + 6)/22, y = 4/22, a quarter wide, half high."""
    made = np.full((1, 5 + classes, 22, 22), 0.001, np.float32)
    made[0, :5, 4, 6] = (0.9, 0.5, 0.0, math.log(1 / 3), 0.0)
    made[0, 5 + 2, 4, 6] = 0.8
    return made


@pytest.mark.parametrize("squeezed", [False, True])
def test_fastestdet_is_decoded_to_the_pixel(squeezed: bool, tmp_path: Path) -> None:
    made = fastest()[0] if squeezed else fastest()
    (car,) = seen(net(tmp_path / "m.onnx", {"output": made}, image(352, 352)), 704, 352)
    x, y = (math.tanh(0.5) + 6) / 22 * 704, 4 / 22 * 352
    assert car.kind is UserClass.CAR
    assert car.score == pytest.approx(0.9**0.6 * 0.8**0.4)
    assert car.box == pytest.approx((x - 88, max(0, y - 88), x + 88, y + 88), rel=1e-5)


def test_a_map_of_the_pictures_own_size_is_no_head(tmp_path: Path) -> None:
    made = np.zeros((1, 19, 352, 352), np.float32)
    with pytest.raises(ModelRefused, match="no known head"):
        Detector(net(tmp_path / "m.onnx", {"masks": made}, image(352, 352)))


OURS = {"image": (FLOAT, [1, 3, 384, 640]), "radar": (FLOAT, [1, 2, 96, 160])}
TOLD = {"head": "rsu_centre_point", "classes": "car,pedestrian", "stride": "8", "scale": "32"}


def ours() -> dict[str, np.ndarray[Any, Any]]:
    cls = np.full((1, 2, 48, 80), -9.0, np.float32)
    cls[0, 1, 10, 20] = 3.0
    reg = np.zeros((1, 6, 48, 80), np.float32)
    reg[0, :, 10, 20] = (1.0, 0.5, 1.0, 0.5, 0.25, 0.5)
    return {"reg": reg, "cls": cls}  # not in the usual order


def test_our_own_head_gives_its_ground_point_and_is_surer_of_it(tmp_path: Path) -> None:
    (found,) = seen(net(tmp_path / "m.onnx", ours(), OURS, TOLD), 1280, 768)
    assert found.kind is UserClass.PEDESTRIAN
    assert found.box == pytest.approx((2 * 132, 2 * 68, 2 * 196, 2 * 100))
    assert found.ground == pytest.approx((2 * 172, 2 * 100))
    assert found.grounded


def test_our_maps_of_another_size_are_refused(tmp_path: Path) -> None:
    made = {name: value[:, :, ::2, ::2] for name, value in ours().items()}
    with pytest.raises(ModelRefused, match="no maps of"):
        Detector(net(tmp_path / "m.onnx", made, OURS, TOLD))


def test_the_door_of_our_own_head_refuses_others(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="the head is fastestdet, not rsu_centre_point"):
        CentrePointDetector(net(tmp_path / "m.onnx", {"output": fastest()}, image(352, 352)))


def test_the_shipped_weights_are_recognised_by_their_own_metadata_and_find_nobody_on_plain_grey() -> None:
    detector = Detector(asset("models/detector/detector.onnx"), ["simulation_only"])
    assert (detector.family.name, detector.head.why) == ("rsu_centre_point", "its metadata")
    assert (detector.use, detector.licence) == ("simulation_only", "Apache-2.0")
    assert detector.warnings == ()
    assert detector.detect(picture(640, 384), None, 0.35) == []
