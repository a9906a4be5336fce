"""Server-sent events: how many may be open at once, counted from before the first byte, and their end."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send


class Streams:
    """The open streams of one server. `ended`: it stops, every stream is to end by itself."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.ended = False

    def open(self, events: AsyncIterator[str]) -> Response:
        """The stream of these events, or the answer that there are too many."""
        if self.left <= 0:
            return PlainTextResponse("too many streams are open\n", status_code=503)
        return _Stream(events, self)


class _Stream(StreamingResponse):
    """Holds a place from before its first byte until its reader has gone."""

    def __init__(self, events: AsyncIterator[str], streams: Streams) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams.left -= 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.left += 1
