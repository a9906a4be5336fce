"""Stills in the senses process: made of what the cameras' threads see, kept seven days, then gone."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from rsu_agent.perception.heads.detection import Box, Detection
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.still import Picture, StillMaker, boxes_in
from rsu_agent.runtime.still_files import expires, still_name

log = logging.getLogger(__name__)


class NoStill(Exception):
    """Why none is made; the text is a stable word: camera, busy, detector."""


@dataclass
class _Making:
    """One still on its way: its pictures, then its median, then the file."""

    made: Future[dict[str, Any]]
    maker: StillMaker = field(default_factory=StillMaker)
    median: Future[Picture] | None = None


class Stills:
    """One camera makes one still at a time. `saw` is called by that camera's own thread.

    bodies: where those who are tracked are in a camera's picture, found by its detector or not.
    """

    def __init__(
        self,
        folder: Path,
        cameras: Sequence[str],
        detectors: Mapping[str, Detector],
        bodies: Callable[[str], list[Box]],
    ) -> None:
        self._folder, self._cameras, self._detectors = folder, frozenset(cameras), detectors
        self._bodies = bodies
        self._making: dict[str, _Making] = {}
        self._thread = ThreadPoolExecutor(1, "stills")

    def begin(self, camera: str) -> Future[dict[str, Any]]:
        """The still to come: {file, pictures, filled, expires}. Raises NoStill."""
        if camera not in self._cameras:
            raise NoStill("camera")
        if camera not in self._detectors:
            raise NoStill("detector")  # nobody would fill those who stand there all along
        if camera in self._making:
            raise NoStill("busy")
        self._making[camera] = making = _Making(Future())
        making.made.set_running_or_notify_cancel()  # whoever waits may go; the thread still sets it
        return making.made

    def forget(self, camera: str) -> None:
        """It took too long, or nobody waits any more."""
        self._making.pop(camera, None)

    def saw(self, camera: str, image: Picture, found: Sequence[Detection], at_s: float) -> None:
        """One picture that shows something, and the users found in it."""
        making = self._making.get(camera)
        if making is None:
            return
        if making.median is None:
            if making.maker.wants(at_s):
                boxes = [*(each.box for each in found), *self._bodies(camera)]
                making.maker.saw(image, boxes, at_s)
            if making.maker.ready:
                making.median = self._thread.submit(making.maker.median)
        elif making.median.done():
            self.forget(camera)
            still = making.maker.filled(making.median.result(), partial(boxes_in, self._detectors[camera]))
            self._thread.submit(self._keep, camera, still.image, still.pictures, still.filled, making.made)

    def _keep(
        self, camera: str, image: Picture, pictures: int, filled: int, made: Future[dict[str, Any]]
    ) -> None:
        now = datetime.now(UTC)
        path = self._folder / still_name(camera, now)
        try:
            self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            written = path.with_suffix(".part")
            written.write_bytes(cv2.imencode(".png", image)[1].tobytes())
            os.chmod(written, 0o640)
            written.replace(path)
        except OSError as error:
            log.error("still of %s not kept: %s", camera, error)
            made.set_result({"refused": "disk"})
            return
        made.set_result({"file": path.name, "pictures": pictures, "filled": filled, "expires": expires(now)})
