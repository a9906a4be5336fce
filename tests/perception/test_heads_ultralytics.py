"""YOLOv8 to v11: boxes in pixels of a centred letterbox; names and size of the metadata; end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, cell, image, net, seen

TOLD = {"task": "detect", "stride": "32", "imgsz": "[640, 640]"}
CARS = ((3, 0.9), (4, 0.8))  # the same car in two neighbouring cells


def dense(classes: int = 80, width: int = 640, height: int = 640) -> np.ndarray[Any, Any]:
    """A car twice (suppressed to one), a bus at the same place, a person; pixels of the letterbox."""
    cells = cell(width, height, 32, 0, 0) + (-(-width // 32)) * (-(-height // 32))
    table = np.full((1, 4 + classes, cells), 0.001, np.float32)
    if classes < 80:
        return table  # nobody is seen: only its shape matters
    for n, score in CARS:
        table[0, :4, n] = (320 + n, 320, 100, 60)
        table[0, 4 + 2, n] = score
    table[0, :4, 900], table[0, 4 + 5, 900] = (323, 320, 100, 60), 0.5
    table[0, :4, 77], table[0, 4, 77] = (100, 200, 20, 50), 0.7
    return table


def test_a_centred_letterbox_is_taken_away_to_the_pixel(tmp_path: Path) -> None:
    found = seen(net(tmp_path / "m.onnx", {"output0": dense()}, image()), 1280, 720)
    # 1280 x 720 into 640: half as large, 640 x 360, so 140 px of grey above and below.
    assert [item.kind for item in found] == [UserClass.CAR, UserClass.PEDESTRIAN, UserClass.BUS]
    assert found[0].box == pytest.approx((2 * 273, 2 * (290 - 140), 2 * 373, 2 * (350 - 140)))
    assert found[1].box == pytest.approx((2 * 90, 2 * (175 - 140), 2 * 110, 2 * (225 - 140)))
    assert found[1].ground == pytest.approx((200, 170))


def test_an_upright_picture_has_its_grey_left_and_right(tmp_path: Path) -> None:
    found = seen(net(tmp_path / "m.onnx", {"output0": dense()}, image()), 480, 640)
    # As large as it is; 80 px of grey on either side.
    assert found[0].box == pytest.approx((273 - 80, 290, 373 - 80, 350))


def test_a_squeezed_batch_is_the_same(tmp_path: Path) -> None:
    found = seen(net(tmp_path / "m.onnx", {"output0": dense()[0]}, image()), 1280, 720)
    assert [item.kind for item in found] == [UserClass.CAR, UserClass.PEDESTRIAN, UserClass.BUS]


def test_names_of_the_metadata_are_mapped_others_dropped_and_a_dynamic_export_takes_its_size_there(
    tmp_path: Path,
) -> None:
    names = {0: "dog", 1: "person", 2: "Truck"}
    table = dense(3, 320, 192)
    inputs = {"images": (FLOAT, ["batch", 3, "height", "width"])}
    told = {**TOLD, "imgsz": "[192, 320]", "names": repr(names)}
    path = net(tmp_path / "m.onnx", {"output0": table}, inputs, told, shapes={"output0": ["b", 7, "n"]})
    detector = Detector(path)
    assert (detector.width, detector.height) == (320, 192)
    assert detector.head.why == "metadata stride and task"
    assert detector.classes == {1: UserClass.PEDESTRIAN, 2: UserClass.TRUCK}


def test_names_that_are_none_of_ours_and_numbers_without_names_are_refused(tmp_path: Path) -> None:
    told = {**TOLD, "names": "{0: 'helmet', 1: 'vest'}"}
    with pytest.raises(ModelRefused, match="none of its classes is ours: helmet, vest"):
        Detector(net(tmp_path / "m.onnx", {"output0": dense(2)}, image(), told))
    with pytest.raises(ModelRefused, match=r"12 classes without names(.|\n)*\[classes\]"):
        Detector(net(tmp_path / "n.onnx", {"output0": dense(12)}, image()))


@pytest.mark.parametrize("task", ["segment", "pose", "classify"])
def test_other_tasks_are_refused_by_name(task: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=f"metadata say task {task}"):
        Detector(net(tmp_path / "m.onnx", {"output0": dense()}, image(), {**TOLD, "task": task}))


def test_scores_that_are_none_are_refused_with_their_range(tmp_path: Path) -> None:
    table = dense()
    table[0, 4:] = -5.0
    with pytest.raises(ModelRefused, match="class scores reach from -5 to -5, not from 0 to 1"):
        Detector(net(tmp_path / "m.onnx", {"output0": table}, image()))


def rows() -> np.ndarray[Any, Any]:
    """Two overlapping cars and a chair of an end-to-end export."""
    table = np.zeros((1, 300, 6), np.float32)
    table[0, 0] = (100, 200, 200, 300, 0.9, 2)
    table[0, 1] = (102, 200, 202, 300, 0.6, 2)
    table[0, 2] = (0, 200, 50, 300, 0.8, 56)
    return table


@pytest.mark.parametrize("told", [{}, {**TOLD, "end2end": "True"}])
def test_an_end_to_end_export_is_not_suppressed_and_warns_that_the_rule_is_recalled(
    told: dict[str, str], tmp_path: Path
) -> None:
    path = net(tmp_path / "m.onnx", {"output0": rows()}, image(), told)
    assert [item.box for item in seen(path, 640, 640)] == [
        pytest.approx((100, 200, 200, 300)),
        pytest.approx((102, 200, 202, 300)),
    ]
    detector = Detector(path)
    assert detector.family.name == "ultralytics_end_to_end"
    assert "never tried on a real file" in detector.warnings[0]
