"""A TCP proxy whose middle can fail: a black hole that keeps both connections open, or a cut."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import SocketAttribute, SocketStream


class FaultProxy:
    """In front of one port of this machine. `dark`: bytes vanish, nobody is told."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self.port = 0
        self.dark = False
        self.accepted = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultProxy]:
        """Listens while the context lasts."""
        async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
            self.port = listener.extra(SocketAttribute.local_port)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, self._serve)
                yield self
                tasks.cancel_scope.cancel()

    async def _serve(self, near: SocketStream) -> None:
        self.accepted += 1
        to = await anyio.connect_tcp("127.0.0.1", self._to_port)
        async with near, to as far, anyio.create_task_group() as both:
            both.start_soon(self._carry, near, far)
            both.start_soon(self._carry, far, near)

    async def _carry(self, one: SocketStream, other: SocketStream) -> None:
        with contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                data = await one.receive()
                if not self.dark:
                    await other.send(data)
        if not self.dark:
            await other.aclose()
