"""Look-alikes of what operators bring are as heavy as the originals and are taken for them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hil.bench.camera_threads import look
from hil.bench.operator_nets import NETS
from rsu_agent.cli.model_told import picture_of
from rsu_agent.perception.heads.detector import Detector

# Millions of parameters: facts/perception 3 for YOLOX, the originals' own table for YOLOv8n.
SMALL = 96  # pixels: the weight does not depend on it, the time of this test does
PARAMETERS = {"yolox_nano": (0.91, "yolox"), "yolox_s": (8.97, "yolox"), "yolov8n": (3.2, "ultralytics")}


@pytest.mark.parametrize("name", NETS)
def test_a_look_alike_has_the_originals_weight_and_head(name: str, tmp_path: Path) -> None:
    _, build = NETS[name]
    path = tmp_path / f"{name}.onnx"
    millions, family = PARAMETERS[name]
    assert build(path, SMALL, seed=3) == pytest.approx(millions, rel=0.03)
    detector = Detector(path)
    assert detector.family.name == family
    assert detector.head.classes == 80
    assert detector.detect(picture_of(None), None, 0.35) == []


def test_every_camera_is_looked_at_by_its_own_thread_and_counted() -> None:
    threads: list[set[int]] = [set(), set()]
    main = threading.get_ident()

    def camera(n: int) -> None:
        threads[n].add(threading.get_ident())

    looked = look([lambda: camera(0), lambda: camera(1)], 50.0, 0.2)
    assert looked.pictures_a_second > 0
    assert [len(each - {main}) for each in threads] == [1, 1]
    assert threads[0] - {main} != threads[1] - {main}


def test_pictures_that_are_not_done_before_the_next_are_not_on_time() -> None:
    held = threading.Event()
    looked = look([lambda: held.wait(0.05)], 100.0, 0.3)
    assert looked.on_time < 0.5
    assert look([lambda: None], 0.0, 0.05).on_time == 1.0
