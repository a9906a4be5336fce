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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rsu_agent.runtime.streams import Streams
from rsu_agent.web.upstream import Newest, Upstream

MOST_STREAMS = 32
SILENT = "event: silent\ndata: {}\n\n"
HEADERS = (
    (b"content-security-policy", b"default-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),  # an updated box must not be looked at through last year's page
)


class SafeHeaders:
    """Adds the headers that keep the page to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


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
