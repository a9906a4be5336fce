"""What the verbs of `rsu calibrate` are given: a site file and one of its sensors, a still of a camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import SiteRead, read_site

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rsu_agent.settings.sections import CameraSection

SiteOption = Annotated[Path, typer.Option("--site", help="The site file.")]
SITE = Path("/etc/rsu-agent/site.yaml")
FIRST_PICTURE_S = 15.0
Changes = Mapping[str, Mapping[str, Any]]


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
            Exit.USAGE, f"no {kind} is named {name}; the site file has: {known}", as_json=as_json, reason=kind
        )
    return found


def still_of(path: Path | None, section: CameraSection, *, as_json: bool) -> npt.NDArray[np.uint8]:
    """The picture of a file, or the camera's next one; none ends the command."""
    from rsu_agent.web.calibrate_heads import read_still

    try:
        if path is not None:
            image = read_still(path, section.lens).image
            assert image is not None
            return image
        return _from_camera(section)
    except (ValueError, OSError) as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="still")


def write_changes(site: Path, kind: str, name: str, changes: Changes, *, as_json: bool) -> None:
    """Puts changed values (part -> key -> value) into the sensor's section of the site file."""
    from rsu_agent.settings.written import NotWritable
    from rsu_agent.settings.written_values import write_values

    try:
        write_values(site, kind, name, changes)
    except (NotWritable, SiteInvalid) as error:
        stop(Exit.INVALID, f"not written: {error}", as_json=as_json, reason="site")
    except OSError as error:
        stop(Exit.FAILED, f"not written: {site}: {error.strerror}", as_json=as_json, reason="site")


def _from_camera(section: CameraSection) -> npt.NDArray[np.uint8]:
    """Raises ValueError where the camera gives none, or one of another size."""
    import anyio

    from rsu_agent.ports.clock import SystemClock
    from rsu_agent.ports.plugins import plugins
    from rsu_agent.ports.trouble import DeviceLost
    from rsu_agent.settings.model import driver_settings

    async def first() -> npt.NDArray[np.uint8]:
        opener = plugins()[section.driver].open
        with anyio.fail_after(FIRST_PICTURE_S):
            async with opener(driver_settings(section), SystemClock()) as frames:
                async for frame in frames:
                    image: npt.NDArray[np.uint8] = frame.image
                    return image
        raise ValueError(f"camera {section.name} gave no picture")

    try:
        image = anyio.run(first)
    except DeviceLost as lost:
        raise ValueError(f"camera {section.name}: {lost}: or give a picture with --still") from None
    except TimeoutError:
        raise ValueError(f"camera {section.name} gave no picture in {FIRST_PICTURE_S:.0f} s") from None
    height, width = image.shape[:2]
    if (width, height) != (section.lens.width_px, section.lens.height_px):
        size = f"{section.lens.width_px}x{section.lens.height_px}"
        raise ValueError(f"camera {section.name} gives {width}x{height} px, but its lens says {size} px")
    return image
