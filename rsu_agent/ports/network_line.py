"""Byte lines over a network: a controller reached by TCP or UDP, or one that reaches us."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import SplitResult, urlsplit

import anyio

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line_faults import LineErrors
from rsu_agent.ports.received import Received
from rsu_agent.ports.trouble import DeviceLost

READ_BYTES = 65_536  # the largest datagram
CONNECT_S = 5.0
DIALLED_S = 30.0  # then it is said that nobody dials, and we wait again
CHECK = "check address, port and cable"
SCHEMES = ("tcp", "udp", "udp-in", "tcp-in")
PATTERN = r"^(tcp|udp|udp-in|tcp-in)://\[?[0-9A-Za-z.:_-]*\]?:[0-9]{1,5}(\?local=[0-9]{1,5})?$"

_listening: dict[
    tuple[str, int], socket.socket
] = {}  # stay open: who dials while we back off waits in the queue


def open_network(
    port: str, clock: Clock, *, writable: bool = True
) -> AbstractAsyncContextManager[NetworkLine]:
    """Open a line by its address; entering raises DeviceLost: refused, timeout, silent or busy.

    tcp://HOST:PORT connects. udp://HOST:PORT[?local=PORT] exchanges datagrams with that host alone, one a
    read. udp-in://ADDRESS:PORT takes datagrams from anyone and answers the last sender.
    tcp-in://ADDRESS:PORT waits until somebody dials; others wait until that connection has ended.
    """
    where = urlsplit(port)
    return _open(where, clock, writable)


@asynccontextmanager
async def _open(where: SplitResult, clock: Clock, writable: bool) -> AsyncIterator[NetworkLine]:
    try:
        line = await _OPENERS[where.scheme](where, clock)
    except OSError as error:
        reason = "busy" if error.errno == errno.EADDRINUSE else "refused"
        raise DeviceLost(reason, f"{where.geturl()}: {error}", CHECK) from None
    line.writable = writable
    try:
        yield line
    finally:
        line.close()


class NetworkLine:
    """One socket. Datagrams keep their bounds; a connection that ends raises DeviceLost('closed')."""

    def __init__(self, own: socket.socket, clock: Clock, *, datagrams: bool, connected: bool) -> None:
        own.setblocking(False)
        self._socket, self._clock = own, clock
        self._datagrams, self._connected = datagrams, connected
        self._peer: tuple[str, int] | None = None
        self.writable = True

    async def read(self) -> Received:
        """One datagram, or what a connection has brought."""
        while True:
            try:
                data, peer = self._socket.recvfrom(READ_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except ConnectionRefusedError:
                if not self._datagrams:
                    raise DeviceLost("closed", "connection refused") from None
                continue  # tells of an earlier datagram; silence is judged elsewhere
            except OSError as error:
                raise DeviceLost("closed", str(error), CHECK) from None
            if data:
                self._peer = peer
                return Received(data, self._clock.now_s())
            if not self._datagrams:
                raise DeviceLost(
                    "closed", "the controller ended the connection", "another host may be connected"
                )

    async def write(self, data: bytes) -> None:
        """All bytes, or one datagram. Raises PermissionError for a listener: a mistake of ours."""
        if not self.writable:
            raise PermissionError("this line is opened for listening only")
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._send(rest) :]
            except BlockingIOError:
                if self._datagrams:
                    return
                await anyio.wait_writable(self._socket)
            except ConnectionRefusedError:
                return
            except OSError as error:
                raise DeviceLost("closed", str(error), CHECK) from None

    def expect(self, rest_s: float | None) -> None:
        """Networks gather nothing."""

    def errors(self) -> LineErrors | None:
        """A network has no UART."""
        return None

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            anyio.notify_closing(self._socket)
        self._socket.close()

    def _send(self, data: memoryview) -> int:
        if self._connected or not self._datagrams:
            return self._socket.send(data)
        if self._peer is not None:
            self._socket.sendto(data, self._peer)
        return len(data)


async def _tcp(where: SplitResult, clock: Clock) -> NetworkLine:
    own, address = _socket_for(where, socket.SOCK_STREAM)
    try:
        own.setblocking(False)
        with clock.move_on_after(CONNECT_S):
            problem = own.connect_ex(address)
            if problem == errno.EINPROGRESS:
                await anyio.wait_writable(own)
                problem = own.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, os.strerror(problem))
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return NetworkLine(own, clock, datagrams=False, connected=True)
        raise DeviceLost("timeout", f"{where.geturl()} does not answer", CHECK)
    except BaseException:
        own.close()
        raise


async def _udp(where: SplitResult, clock: Clock) -> NetworkLine:
    own, address = _socket_for(where, socket.SOCK_DGRAM)
    try:
        if local := where.query.removeprefix("local="):
            own.bind(("", int(local)))
        own.connect(address)
    except OSError:
        own.close()
        raise
    return NetworkLine(own, clock, datagrams=True, connected=True)


async def _udp_in(where: SplitResult, clock: Clock) -> NetworkLine:
    own, address = _socket_for(where, socket.SOCK_DGRAM)
    try:
        own.bind(address)
    except OSError:
        own.close()
        raise
    return NetworkLine(own, clock, datagrams=True, connected=False)


def _socket_for(where: SplitResult, kind: socket.SocketKind) -> tuple[socket.socket, Any]:
    host = where.hostname or ("0.0.0.0" if where.scheme.endswith("-in") else "127.0.0.1")
    family, _, _, _, address = socket.getaddrinfo(host, where.port or 0, type=kind)[0]
    return socket.socket(family, kind), address


async def _tcp_in(where: SplitResult, clock: Clock) -> NetworkLine:
    key = where.hostname or "0.0.0.0", where.port or 0
    listening = _listening.get(key)
    if listening is None:
        listening = _listening[key] = socket.create_server(key, backlog=4)
        listening.setblocking(False)
    with clock.move_on_after(DIALLED_S):
        while True:
            try:
                own, _ = listening.accept()
            except BlockingIOError:
                await anyio.wait_readable(listening)
                continue
            return NetworkLine(own, clock, datagrams=False, connected=True)
    raise DeviceLost(
        "silent", f"nobody dials {where.geturl()}", "check the supervisor address in the controller"
    )


_OPENERS = {"tcp": _tcp, "udp": _udp, "udp-in": _udp_in, "tcp-in": _tcp_in}
