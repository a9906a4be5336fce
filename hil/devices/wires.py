"""What the virtual controller hangs on: a pseudo-terminal, a UDP port, a TCP connection either way."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
from collections import deque
from pathlib import Path
from typing import Any, Protocol

from hil.devices.pacing import Pacer
from hil.devices.port import Port

DIAL_AGAIN_S = 0.5
READ_BYTES = 65_536


class Wire(Protocol):
    """Way in and out. `told`: what the ready file says of it."""

    told: dict[str, Any]

    def files(self) -> list[Any]:
        """What may become readable."""
        ...

    def read(self, now_s: float) -> list[bytes]:
        """What has arrived: chunks, or whole datagrams."""
        ...

    def send(self, data: bytes, now_s: float, mark: object = None) -> None:
        """Put bytes on the way; the mark comes out of `passed` once their last one has gone."""
        ...

    def due(self, now_s: float) -> None:
        """Move on what takes time."""
        ...

    def passed(self) -> list[object]:
        """Marks of what has gone entirely."""
        ...

    def next_s(self) -> float | None:
        """When `due` has something to do."""
        ...

    @property
    def up(self) -> bool:
        """Whether somebody may be at the other end."""
        ...

    def plug(self) -> None:
        """Be there."""
        ...

    def unplug(self) -> None:
        """Be away, with all that was on the way."""
        ...


def misread(data: bytes) -> bytes:
    """Bytes as a receiver at another rate makes them out: others, and not as many."""
    return bytes((byte * 37 + 0x55) & 0xFF for byte in data[::2])


class PtyWire:
    """A serial line at its baud rate; whoever sets another rate reads, and is read, wrong.

    minds_rate: False for an adapter on USB, to which the rate of its port is nothing.
    """

    def __init__(self, link: Path, baud: int, *, minds_rate: bool = True) -> None:
        self._minds_rate = minds_rate
        self._port, self._pacer, self._baud = Port(link, baud), Pacer(baud), baud
        self.told = {"port": str(link), "baud": baud}

    @property
    def up(self) -> bool:
        """Plugged in."""
        return self._port.plugged

    def files(self) -> list[Any]:
        """The master's end."""
        return [self._port] if self._port.plugged else []

    def read(self, _now_s: float) -> list[bytes]:
        """A chunk."""
        return [self._heard(self._port.read())] if self._port.plugged else []

    def _heard(self, data: bytes) -> bytes:
        other = self._minds_rate and self._port.speed not in (None, self._baud)
        return misread(data) if other else data

    def send(self, data: bytes, now_s: float, mark: object = None) -> None:
        """Paced as a UART would."""
        if self._port.plugged:
            self._pacer.put(data, now_s, mark)

    def due(self, now_s: float) -> None:
        """The bytes whose bits have passed."""
        data = self._pacer.due(now_s)
        if data and self._port.plugged:
            self._port.write(self._heard(data))

    def passed(self) -> list[object]:
        """Marks whose bytes have passed."""
        return self._pacer.passed()

    def next_s(self) -> float | None:
        """When the next bytes have passed."""
        return self._pacer.next_s()

    def plug(self) -> None:
        """The port appears."""
        self._port.plug()
        self._pacer.clear()

    def unplug(self) -> None:
        """The port vanishes."""
        self._port.unplug()
        self._pacer.clear()


