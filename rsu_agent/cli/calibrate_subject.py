"""What the verbs of `rsu calibrate` are given: a site file and one of its sensors, a still of a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import because, say
from rsu_agent.settings.read import SiteRead, read_site

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rsu_agent.settings.sections import CameraSection

SiteOption = Annotated[Path, typer.Option("--site", help="The site file.")]
SITE = Path("/etc/rsu-agent/site.yaml")
STILL_S = 40.0  # to connect, and thirty pictures over ten seconds at the least
Changes = Mapping[str, Mapping[str, Any]]


def written_said(written: bool) -> str:
    """What is to be done after a calibration was written, or was only looked at."""
    if written:
        return say("written; restart the agent")
    return say("nothing is written: --write puts it into the site file")


def site_of(path: Path, *, as_json: bool) -> SiteRead:
    """The site; one that is wrong ends the command with every fault."""
    try:
        return read_site(path)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="invalid")
    except LookupError as error:  # a driver's package is broken
        stop(Exit.FAILED, str(error), as_json=as_json, reason="driver")


def section_of(sections: Sequence[Any], name: str, kind: str, *, as_json: bool) -> Any:
    """The sensor so named; a wrong name ends the command and tells the right ones."""
    found = next((each for each in sections if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in sections) or "none"
        stop(
            Exit.USAGE,
            say("no {kind} is named {name}; the site file has: {known}", kind=kind, name=name, known=known),
            as_json=as_json,
            reason=kind,
        )
    return found


def still_of(
    path: Path | None, section: CameraSection, site: SiteRead, *, as_json: bool
) -> npt.NDArray[np.uint8]:
    """The picture of a file, or a still of the camera in which nobody is; none ends the command."""
    from rsu_agent.web.calibrate_heads import read_still

    try:
        if path is not None:
            image = read_still(path, section.lens).image
            assert image is not None
            return image
        return _from_camera(section, site)
    except (ValueError, OSError) as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="still")


def keep_still(image: npt.NDArray[np.uint8], folder: Path, camera: str) -> Path:
    """Its new file; stills in that folder that are over are deleted. Raises OSError."""
    import cv2

    from rsu_agent.runtime.still_files import expire, still_name

    now = datetime.now(UTC)
    expire(folder, now)
    path = folder / still_name(camera, now)
    if not cv2.imwrite(str(path), image):
        raise OSError(say("{path} cannot be written", path=path))
    return path


def write_changes(site: Path, kind: str, name: str, changes: Changes, *, as_json: bool) -> None:
    """Puts changed values (part -> key -> value) into the sensor's section of the site file."""
    from rsu_agent.settings.written import NotWritable
    from rsu_agent.settings.written_values import write_values

    try:
        write_values(site, kind, name, changes)
    except (NotWritable, SiteInvalid) as error:
        stop(Exit.INVALID, say("not written: {error}", error=error), as_json=as_json, reason="site")
    except OSError as error:
        stop(
            Exit.FAILED,
            say("not written: {site}: {strerror}", site=site, strerror=because(error)),
            as_json=as_json,
            reason="site",
        )


def _from_camera(section: CameraSection, site: SiteRead) -> npt.NDArray[np.uint8]:
    """Raises ValueError where the camera gives no still."""
    import anyio
    from rich.console import Console
    from rich.progress import Progress

    from rsu_agent.perception.still import LEAST_PICTURES
    from rsu_agent.ports.clock import SystemClock
    from rsu_agent.ports.trouble import DeviceLost
    from rsu_agent.runtime.still_taken import detector_of, take_still

    async def still(progress: Progress) -> npt.NDArray[np.uint8]:
        bar = progress.add_task(say("watching, so that whoever moves vanishes"), total=LEAST_PICTURES)
        with anyio.fail_after(STILL_S):
            made = await take_still(
                section, detector, SystemClock(), lambda have: progress.update(bar, completed=have)
            )
        return made.image

    detector = detector_of(site)
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            return anyio.run(still, progress)
    except DeviceLost as lost:
        raise ValueError(
            say("camera {name}: {lost}: or give a picture with --still", name=section.name, lost=lost)
        ) from None
    except TimeoutError:
        raise ValueError(
            say("camera {name} gave too few pictures in {STILL_S:.0f} s", name=section.name, STILL_S=STILL_S)
        ) from None
