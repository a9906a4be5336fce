"""OpenCV's captures and decoder behind one door, loaded when first used: not every process has pictures."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.newest_frame import NEARLY, Capture
from rsu_agent.ports.trouble import DeviceLost

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"  # read by OpenCV at every open, one for the whole process
V4L_SELECT_S = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT"  # whole seconds, likewise; 10 by default
BUILT_WITH = re.compile(r"^\s*GStreamer:\s*(YES|NO)", re.MULTILINE)

_transport: str | None = None


def decoded(jpeg: bytes) -> npt.NDArray[np.uint8] | None:
    """A picture, HxWx3 BGR, None where the bytes are none."""
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return None if image is None else np.asarray(image, np.uint8)


def picture_of(path: Path) -> npt.NDArray[np.uint8] | None:
    """The picture in a file, None where it is none."""
    try:
        return decoded(path.read_bytes())
    except OSError:
        return None


def choose_transport(transport: Literal["tcp", "udp"]) -> None:
    """How RTSP fetches its pictures. OpenCV has one setting a process: it is said before the first open.

    Options that are in the environment already stay. Raises DeviceLost('refused') for a second, other wish.
    """
    global _transport
    if _transport is None and FFMPEG_OPTIONS in os.environ:
        return
    if _transport not in (None, transport):
        hint = "OpenCV knows one transport for all cameras of a process: give all rtsp cameras the same"
        raise DeviceLost("refused", f"other cameras have transport {_transport}", hint)
    _transport = transport
    os.environ[FFMPEG_OPTIONS] = f"rtsp_transport;{transport}|fflags;nobuffer|flags;low_delay"


def stream_capture(address: str, settings: CameraDeclared, where: str) -> Capture:
    """A network stream through FFmpeg. address: with its password; where: without. Raises DeviceLost."""
    import cv2

    # One decoder thread: each further one holds a picture back
    wanted = _timeouts(settings) | {cv2.CAP_PROP_N_THREADS: 1}
    return _opened(address, cv2.CAP_FFMPEG, wanted, settings.open_timeout_s, where)


def pipeline_capture(pipeline: str, settings: CameraDeclared, where: str) -> Capture:
    """What an appsink of GStreamer gives. Raises DeviceLost: `refused` where OpenCV lacks GStreamer."""
    import cv2

    if not has_gstreamer(cv2.getBuildInformation()):
        hint = "the wheel of OpenCV has none: use the system's OpenCV (on Jetson boards), or driver: rtsp"
        raise DeviceLost("refused", "this OpenCV is built without GStreamer", hint)
    return _opened(pipeline, cv2.CAP_GSTREAMER, _timeouts(settings), settings.open_timeout_s, where)


def has_gstreamer(build: str) -> bool:
    """Whether OpenCV's description of its build names GStreamer."""
    said = BUILT_WITH.search(build)
    return said is not None and said.group(1) == "YES"


def device_capture(
    device: str, size: tuple[int, int] | None, fourcc: str | None, fps: float | None, settings: CameraDeclared
) -> Capture:
    """A V4L2 device; what is None stays as the device has it. Raises DeviceLost."""
    import cv2

    os.environ.setdefault(V4L_SELECT_S, str(max(1, round(settings.read_timeout_s))))
    wanted: dict[int, float] = {}
    if fourcc is not None:
        wanted[cv2.CAP_PROP_FOURCC] = cv2.VideoWriter.fourcc(*fourcc)
    if size is not None:
        wanted[cv2.CAP_PROP_FRAME_WIDTH], wanted[cv2.CAP_PROP_FRAME_HEIGHT] = size
    if fps is not None:
        wanted[cv2.CAP_PROP_FPS] = fps
    return _opened(device, cv2.CAP_V4L2, wanted, settings.open_timeout_s, device)


def file_capture(path: Path) -> tuple[Capture, float]:
    """A video file and its pictures a second, 0 where it tells none. Raises DeviceLost."""
    import cv2

    capture = _opened(str(path), cv2.CAP_FFMPEG, {}, float("inf"), str(path))
    return capture, max(0.0, float(capture.get(cv2.CAP_PROP_FPS)))


def _timeouts(settings: CameraDeclared) -> dict[int, float]:
    """Heeded only as parameters of open: set afterwards they do nothing."""
    import cv2

    return {
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: settings.open_timeout_s * 1000,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC: settings.read_timeout_s * 1000,
    }


def _opened(source: str, backend: int, wanted: Mapping[int, float], timeout_s: float, where: str) -> Capture:
    import cv2

    began_s = time.monotonic()
    flat: list[Any] = [int(number) for pair in wanted.items() for number in pair]
    capture = cv2.VideoCapture(source, backend, flat)
    if capture.isOpened():
        return capture
    capture.release()
    if time.monotonic() - began_s >= NEARLY * timeout_s:
        raise DeviceLost("timeout", f"{where} does not answer", "check the network to the camera")
    raise DeviceLost("refused", f"{where} cannot be opened", "check its address, name and password")
