"""The page on which an installer draws a box around each signal head of a still: `rsu calibrate heads`."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import cv2
import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.lamps import HeadBox, read_once
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.safe_headers import SafeHeaders
from rsu_agent.runtime.still_files import expired
from rsu_agent.runtime.still_taken import stills
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import read_site
from rsu_agent.settings.sections import CameraSection, HeadSection, Lens
from rsu_agent.settings.written import NotWritable, write_heads
from rsu_agent.world.signal import Colour

MOST_HEADS, MOST_BYTES = 64, 65_536
HERE = ["127.0.0.1", "localhost", "::1"]  # a page of elsewhere whose name leads to this machine is refused
REOPEN_S = 2.0


@dataclass
class Still:
    """The picture that boxes are drawn on: a file's, or live a camera's, made so that nobody is in it.

    newest: the camera's last picture, in which lamps are read; it is shown to nobody. trouble: why no more
    come, or `making: N`, how many pictures the first still has.
    """

    image: npt.NDArray[np.uint8] | None = None
    newest: npt.NDArray[np.uint8] | None = None
    number: int = 0
    live: bool = False
    trouble: str | None = None

    @property
    def seen(self) -> npt.NDArray[np.uint8] | None:
        """What lamps are read in."""
        return self.image if self.newest is None else self.newest


async def follow(still: Still, camera: CameraSection, detector: Detector, clock: Clock) -> None:
    """Keeps the newest still of a camera, through its losses, until cancelled."""
    while True:
        try:
            async with aclosing(stills(camera, detector, clock)) as coming:
                async for still.newest, have, made in coming:
                    still.trouble = f"making: {have}" if still.image is None else None
                    if made is not None:
                        still.image, still.number, still.trouble = made.image, still.number + 1, None
            still.trouble = "closed"
        except (DeviceLost, ValueError) as lost:
            still.trouble = str(lost)
        await clock.sleep(REOPEN_S)


def calibrate_app(site: Path, camera: str, still: Still) -> Starlette:
    """The page over one camera of a site file that is valid."""
    static = Path(str(files("rsu_agent.web"))) / "static"
    page = _Page(site, camera, still)

    async def index(_request: Request) -> Response:
        return FileResponse(static / "calibrate.html")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/api/state", page.state),
            Route("/api/still", page.picture),
            Route("/api/read", page.read, methods=["POST"]),
            Route("/api/heads", page.save, methods=["PUT"]),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HERE), Middleware(SafeHeaders)],
    )


class _Page:
    """What the page asks for."""

    def __init__(self, site: Path, camera: str, still: Still) -> None:
        self._site, self._camera, self._still = site, camera, still

    async def state(self, _request: Request) -> Response:
        """The camera, the lamp groups there are, and the heads as the file has them now."""
        try:
            settings = (await anyio.to_thread.run_sync(read_site, self._site)).settings
        except SiteInvalid as invalid:
            return _refused(422, _faults(invalid))
        section = next((each for each in settings.cameras if each.name == self._camera), None)
        if section is None:
            return _refused(422, [{"path": "cameras", "reason": f"no camera is named {self._camera}"}])
        groups = {group: phase for phase, members in settings.signals.phases.items() for group in members}
        return JSONResponse(
            {
                "camera": self._camera,
                "file": str(self._site),
                "lens": [section.lens.width_px, section.lens.height_px],
                "groups": [{"group": group, "phase": groups[group]} for group in sorted(groups)],
                "heads": [head.model_dump() for head in section.heads],
                **self._of_still(),
            }
        )

    async def picture(self, _request: Request) -> Response:
        """The still, without loss: heads are a few pixels wide."""
        image = self._still.image
        if image is None:
            return JSONResponse(self._of_still(), status_code=503)
        _, png = await anyio.to_thread.run_sync(cv2.imencode, ".png", image)
        return Response(png.tobytes(), media_type="image/png")

    async def read(self, request: Request) -> Response:
        """What is read in each box of the still now, or why nothing can be."""
        image, heads = self._still.seen, await _told_heads(request)
        if heads is None:
            return _refused(400, [{"path": "heads", "reason": "is no list of heads"}])
        if image is None:
            return JSONResponse(self._of_still(), status_code=503)
        return JSONResponse({"seen": _read(image, heads), **self._of_still()})

    async def save(self, request: Request) -> Response:
        """Puts the heads into the site file, where it stays valid with them."""
        heads = await _told_heads(request)
        if heads is None or not request.headers.get("content-type", "").startswith("application/json"):
            return _refused(400, [{"path": "heads", "reason": "is no list of heads"}])
        checked = [_checked(head) for head in heads]
        if any(isinstance(head, str) for head in checked):
            rows = [{"path": f"heads.{n}", "reason": h} for n, h in enumerate(checked) if isinstance(h, str)]
            return _refused(422, rows)
        plain = [head.model_dump() for head in checked if isinstance(head, HeadSection)]
        try:
            await anyio.to_thread.run_sync(write_heads, self._site, self._camera, plain)
        except SiteInvalid as invalid:
            return _refused(422, _faults(invalid))
        except NotWritable as error:
            return _refused(422, [{"path": "cameras", "reason": str(error)}])
        except OSError as error:
            return _refused(500, [{"path": str(self._site), "reason": error.strerror or str(error)}])
        return JSONResponse({"saved": len(plain)})

    def _of_still(self) -> dict[str, Any]:
        image, still = self._still.image, self._still
        size = None if image is None else [image.shape[1], image.shape[0]]
        return {"picture": size, "number": still.number, "live": still.live, "trouble": still.trouble}


def _read(image: npt.NDArray[np.uint8], heads: list[Any]) -> list[dict[str, str | None]]:
    checked = [_checked(head) for head in heads]
    boxes = [
        HeadBox.of(head.group, head.box, head.layout) for head in checked if isinstance(head, HeadSection)
    ]
    colours = iter(read_once(image, boxes))
    return [
        {"colour": Colour.UNKNOWN, "fault": head}
        if isinstance(head, str)
        else {"colour": next(colours), "fault": None}
        for head in checked
    ]


def _checked(head: Any) -> HeadSection | str:
    """The head, or what is wrong with it."""
    try:
        return HeadSection.model_validate(head)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return str(first["msg"]).removeprefix("Value error, ")


async def _told_heads(request: Request) -> list[Any] | None:
    """The list in the body; None where there is none, or one that no page would send."""
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        return None
    try:
        told = await request.json()
    except ValueError:
        return None
    heads = told.get("heads") if isinstance(told, dict) else None
    return heads if isinstance(heads, list) and len(heads) <= MOST_HEADS else None


def _faults(invalid: SiteInvalid) -> list[dict[str, str]]:
    return [{"path": fault.path, "reason": fault.reason} for fault in invalid.faults]


def _refused(status: int, faults: list[dict[str, str]]) -> Response:
    return JSONResponse({"faults": faults}, status_code=status)


def read_still(path: Path, lens: Lens) -> Still:
    """A picture from a file. Raises ValueError where it is none, or not of the lens's size, or a still
    of ours that is over: that file is deleted."""
    if expired(path.name, datetime.now(UTC)):
        path.unlink(missing_ok=True)
        raise ValueError(f"{path} was over after seven days and is deleted: take another still")
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is no picture")
    height, width = image.shape[:2]
    if (width, height) != (lens.width_px, lens.height_px):
        size = f"{lens.width_px}x{lens.height_px}"
        raise ValueError(f"{path} is {width}x{height} px, but the camera's lens says {size} px")
    return Still(np.asarray(image, np.uint8), number=1)
