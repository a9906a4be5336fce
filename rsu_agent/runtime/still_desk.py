"""The core's side of stills: asks the senses for one, writes down who asked, hands out the file."""

from __future__ import annotations

import json
import logging
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from rsu_agent.runtime.hub import Hub
from rsu_agent.runtime.still_files import NAME

log = logging.getLogger(__name__)
STILL = "still"  # the topic, both ways
MOST_BYTES = 4096
STILLS = "stills"  # the folder, in the state folder
WAIT_S = 35.0
Audit = Callable[[str, str, dict[str, Any]], None]


class StillDesk:
    """One at a time. audit: told of every still that was asked for: by whom, of which camera, what came."""

    def __init__(self, hub: Hub, state: Path, audit: Audit) -> None:
        self._hub, self._folder, self._audit = hub, state / STILLS, audit
        self._lock = anyio.Lock()
        self._answered, self._answer = anyio.Event(), dict[str, Any]()

    async def make(self, camera: str, who: str) -> dict[str, Any]:
        """What was made (`file`, `pictures`, `filled`, `expires`), or `refused` with a stable word."""
        if self._lock.locked():
            return {"refused": "busy"}
        async with self._lock:
            made = await self._asked(camera)
        log.warning("still of %s asked for by %s: %s", camera, who, made.get("refused", made.get("file")))
        self._audit(camera, who, made)
        return made

    def told(self, answer: dict[str, Any]) -> None:
        """The senses' answer."""
        self._answer = answer
        self._answered.set()

    def file(self, name: str) -> Path | None:
        """The file of a still, if there is one of that name."""
        path = self._folder / name
        return path if NAME.match(name) and path.is_file() else None

    async def _asked(self, camera: str) -> dict[str, Any]:
        self._answered = anyio.Event()
        if not self._hub.send("senses", STILL, camera):
            return {"refused": "senses"}
        with anyio.move_on_after(WAIT_S):
            while True:
                await self._answered.wait()
                if self._answer.get("camera") == camera:
                    return {key: value for key, value in self._answer.items() if key != "camera"}
                self._answered = anyio.Event()
        return {"refused": "senses"}


def still_routes(desk: StillDesk) -> list[Route]:
    """Having one made, and having its file."""

    async def make(request: Request) -> Response:
        camera = await _camera(request)
        if camera is None:
            return JSONResponse({"refused": "camera"}, status_code=400)
        made = await desk.make(camera, asker(request))
        return JSONResponse(made, status_code=409 if "refused" in made else 200)

    async def give(request: Request) -> Response:
        path = desk.file(request.path_params["name"])
        if path is None:
            return JSONResponse({"refused": "name"}, status_code=404)
        return FileResponse(path, media_type="image/png", headers={"Cache-Control": "no-store"})

    return [Route("/v1/still", make, methods=["POST"]), Route("/v1/still/{name}", give)]


def asker(request: Request) -> str:
    """The user of the box at the other end of the socket, as the kernel says."""
    host, _, number = (request.client.host if request.client else "").partition(":")
    if host != "uid" or not number.isdecimal():
        return "unknown"
    try:
        return pwd.getpwuid(int(number)).pw_name
    except KeyError:
        return f"uid {number}"


async def _camera(request: Request) -> str | None:
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        return None
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    camera = body.get("camera") if isinstance(body, dict) else None
    return camera if isinstance(camera, str) else None
