"""Opening a CAN bus by python-can (LGPL, the extra `can`), unmodified: the only file that imports it."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import anyio
import anyio.to_thread

from rsu_agent.ports.can_faults import lost_on_opening
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost

if TYPE_CHECKING:
    from can import BusABC

OPEN_S = 5.0  # beyond the wait that an adapter needs
TTY_WAIT_S = 0.1  # slcan: python-can reads its port with this timeout; with its own, 1 ms, it spins
ALONE = fcntl.LOCK_EX | fcntl.LOCK_NB  # the lock of pyserial's `exclusive`

_hanging: set[str] = set()  # buses whose opening never came back: a second one would hang beside it


@dataclass(frozen=True, slots=True)
class CanSettings:
    """How to open a bus.

    channel: socketcan `can0`; slcan a serial port; socketcand the bus at that host. filters: (id, mask) of
    11-bit identifiers, empty: all. settle_s: what an slcan adapter needs after its port was opened.
    """

    interface: Literal["socketcan", "slcan", "socketcand"]
    channel: str
    bitrate: int = 500_000
    host: str = "127.0.0.1"
    port: int = 29536
    tty_baud: int = 115_200
    settle_s: float = 2.0
    filters: tuple[tuple[int, int], ...] = ()

    @property
    def where(self) -> str:
        """For people."""
        at = f"@{self.host}:{self.port}" if self.interface == "socketcand" else ""
        return f"{self.interface} {self.channel}{at}"


def library() -> ModuleType:
    """python-can. Raises DeviceLost: missing."""
    try:
        import can
    except ImportError:
        raise DeviceLost("missing", "python-can is not installed", "pip install 'rsu-agent[can]'") from None
    logging.getLogger("can").setLevel(logging.ERROR)  # it warns of each TCP segment that ends within a frame
    return can


async def opened(settings: CanSettings, clock: Clock) -> BusABC:
    """A bus, opened in a thread as opening blocks. Raises DeviceLost."""
    can = library()
    if settings.where in _hanging:
        raise DeviceLost("busy", f"{settings.where}: an earlier opening still hangs", "restart the server")
    if settings.interface == "socketcand":
        await _reached(settings, clock)
    opening = _Opening(can, settings)
    try:
        with clock.move_on_after(OPEN_S + settings.settle_s):
            await anyio.to_thread.run_sync(opening.run, abandon_on_cancel=True)
            return opening.take()
    except (can.CanError, OSError, ValueError) as error:
        raise lost_on_opening(settings.interface, settings.where, error) from None
    finally:
        opening.leave()
    raise DeviceLost("timeout", f"{settings.where} does not open", "check address, port and cable")


def shut(bus: BusABC) -> None:
    """Give a bus back, whatever state it is in."""
    with suppress(library().CanError, OSError):
        bus.shutdown()
    port = getattr(bus, "serialPortOrig", None)  # slcan leaves it open when its last command fails
    if port is not None:
        port.close()


def hung_up(bus: BusABC) -> bool:
    """Whether a socketcand server has closed: python-can takes that for nothing to read and spins in `recv`.

    There is no public way to its socket; without one the silence is found elsewhere. Raises OSError.
    """
    own = getattr(bus, "_SocketCanDaemonBus__socket", None)
    if own is None:
        return False
    try:
        return bool(own.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
    except BlockingIOError:
        return False


async def _reached(settings: CanSettings, clock: Clock) -> None:
    """Whether somebody answers there: python-can itself tries for ten seconds without a pause."""
    try:
        with clock.move_on_after(OPEN_S):
            stream = await anyio.connect_tcp(settings.host, settings.port)
            await stream.aclose()
            return
    except OSError as error:
        raise lost_on_opening(settings.interface, settings.where, error) from None
    raise DeviceLost("timeout", f"{settings.where} does not answer", "check address, port and cable")


class _Opening:
    """An opening that may be left to itself: then its bus, should it come, is closed again."""

    def __init__(self, can: ModuleType, settings: CanSettings) -> None:
        self._can, self._settings = can, settings
        self._lock, self._left, self._done = threading.Lock(), False, False
        self._bus: BusABC | None = None

    def run(self) -> None:
        """The thread. Raises what python-can raises."""
        try:
            if self._settings.interface == "slcan":
                _refuse_when_locked(self._settings.channel)
            bus = self._can.Bus(ignore_config=True, **_arguments(self._settings))
            with self._lock:
                self._bus, unwanted = bus, self._left
            if unwanted:
                shut(bus)
            elif self._settings.interface == "slcan":
                fcntl.flock(bus.fileno(), ALONE)
        finally:
            with self._lock:
                self._done = True
                _hanging.discard(self._settings.where)

    def take(self) -> BusABC:
        """The bus, now another's."""
        bus, self._bus = self._bus, None
        assert bus is not None
        return bus

    def leave(self) -> None:
        """Nobody waits any more."""
        with self._lock:
            self._left, bus = True, self._bus
            if not self._done:
                _hanging.add(self._settings.where)
        if bus is not None:
            shut(bus)


def _refuse_when_locked(path: str) -> None:
    """Whoever has the port must not be disturbed by our commands. Raises OSError."""
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        fcntl.flock(fd, ALONE)
    finally:
        os.close(fd)


def _arguments(settings: CanSettings) -> dict[str, Any]:
    """What python-can calls these settings. The bitrate of socketcan is the interface's own."""
    own: dict[str, dict[str, Any]] = {
        "socketcan": {},
        "slcan": {
            "bitrate": settings.bitrate,
            "tty_baudrate": settings.tty_baud,
            "sleep_after_open": settings.settle_s,
            "timeout": TTY_WAIT_S,
        },
        "socketcand": {"host": settings.host, "port": settings.port},
    }
    filters = [{"can_id": id, "can_mask": mask, "extended": False} for id, mask in settings.filters]
    return {
        "interface": settings.interface,
        "channel": settings.channel,
        "can_filters": filters or None,
        **own[settings.interface],
    }
