"""A still taken by the command itself, of a camera that no agent has open: the same median, boxes filled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.pipeline import SURE
from rsu_agent.perception.still import LEAST_PICTURES, Picture, Still, StillMaker, boxes_in
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.detectors import opened
from rsu_agent.settings.model import open_section
from rsu_agent.settings.read import SiteRead
from rsu_agent.settings.sections import CameraSection

NOBODY = (
    "nobody would paint over those who stand in the picture: name a model under perception.detector, "
    "or give a picture with --still"
)


def detector_of(site: SiteRead) -> Detector:
    """The site's detector. Raises ValueError where it has none that may be used."""
    section = site.settings.perception.detector
    if section is None:
        raise ValueError(f"there is no detector: {NOBODY}")
    try:
        return opened(section, site.folder)
    except (ModelRefused, FileNotFoundError) as refused:
        raise ValueError(f"no detector: {refused}; {NOBODY}") from None


async def take_still(
    section: CameraSection, detector: Detector, clock: Clock, told: Callable[[int], None] = lambda _: None
) -> Still:
    """The camera's next still; told: how many of its pictures there are. Raises DeviceLost, ValueError."""
    async with aclosing(stills(section, detector, clock)) as coming:
        async for _, have, still in coming:
            told(have)
            if still is not None:
                return still
    raise ValueError(f"camera {section.name} gave no picture")


async def stills(
    section: CameraSection, detector: Detector, clock: Clock
) -> AsyncGenerator[tuple[Picture, int, Still | None]]:
    """Each picture of the camera, for reading in this process; how many the next still has; the still,
    once it is made, and then the next. Raises DeviceLost when the camera goes, ValueError when its pictures
    are of another size than its lens says."""
    maker = StillMaker()
    size = section.lens.width_px, section.lens.height_px
    async with open_section(section, clock) as frames:
        async for frame in frames:
            height, width = frame.image.shape[:2]
            if (width, height) != size:
                said = f"gives {width}x{height} px, but its lens says {size[0]}x{size[1]} px"
                raise ValueError(f"camera {section.name} {said}")
            if maker.wants(frame.arrived_s):
                found = await asyncio.to_thread(boxes_in, detector, frame.image, SURE)
                maker.saw(frame.image, found, frame.arrived_s)
            still = None
            if maker.ready:
                still = await asyncio.to_thread(_made, maker, detector)
                maker = StillMaker()
            yield frame.image, min(LEAST_PICTURES, maker.pictures), still


def _made(maker: StillMaker, detector: Detector) -> Still:
    return maker.filled(maker.median(), partial(boxes_in, detector))
