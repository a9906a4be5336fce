"""Cameras that no test machine has: what is asked of OpenCV, by an injected capture, and what is refused."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers.gstreamer import driver as gstreamer
from drivers.gstreamer.settings import Settings as PipelineSettings
from drivers.v4l2 import driver as v4l2
from drivers.v4l2.settings import Settings as DeviceSettings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.opencv import V4L_SELECT_S, has_gstreamer
from rsu_agent.ports.trouble import DeviceLost

CLOCK = SystemClock()
PIPELINE = (
    "rtspsrc location=rtsp://10.0.0.5/a user-id=me user-pw=thesecret ! decodebin ! videoconvert ! appsink"
)
WITH = "  Video I/O:\n    GStreamer:                   YES (1.22.0)\n"
WITHOUT = "  Video I/O:\n    FFMPEG:                      YES\n    GStreamer:                   NO\n"


class Asked:
    """Stands where OpenCV's VideoCapture stands, and notes how it was opened."""

    opened: list[tuple[Any, ...]]
    answers = True

    def __init__(self, *asked: Any) -> None:
        self.opened.append(asked)
        self._stamp_ms = 0.0

    def isOpened(self) -> bool:
        return self.answers

    def grab(self) -> bool:
        self._stamp_ms += 40.0
        return self._stamp_ms < 400.0

    def retrieve(self) -> tuple[bool, Any]:
        return True, np.zeros((4, 6, 3), np.uint8)

    def get(self, what: int) -> float:
        return self._stamp_ms if what == cv2.CAP_PROP_POS_MSEC else 0.0

    def release(self) -> None: ...


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(Asked, "opened", asked, raising=False)
    monkeypatch.setattr(cv2, "VideoCapture", Asked)
    monkeypatch.delenv(V4L_SELECT_S, raising=False)
    return asked


def pairs(flat: list[int]) -> dict[int, int]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


@pytest.mark.anyio
async def test_a_device_is_opened_with_what_the_site_file_asks_for(
    opened: list[tuple[Any, ...]],
) -> None:
    settings = DeviceSettings(device="/dev/null", width_px=1280, height_px=720, fourcc="MJPG", fps=25)
    async with v4l2.open_camera(settings, CLOCK) as camera:
        frame = await anext(camera)
    assert frame.image.shape == (4, 6, 3)
    (source, backend, wanted), *_ = opened
    assert (source, backend) == ("/dev/null", cv2.CAP_V4L2)
    assert pairs(wanted) == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 25,
    }


@pytest.mark.anyio
async def test_a_device_that_ends_is_closed_and_one_that_will_not_open_refused(
    opened: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with v4l2.open_camera(DeviceSettings(device="/dev/null"), CLOCK) as camera:
        with pytest.raises(DeviceLost, match="closed"):
            async for _ in camera:
                pass
    assert opened[0][2] == [], "what is not asked for stays as it is"
    monkeypatch.setattr(Asked, "answers", False)
    with pytest.raises(DeviceLost, match="refused: /dev/null"):
        async with v4l2.open_camera(DeviceSettings(device="/dev/null"), CLOCK):
            raise AssertionError("it is not open")


@pytest.mark.anyio
async def test_a_device_that_is_not_there_is_missing() -> None:
    with pytest.raises(DeviceLost, match="missing: there is no /dev/video-that-is-not-there"):
        async with v4l2.open_camera(DeviceSettings(device="/dev/video-that-is-not-there"), CLOCK):
            raise AssertionError("it is not open")


@pytest.mark.anyio
async def test_something_that_is_no_camera_is_refused_by_the_real_opencv() -> None:
    with pytest.raises(DeviceLost, match="refused: /dev/null cannot be opened"):
        async with v4l2.open_camera(DeviceSettings(device="/dev/null", width_px=64, height_px=48), CLOCK):
            raise AssertionError("it is not open")


def test_half_a_size_a_strange_format_and_a_path_elsewhere_are_no_settings() -> None:
    for told in (
        {"device": "/dev/video0", "width_px": 640},
        {"device": "/dev/video0", "fourcc": "motion"},
        {"device": "video0"},
    ):
        with pytest.raises(ValidationError):
            DeviceSettings.model_validate(told)


@pytest.mark.anyio
async def test_without_gstreamer_the_driver_says_so_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: WITHOUT)
    with pytest.raises(DeviceLost) as lost:
        async with gstreamer.open_camera(PipelineSettings(pipeline=PIPELINE), CLOCK):
            raise AssertionError("it is not open")
    assert str(lost.value) == "refused: this OpenCV is built without GStreamer"
    assert "driver: rtsp" in lost.value.hint


@pytest.mark.anyio
async def test_with_gstreamer_the_pipeline_is_opened_with_both_time_outs(
    opened: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: WITH)
    settings = PipelineSettings(pipeline=PIPELINE, open_timeout_s=1.5, read_timeout_s=2.5)
    async with gstreamer.open_camera(settings, CLOCK) as camera:
        await anext(camera)
    (source, backend, wanted), *_ = opened
    assert (source, backend) == (PIPELINE, cv2.CAP_GSTREAMER)
    assert pairs(wanted) == {cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: 1500, cv2.CAP_PROP_READ_TIMEOUT_MSEC: 2500}


@pytest.mark.anyio
async def test_a_pipeline_that_fails_is_not_printed(
    opened: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "getBuildInformation", lambda: WITH)
    monkeypatch.setattr(Asked, "answers", False)
    settings = PipelineSettings(pipeline=PIPELINE)
    assert "thesecret" not in repr(settings)
    with pytest.raises(DeviceLost) as lost:
        async with gstreamer.open_camera(settings, CLOCK):
            raise AssertionError("it is not open")
    assert str(lost.value) == "refused: the pipeline cannot be opened"


def test_gstreamer_is_found_in_the_description_of_the_build() -> None:
    assert has_gstreamer(WITH)
    assert not has_gstreamer(WITHOUT)
    assert not has_gstreamer("")


def test_a_pipeline_without_an_appsink_is_no_setting() -> None:
    with pytest.raises(ValidationError):
        PipelineSettings(pipeline="videotestsrc ! autovideosink")
