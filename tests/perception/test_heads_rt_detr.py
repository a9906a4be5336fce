"""RT-DETR, D-FINE, DEIM: boxes in units of the sizes fed, outputs in any order, with or without a batch."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, INT64, net, picture, seen

INPUTS = {"images": (FLOAT, [1, 3, 320, 320]), "orig_target_sizes": (INT64, [1, 2])}


def outputs(queries: int = 300) -> dict[str, np.ndarray[Any, Any]]:
    """Query 7 is a car, query 9 a person, query 11 a chair; boxes in pixels of the 320 x 320 that is fed."""
    labels = np.zeros((1, queries), np.int64)
    boxes = np.zeros((1, queries, 4), np.float32)
    scores = np.full((1, queries), 0.01, np.float32)
    for query, label, box, score in (
        (7, 2, (32, 64, 96, 128), 0.9),
        (9, 0, (160, 160, 176, 224), 0.6),
        (11, 56, (0, 0, 50, 50), 0.8),
    ):
        labels[0, query], boxes[0, query], scores[0, query] = label, box, score
    return {"labels": labels, "boxes": boxes, "scores": scores}


@pytest.mark.parametrize("order", list(permutations(["labels", "boxes", "scores"])))
@pytest.mark.parametrize("squeezed", [False, True])
def test_any_order_and_a_squeezed_batch_are_decoded_to_the_pixel(
    order: tuple[str, ...], squeezed: bool, tmp_path: Path
) -> None:
    made = outputs()
    given = {f"o{n}": made[name][0] if squeezed else made[name] for n, name in enumerate(order)}
    car, person = seen(net(tmp_path / "m.onnx", given, INPUTS), 640, 480)
    # Stretched: 640/320 = 2 across, 480/320 = 1.5 down.
    assert car.kind is UserClass.CAR
    assert car.box == pytest.approx((64, 96, 192, 192))
    assert car.score == pytest.approx(0.9)
    assert person.kind is UserClass.PEDESTRIAN
    assert person.box == pytest.approx((320, 240, 352, 336))
    assert person.ground == pytest.approx((336, 336))
    assert not person.grounded


def test_it_is_recognised_by_its_second_input_and_told_so(tmp_path: Path) -> None:
    detector = Detector(net(tmp_path / "m.onnx", outputs(), INPUTS))
    assert detector.family.name == "rt_detr"
    assert "orig_target_sizes" in detector.head.why
    assert (detector.preparation.resize, detector.preparation.colour) == ("stretch", "rgb")
    assert detector.preparation.std == (255.0, 255.0, 255.0)


def test_boxes_of_one_user_under_two_queries_are_both_kept_nothing_is_suppressed(tmp_path: Path) -> None:
    made = outputs()
    made["labels"][0, 8], made["boxes"][0, 8], made["scores"][0, 8] = 2, (33, 64, 97, 128), 0.5
    assert len(seen(net(tmp_path / "m.onnx", made, INPUTS), 640, 480)) == 3


def test_what_is_of_no_class_of_ours_is_dropped_and_counted(tmp_path: Path) -> None:
    detector = Detector(net(tmp_path / "m.onnx", outputs(), INPUTS))
    detector.detect(picture(640, 480), None, 0.3)
    detector.detect(picture(640, 480), None, 0.3)
    assert detector.dropped == {"unmapped": 2, "no_box": 0}


def test_two_kinds_of_scores_instead_of_boxes_are_refused_with_the_reason(tmp_path: Path) -> None:
    made = outputs()
    made["boxes"] = made["scores"]
    with pytest.raises(ModelRefused, match="boxes of four and one score for each of 300 labels"):
        Detector(net(tmp_path / "m.onnx", made, INPUTS))
