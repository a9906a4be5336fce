"""Serving a page of `rsu calibrate` to this machine's browser until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Coroutine
from socket import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def serve(
    app: ASGIApp,
    listener: socket,
    ready: Callable[[], None],
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    """Until told to stop. ready: called when that would be heard; beside: what runs along with the page."""
    import anyio

    from rsu_agent.runtime.serve_http import serve_http

    async def run() -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as told:
            ready()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(serve_http, app, listener)
                if beside is not None:
                    tasks.start_soon(beside)
                async for _ in told:
                    tasks.cancel_scope.cancel()
                    break

    anyio.run(run)
