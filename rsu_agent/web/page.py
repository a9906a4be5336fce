"""The page's server: static files, the agent's answers, one stream of what is live, and few orders."""

from __future__ import annotations

import asyncio
import contextlib
import time
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
from rsu_agent.web.access import Access
from rsu_agent.web.history import History
from rsu_agent.web.orders import order_routes
from rsu_agent.web.upstream import Newest, Upstream

MOST_STREAMS = 32
SILENT = "event: silent\ndata: {}\n\n"
STATIC = Path(str(files("rsu_agent.web"))) / "static"
ANSWERS = ("status", "crossing", "messages", "guard", "senses", "config", "log")


def page_app(control: Path, access: Access) -> Starlette:
    """The whole page over the control socket at `control`."""
    upstream, history = Upstream(control), History()
    newest = Newest(upstream, history)
    streams = Streams(MOST_STREAMS)

    async def answer(request: Request) -> Response:
        what = request.path_params["what"]
        if what not in ANSWERS:
            return PlainTextResponse("no such page\n", status_code=404)
        try:
            return JSONResponse(await upstream.get(what))
        except ConnectionError as error:
            return JSONResponse({"error": str(error)}, status_code=503)

    async def seen(_request: Request) -> Response:
        return JSONResponse(history.told(time.monotonic()))

    async def live(request: Request) -> Response:
        return streams.open(_live(request, newest, access))

    async def index(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html")

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        follower = asyncio.create_task(newest.run())
        yield
        follower.cancel()

    app = Starlette(
        routes=[
            Route("/", index),
            *access.routes(),
            *order_routes(upstream, access),
            Route("/api/live", access.guarded("viewer", live)),
            Route("/api/history", access.guarded("viewer", seen)),
            Route("/api/{what}", access.guarded("viewer", answer)),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(SafeHeaders)],
        lifespan=lifespan,
    )
    app.state.newest = newest
    return app


async def _live(request: Request, newest: Newest, access: Access) -> AsyncIterator[str]:
    number = -1
    while not await request.is_disconnected():
        number, text = await newest.after(number)
        if newest.ended or access.refusal(request, "viewer") is not None:  # logged out, or removed, meanwhile
            return
        yield SILENT if text is None else f"data: {text}\n\n"
