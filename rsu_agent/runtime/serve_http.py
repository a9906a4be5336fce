"""uvicorn inside our own supervision tree: no signal handlers of its own, ends when cancelled."""

from __future__ import annotations

import contextlib
import socket
import struct
from asyncio import Transport
from collections.abc import Iterator
from pathlib import Path

import anyio
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from rsu_agent.runtime.streams import Streams

PEER = struct.Struct("3i")  # struct ucred: process, user, group
STOP_S = 1  # streams that never end are cut after this


class _WithPeer(H11Protocol):
    """Names who is at the other end of a unix socket, as the kernel says: `uid:1000` and the process."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        end = transport.get_extra_info("socket")
        if end is not None and end.family == socket.AF_UNIX:
            told = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
            process, user, _group = PEER.unpack(told)
            self.client = (f"uid:{user}", process)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, not to its page."""
        yield


async def serve_http(app: ASGIApp, listener: socket.socket, streams: Streams | None = None) -> None:
    """Serve until cancelled; then the streams are told to end, and those that do not are cut."""
    config = uvicorn.Config(
        app,
        http=_WithPeer,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_S,
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[listener])
    finally:
        if streams is not None:
            streams.ended = True
        server.should_exit = True
        with anyio.CancelScope(shield=True), anyio.move_on_after(STOP_S):
            await server.shutdown(sockets=[listener])


def listen_unix(path: Path, mode: int = 0o660) -> socket.socket:
    """A listening unix socket that replaces a stale one."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(mode)
    listener.listen(64)
    return listener


def listen_tcp(host: str, port: int, tries: int = 20) -> socket.socket:
    """A listening TCP socket on `port`, or on the next free one after it (0 = any)."""
    last: OSError | None = None
    for candidate in [0] if port == 0 else range(port, port + tries):
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            last = error
            continue
        listener.listen(64)
        return listener
    raise OSError(f"no free port from {port} to {port + tries - 1} on {host}") from last
