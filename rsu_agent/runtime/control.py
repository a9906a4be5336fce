"""The control socket: HTTP and server-sent events, and the page for Prometheus."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
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

    def stream(looks: Callable[[], Iterator[list[dict[str, Any]]]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            return streams.open(_events(looks(), streams, request))

        return answer

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
            Route("/v1/live", stream(lambda: _live(view))),
            Route("/v1/line", stream(lambda: _line(view))),
            *([] if stills is None else still_routes(stills)),
            *([] if tail is None else [Route("/v1/log", give(tail.told))]),
            *beside,
        ]
    )
    app.state.streams = streams
    return app


def _live(view: View) -> Iterator[list[dict[str, Any]]]:
    while True:
        yield [view.live()]


def _line(view: View) -> Iterator[list[dict[str, Any]]]:
    number, _ = view.line(None)
    while True:
        number, pieces = view.line(number)
        yield pieces or [{}]  # an empty one shows that we live


async def _events(
    looks: Iterator[list[dict[str, Any]]], streams: Streams, request: Request
) -> AsyncIterator[str]:
    """What each look gives, until the reader or the server goes."""
    while not streams.ended and not await request.is_disconnected():
        for told in next(looks):
            yield f"data: {json.dumps(told, separators=(',', ':'))}\n\n"
        await asyncio.sleep(LIVE_PERIOD_S)


def metrics_app(metrics: Callable[[], str], healthy: Callable[[], tuple[bool, str]]) -> Starlette:
    """/metrics and /healthz."""

    async def show_metrics(_request: Request) -> Response:
        return PlainTextResponse(metrics(), media_type="text/plain; version=0.0.4")

    async def show_health(_request: Request) -> Response:
        good, why = healthy()
        return PlainTextResponse(why + "\n", status_code=200 if good else 503)

    return Starlette(routes=[Route("/metrics", show_metrics), Route("/healthz", show_health)])
