"""Read API and page of the district: JSON, server-sent events, Prometheus metrics; it changes nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.abc
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from rsu_agent.district.asked import Wrong, asked_history, asked_limit
from rsu_agent.district.condition import condition
from rsu_agent.district.live import LiveFeed, can_be_heard
from rsu_agent.district.metrics import CONTENT_TYPE, page
from rsu_agent.district.openapi import document
from rsu_agent.district.reading import LATEST_S, Reader, ReaderLost, cursor_text, latest_of, open_reader
from rsu_agent.district.tail import Tail
from rsu_agent.ports.mqtt import Broker
from rsu_agent.runtime.safe_headers import SafeHeaders
from rsu_agent.runtime.serve_http import listen_tcp, serve_http
from rsu_agent.runtime.streams import Streams

log = logging.getLogger(__name__)
MOST_STREAMS = 64
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Answer = Callable[[Request], Awaitable[Response]]


class Api:
    """The answers. `live`: address of a site's live page, {site} in it stands for the name."""

    def __init__(
        self,
        reader: Reader,
        tail: Tail,
        counters: Mapping[str, int],
        live: str = "",
        feed: LiveFeed | None = None,
    ) -> None:
        self._reader, self._tail, self._counters, self._live = reader, tail, counters, live
        self._feed = feed
        self.streams = Streams(MOST_STREAMS)

    async def sites(self, _request: Request) -> Response:
        """Every site as it was at the last look, at most two seconds ago."""
        tail = self._tail
        if not tail.looked_us:
            raise ReaderLost(tail.trouble or "not looked yet")
        age_s = (time.time_ns() // 1000 - tail.looked_us) / 1e6
        return JSONResponse(
            {"sites": tail.sites, "looked_s_ago": round(age_s, 3), "trouble": tail.trouble or None,
             "receiver": dict(self._counters) or None}
        )  # fmt: skip

    async def site(self, request: Request) -> Response:
        """One site: its condition, lanes and latest records."""
        name = request.path_params["site"]
        found = [site for site in await self._reader.sites() if site.site == name]
        if not found:
            raise HTTPException(404, f"no site {name!r} has ever said anything")
        now_us = time.time_ns() // 1000
        lanes = [lane for lane in await self._reader.lanes() if lane.site == name]
        facts = await self._reader.latest(name, now_us - LATEST_S * 1_000_000)
        told = condition(found[0], lanes, self._tail.health.get(name, {}), now_us)
        fields = ("lane", "high", "contiguous", "missing", "duplicates", "refused", "stored_us", "utc_us")
        rows = [{"epoch": str(row.epoch)} | {name: getattr(row, name) for name in fields} for row in lanes]
        live = self._live.replace("{site}", quote(name, safe=""))
        safe = live if live.startswith(("http://", "https://", "/")) else None
        return JSONResponse(told | {"lanes": rows, "latest": latest_of(facts), "live": safe})

    async def history(self, request: Request) -> Response:
        """Records of a kind by time, a page at a time."""
        return await self._page(request, request.query_params.get("kind", ""))

    async def events(self, request: Request) -> Response:
        """Hazard events by time."""
        return await self._page(request, "event")

    async def _page(self, request: Request, kind: str) -> Response:
        asked = asked_history(request.query_params, kind, time.time_ns() // 1000)
        facts = await self._reader.history(*asked)
        more = cursor_text(facts[-1].cursor) if len(facts) == asked[-1] else None
        return JSONResponse({"records": [fact.as_json() for fact in facts], "next": more})

    async def dead_letters(self, request: Request) -> Response:
        """What was refused, the newest first."""
        letters = await self._reader.dead(asked_limit(request.query_params))
        return JSONResponse({"counts": await self._reader.dead_counts(), "letters": letters})

    async def stream(self, request: Request) -> Response:
        """Server-sent events: hazard, device, site."""
        last = request.headers.get("last-event-id", "")
        after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None
        return self.streams.open(self._tail.news(after))

    async def live(self, request: Request) -> Response:
        """Server-sent events of one site's live streams: spat, objs, event; nothing of it is stored."""
        name = request.path_params["site"]
        if self._feed is None or not can_be_heard(name):
            raise HTTPException(404, "no broker is known here, or that is no site's name")
        if name not in {site.site for site in await self._reader.sites()}:
            raise HTTPException(404, f"no site {name!r} has ever said anything")
        return self.streams.open(self._feed.events(name))

    async def metrics(self, _request: Request) -> Response:
        """For Prometheus."""
        text = page(self._tail, self._counters, await self._reader.dead_counts(), time.time_ns() // 1000)
        return PlainTextResponse(text, media_type=CONTENT_TYPE)

    async def openapi(self, _request: Request) -> Response:
        """What may be asked, for programs."""
        return JSONResponse(document())


def api_app(api: Api) -> Starlette:
    """Every address."""
    static = Path(str(files("rsu_agent.district"))) / "static"

    async def index(_request: Request) -> Response:
        return FileResponse(static / "index.html")

    return Starlette(
        routes=[
            Route("/", index),
            Route("/openapi.json", api.openapi),
            Route("/api/sites", api.sites),
            Route("/api/sites/{site}", api.site),
            Route("/api/sites/{site}/live", api.live),
            Route("/api/history", api.history),
            Route("/api/events", api.events),
            Route("/api/dead-letters", api.dead_letters),
            Route("/api/stream", api.stream),
            Route("/metrics", api.metrics),
            Mount("/static", StaticFiles(directory=static)),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={Wrong: _wrong, ReaderLost: _lost, HTTPException: _refused},
    )


async def serve_api(
    database: str | Sequence[str],
    where: tuple[str, int],
    counters: Mapping[str, int],
    live: str = "",
    broker: Broker | None = None,
    *,
    task_status: anyio.abc.TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Until cancelled; started with the address of the page."""
    listener = listen_tcp(*where)
    host, port = listener.getsockname()[:2]
    if host not in LOOPBACK:
        log.warning("page and API listen on %s without asking who looks: only behind a proxy that does", host)
    reader = open_reader(database)
    tail = Tail(reader)
    feed = None if broker is None else LiveFeed(broker)
    api = Api(reader, tail, counters, live, feed)
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tail.run)
            if feed is not None:
                tasks.start_soon(feed.run)
            log.info("the page is at %s", address)
            task_status.started(address)
            await serve_http(api_app(api), listener, api.streams)
            tasks.cancel_scope.cancel()
    finally:
        await reader.aclose()


def _error(status: int, error: str, do: str) -> Response:
    return JSONResponse({"error": error, "do": do}, status_code=status)


async def _wrong(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Wrong)
    return _error(400, str(error), error.do)


async def _lost(_request: Request, error: Exception) -> Response:
    return _error(503, f"the database does not answer: {error}", "try again; look at `rsu district status`")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(
        error.status_code, error.detail, "see /openapi.json for what may be asked, /api/sites for sites"
    )
