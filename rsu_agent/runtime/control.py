"""The control socket: HTTP and server-sent events, and the page for Prometheus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from rsu_agent.runtime.log_tail import LogTail
from rsu_agent.runtime.still_desk import StillDesk, still_routes
from rsu_agent.runtime.streams import Streams

LIVE_PERIOD_S = 0.1
MOST_STREAMS = 16  # a pole has a few people looking, not hundreds


class View(Protocol):
    """What can be looked at; every method gives plain JSON values."""

    def status(self) -> dict[str, Any]: ...

    def crossing(self) -> dict[str, Any]: ...

    def live(self) -> dict[str, Any]: ...

    def messages(self) -> dict[str, Any]: ...

    def guard(self) -> dict[str, Any]: ...

    def changes(self) -> dict[str, Any]: ...

    def senses(self) -> dict[str, Any]: ...

    def line(self, after: int | None) -> tuple[int, list[dict[str, Any]]]: ...

    def healthy(self) -> tuple[bool, str]: ...


def control_app(
    view: View,
    stills: StillDesk | None = None,
    beside: Sequence[Route] = (),
    tail: LogTail | None = None,
) -> Starlette:
    """The application behind the control socket; `state.streams.ended` ends its streams.

    It reads, with two exceptions, each written down with who asked: POST /v1/still has a still made; POST
    /v1/config/confirm and /rollback (in `beside`) end the waiting of a change of the site file.
    """
    streams = Streams(MOST_STREAMS)

    async def live(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            while not streams.ended and not await request.is_disconnected():
                yield f"data: {json.dumps(view.live(), separators=(',', ':'))}\n\n"
                await asyncio.sleep(LIVE_PERIOD_S)

        return streams.open(events())

    async def line(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            number, pieces = view.line(None)
            while not streams.ended and not await request.is_disconnected():
                number, pieces = view.line(number)
                for piece in pieces or [{}]:  # an empty one shows that we live
                    yield f"data: {json.dumps(piece, separators=(',', ':'))}\n\n"
                await asyncio.sleep(LIVE_PERIOD_S)

        return streams.open(events())

    def give(read: Callable[[], dict[str, Any]]) -> Callable[[Request], Any]:
        async def answer(_request: Request) -> Response:
            return JSONResponse(read(), headers={"Cache-Control": "no-store"})

        return answer

    app = Starlette(
        routes=[
            Route("/v1/status", give(view.status)),
            Route("/v1/crossing", give(view.crossing)),
            Route("/v1/messages", give(view.messages)),
            Route("/v1/guard", give(view.guard)),
            Route("/v1/changes", give(view.changes)),
            Route("/v1/senses", give(lambda: view.senses())),
            Route("/v1/live", live),
            Route("/v1/line", line),
            *([] if stills is None else still_routes(stills)),
            *([] if tail is None else [Route("/v1/log", give(tail.told))]),
            *beside,
        ]
    )
    app.state.streams = streams
    return app


def metrics_app(metrics: Callable[[], str], healthy: Callable[[], tuple[bool, str]]) -> Starlette:
    """/metrics and /healthz."""

    async def show_metrics(_request: Request) -> Response:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    async def show_health(_request: Request) -> Response:
        good, why = healthy()
        return PlainTextResponse(why + "\n", status_code=200 if good else 503)

    return Starlette(routes=[Route("/metrics", show_metrics), Route("/healthz", show_health)])