class UdpWire:
    """Datagrams on loopback. to: where what is unasked goes; else to whoever spoke last."""

    def __init__(self, to: tuple[str, int] | None = None) -> None:
        self._to, self._socket = to, None
        self._number = 0
        self._gone: list[object] = []
        self.plug()
        self.told = {"host": "127.0.0.1", "udp_port": self._number}

    _socket: socket.socket | None

    @property
    def up(self) -> bool:
        """Bound."""
        return self._socket is not None

    def files(self) -> list[Any]:
        """The socket."""
        return [self._socket] if self._socket else []

    def read(self, _now_s: float) -> list[bytes]:
        """Whole datagrams."""
        found = []
        while self._socket is not None:
            try:
                data, peer = self._socket.recvfrom(READ_BYTES)
            except (BlockingIOError, ConnectionRefusedError):
                break
            self._to = peer
            found.append(data)
        return found

    def send(self, data: bytes, _now_s: float, mark: object = None) -> None:
        """One datagram, at once."""
        if self._socket is not None and self._to is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(data, self._to)
                if mark is not None:
                    self._gone.append(mark)

    def due(self, _now_s: float) -> None:
        """Nothing waits."""

    def passed(self) -> list[object]:
        """Marks of what was sent."""
        gone, self._gone = self._gone, []
        return gone

    def next_s(self) -> float | None:
        """Never."""
        return None

    def plug(self) -> None:
        """Bind, to the same port as before."""
        if self._socket is None:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.bind(("127.0.0.1", self._number))
            self._socket.setblocking(False)
            self._number = self._socket.getsockname()[1]

    def unplug(self) -> None:
        """Be away: who sends is refused."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class TcpWire:
    """A connection. to: the device dials there, again and again; else it waits for one host.

    number: of the port it waits at, as before it was killed; 0: any.
    """

    def __init__(self, to: tuple[str, int] | None = None, number: int = 0) -> None:
        self._to = to
        self._listening: socket.socket | None = None
        self._own: socket.socket | None = None
        self._number = number
        self._waits: deque[bytes] = deque()
        self._gone: list[object] = []
        self._dial_s = 0.0
        self._away = False
        self.plug()
        self.told = {"host": "127.0.0.1", "tcp_port": self._number}

    @property
    def up(self) -> bool:
        """Connected."""
        return self._own is not None

    def files(self) -> list[Any]:
        """The connection, or the listening socket."""
        return [each for each in (self._own or self._listening,) if each is not None]

    def read(self, _now_s: float) -> list[bytes]:
        """A chunk; a host that has gone is forgotten."""
        if self._own is None:
            if self._listening is not None:
                with contextlib.suppress(BlockingIOError):
                    self._own, _ = self._listening.accept()
                    self._own.setblocking(False)
            return []
        try:
            data = self._own.recv(READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._hang_up()
        return [data] if data else []

    def send(self, data: bytes, _now_s: float, mark: object = None) -> None:
        """At once; a host that reads too slowly loses the connection."""
        if self._own is None:
            return
        try:
            self._own.sendall(data)
        except OSError:
            self._hang_up()
            return
        if mark is not None:
            self._gone.append(mark)

    def due(self, now_s: float) -> None:
        """Dial, where it is for us to dial."""
        if self._own is None and self._to is not None and not self._away and now_s >= self._dial_s:
            self._dial_s = now_s + DIAL_AGAIN_S
            own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                own.connect(self._to)
            except OSError:
                own.close()
                return
            own.setblocking(False)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._own = own

    def passed(self) -> list[object]:
        """Marks of what was sent."""
        gone, self._gone = self._gone, []
        return gone

    def next_s(self) -> float | None:
        """When to dial again."""
        return self._dial_s if self._own is None and self._to is not None and not self._away else None

    def plug(self) -> None:
        """Listen again, or dial again."""
        self._away = False
        if self._to is None and self._listening is None:
            self._listening = socket.create_server(("127.0.0.1", self._number), backlog=1)
            self._listening.setblocking(False)
            self._number = self._listening.getsockname()[1]

    def unplug(self) -> None:
        """Break everything off."""
        self._away = True
        self._hang_up()
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _hang_up(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None


def readable(files: list[Any], timeout_s: float) -> list[Any]:
    """Those of the files that have something to read; none once one of them has been closed meanwhile."""
    try:
        return select.select(files, [], [], timeout_s)[0]
    except OSError as error:
        if error.errno == errno.EBADF:
            return []
        raise
