"""One detector a camera, each with a session of its own; what is used is told to log, metrics and doctor."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
import pytest
from prometheus_client import REGISTRY

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.pipeline import Perception
from rsu_agent.ports.assets import asset
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import Frame
from rsu_agent.runtime.detectors import Detectors
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.settings.sections import DetectorSection, Pose
from tests.perception.made_nets import image, net

CPU = "CPUExecutionProvider"
CAMERAS = ["north", "south"]


def section(model: Path | str, **more: Any) -> DetectorSection:
    return DetectorSection(model=str(model), **more)


def end_to_end(path: Path) -> Path:
    """One car, one chair, one box without a size; a rule that is only recalled recognises it."""
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, :3] = ((100, 100, 200, 200, 0.9, 2), (300, 300, 400, 400, 0.9, 56), (5, 5, 5, 5, 0.9, 2))
    return net(path, {"o": rows}, image())


def test_every_camera_has_its_own_session_and_what_runs_it_is_on_the_page(tmp_path: Path) -> None:
    made = Detectors(section(end_to_end(tmp_path / "m.onnx")), CAMERAS, tmp_path)
    assert list(made.of) == CAMERAS
    assert made.of["north"].model is not made.of["south"].model
    for camera in CAMERAS:
        labels = {"camera": camera, "provider": CPU}
        assert REGISTRY.get_sample_value("rsu_detector_nodes_ratio", labels) == 1.0
    assert made.told["providers"] == {CPU: 1.0}
    assert made.told["refused"] is None


def test_what_was_dropped_is_counted_camera_by_camera(tmp_path: Path) -> None:
    made = Detectors(section(end_to_end(tmp_path / "m.onnx")), ["yard"], tmp_path)
    for _ in range(2):
        assert len(made.of["yard"].detect(np.zeros((640, 640, 3), np.uint8), None, 0.3)) == 1
        made.measure()
    for reason in ("unmapped", "no_box"):
        labels = {"camera": "yard", "reason": reason}
        assert REGISTRY.get_sample_value("rsu_detections_dropped_total", labels) == 2.0


def test_a_rule_that_is_recalled_is_logged_as_a_warning_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        made = Detectors(section(end_to_end(tmp_path / "m.onnx")), CAMERAS, tmp_path)
    said = [record.getMessage() for record in caplog.records if "never tried" in record.getMessage()]
    assert len(said) == 1
    assert "ultralytics_end_to_end" in said[0]
    assert made.told["head"] == "ultralytics_end_to_end"


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("none.onnx", {}, "neither beside the site file"),
        ("models/detector/detector.onnx", {}, "simulation_only"),
        ("m.onnx", {"providers": ["CUDAExecutionProvider"]}, "CUDAExecutionProvider is not used"),
    ],
)
def test_a_refusal_is_logged_and_told_and_no_camera_has_a_detector(
    model: str, more: dict[str, Any], words: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    end_to_end(tmp_path / "m.onnx")
    made = Detectors(section(model, **more), CAMERAS, tmp_path)
    assert made.of == {}
    assert words in made.told["refused"]
    assert "no camera detection" in caplog.text


def test_without_cameras_or_section_nothing_is_opened(tmp_path: Path) -> None:
    assert Detectors(None, CAMERAS, tmp_path).of == {}
    assert Detectors(section("none.onnx"), [], tmp_path).told == {}


class Noting:
    """A detector that notes which thread asks it."""

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def detect(self, _image: object, _radar: object, _threshold: float) -> list[Detection]:
        self.threads.add(threading.current_thread().name)
        return []


async def frames(count: int) -> AsyncIterator[Frame]:
    dice = np.random.default_rng(1)
    for n in range(count):
        yield Frame(n, 1.0 + n / 10, 1.0 + n / 10, dice.integers(40, 200, (120, 160, 3), np.uint8))
        await anyio.lowlevel.checkpoint()


@pytest.mark.anyio
async def test_each_cameras_pictures_are_looked_at_by_a_thread_of_its_own() -> None:
    pose = Pose(x_east_m=0, y_north_m=0, height_m=6, yaw_deg=0)
    eyes = {name: GroundCamera(pose, 200.0, 160, 120) for name in CAMERAS}
    noting = {name: Noting() for name in CAMERAS}
    crossing = read_crossing(asset("config/crossings/virtual.geojson"))
    senses = Perception(eyes, {}, dict.fromkeys(CAMERAS, ()), noting, crossing, SystemClock())
    async with anyio.create_task_group() as tasks:
        for name in CAMERAS:
            tasks.start_soon(senses.watch_camera, name, frames(5), lambda: None)
    names = [noting[name].threads for name in CAMERAS]
    assert [len(each) for each in names] == [1, 1]
    assert names[0] != names[1]
