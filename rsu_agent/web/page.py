"""The page's server: static files, the agent's answers, one stream of what is live."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rsu_agent.runtime.safe_headers import SafeHeaders
from rsu_agent.runtime.streams import Streams
from rsu_agent.web.upstream import Newest, Upstream

MOST_STREAMS = 32
SILENT = "event: silent\ndata: {}\n\n"


def page_app(control: Path) -> Starlette:
    """The whole page over the control socket at `control`."""
    upstream = Upstream(control)
    newest = Newest(upstream)
    static = Path(str(files("rsu_agent.web"))) / "static"
    streams = Streams(MOST_STREAMS)

    async def answer(request: Request) -> Response:
        what = request.path_params["what"]
        if what not in ("status", "crossing", "messages", "guard"):
            return PlainTextResponse("no such page\n", status_code=404)
        try:
            return JSONResponse(await upstream.get(what))
        except ConnectionError as error:
            return JSONResponse({"error": str(error)}, status_code=503)

    async def live(request: Request) -> Response:
        return streams.open(_live(request, newest))

    async def index(_request: Request) -> Response:
        return FileResponse(static / "index.html")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        follower = asyncio.create_task(newest.run())
        yield
        follower.cancel()

    app = Starlette(
        routes=[
            Route("/", index),
            Route("/api/live", live),
            Route("/api/{what}", answer),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[Middleware(SafeHeaders)],
        lifespan=lifespan,
    )
    app.state.newest = newest
    return app


async def _live(request: Request, newest: Newest) -> AsyncIterator[str]:
    number = -1
    while not await request.is_disconnected():
        number, text = await newest.after(number)
        if newest.ended:
            return
        yield SILENT if text is None else f"data: {text}\n\n"
