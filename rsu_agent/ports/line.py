"""Byte lines: a serial port or pseudo-terminal without threads, or its stand-in in memory."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import os
import re
import stat
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

import anyio
import serial
import serial.rs485

from rsu_agent.ports import memory_line
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line_faults import (
    LineErrors,
    lost_on_opening,
    lost_while_open,
    read_line_errors,
)
from rsu_agent.ports.network_line import open_network
from rsu_agent.ports.received import Received

log = logging.getLogger(__name__)

GATHER_S = 0.006  # a UART hands over some bytes a millisecond: taking each by itself costs the core a percent
LAST_S = (
    0.0015  # of a frame whose length is known this rest is read as it comes: timers wake a millisecond late
)
LONGEST_S = 0.02  # a sender may stop in between
READ_BYTES = 4096  # what the kernel's tty buffer hands out at once
BITS_A_BYTE = 10  # start, 8 data, stop
UNSTABLE_NAME = re.compile(r"^/dev/tty(USB|ACM)\d+$")
PTS_MAJORS = range(136, 144)  # Linux: unix98 pseudo-terminal slaves
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How to open a line. dtr, rts: None leaves the wire as opening put it. role listener never writes."""

    port: str
    baud: int
    role: Literal["master", "listener"] = "master"
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1
    dtr: bool | None = None
    rts: bool | None = None
    rs485: bool = False

    @property
    def on_network(self) -> bool:
        """Whether bytes come by TCP or UDP."""
        return "://" in self.port

    @property
    def keeps_bounds(self) -> bool:
        """Whether each read is one datagram, whole."""
        return self.port.startswith("udp")

    @property
    def byte_s(self) -> float:
        """Seconds that one byte takes on the wire; 0 on a network."""
        if self.on_network:
            return 0.0
        return (BITS_A_BYTE + (self.parity != "none") + self.stop_bits - 1) / self.baud


class Line(Protocol):
    """Bytes both ways. `read` and `write` raise DeviceLost once the line has gone."""

    async def read(self) -> Received:
        """The bytes that are there, at least one, with the monotonic instant they were taken."""
        ...

    async def write(self, data: bytes) -> None:
        """Hand all bytes to the line."""
        ...

    def expect(self, rest_s: float | None) -> None:
        """Tell, after a read, how long the rest of the frame under way takes; None: nobody knows."""
        ...

    def errors(self) -> LineErrors | None:
        """Errors of the UART since opening; None where none are counted."""
        ...


def open_line(settings: LineSettings, clock: Clock) -> AbstractAsyncContextManager[Line]:
    """Open a serial port, an address on a network, or `memory:NAME`, plugged in with `memory_line.plug`.

    Entering raises DeviceLost: missing, permission, busy, closed, refused, timeout or silent.
    """
    if settings.port.startswith(memory_line.PREFIX):
        return memory_line.open_near_end(settings.port, clock)
    if settings.on_network:
        return open_network(settings.port, clock, writable=settings.role == "master")
    return _open_serial(settings, clock)


@asynccontextmanager
async def _open_serial(settings: LineSettings, clock: Clock) -> AsyncIterator[Line]:
    line = SerialLine(settings, clock)
    try:
        yield line
    finally:
        line.close()


class SerialLine:
    """An open port in raw mode, locked against a second opener. Use `open_line`."""

    def __init__(self, settings: LineSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._writable = settings.role == "master"
        try:
            self._serial = _opened(settings)
            self._fd = int(self._serial.fileno())
            _prepare(self._serial, self._fd, settings)
        except OSError as error:
            raise lost_on_opening(settings.port, error) from None
        except (ValueError, termios.error) as error:
            raise lost_on_opening(settings.port, OSError(*error.args)) from None
        self._errors_at_open = read_line_errors(self._fd)
        self._taken_s, self._gather_s = -math.inf, GATHER_S

    async def read(self) -> Received:
        """Wait for bytes. A cancelled read loses none: nothing is awaited after they are taken.

        The first byte after a silence is taken at once, for its stamp; what follows on its heels is gathered,
        where its length is known until the frame under way is about to end.
        """
        gather_s = self._taken_s + self._gather_s - self._clock.now_s()
        if gather_s > 0.0:
            await self._clock.sleep(gather_s)
        while True:
            try:
                data = os.read(self._fd, READ_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._fd)
                continue
            except OSError as error:
                raise lost_while_open(self._settings.port, error) from None
            if not data:
                raise lost_while_open(self._settings.port)
            self._taken_s, self._gather_s = self._clock.now_s(), GATHER_S
            return Received(data, self._taken_s)

    def expect(self, rest_s: float | None) -> None:
        """How long the rest of the frame under way takes: all but its end is gathered."""
        self._gather_s = GATHER_S if rest_s is None else min(rest_s, LONGEST_S) - LAST_S

    async def write(self, data: bytes) -> None:
        """Write all. Raises PermissionError for a listener: that is a mistake of ours, not of the line."""
        if not self._writable:
            raise PermissionError(f"{self._settings.port} is opened for listening only")
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                await anyio.wait_writable(self._fd)
            except OSError as error:
                raise lost_while_open(self._settings.port, error) from None

    def errors(self) -> LineErrors | None:
        """UART errors since opening."""
        now = read_line_errors(self._fd)
        if now is None or self._errors_at_open is None:
            return None
        return now.since(self._errors_at_open)

    def close(self) -> None:
        """Give the port back."""
        anyio.notify_closing(self._fd)
        with contextlib.suppress(OSError, termios.error):
            fcntl.ioctl(self._fd, termios.TIOCNXCL)
        with contextlib.suppress(OSError, termios.error):
            self._serial.close()


class _ListeningSerial(serial.Serial):
    """pyserial's port opened read-only, so that nothing can ever be sent on it."""

    def open(self) -> None:
        fd = os.open(str(self.port), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            self.fd = fd
            self.pipe_abort_read_r, self.pipe_abort_read_w = os.pipe()
            self.pipe_abort_write_r, self.pipe_abort_write_w = os.pipe()
            self._reconfigure_port(force_update=True)  # type: ignore[attr-defined]
            self._reset_input_buffer()  # type: ignore[attr-defined]
        except BaseException:
            os.close(fd)
            raise
        self.is_open = True


def _opened(settings: LineSettings) -> serial.Serial:
    kind = serial.Serial if settings.role == "master" else _ListeningSerial
    port = kind()
    port.port, port.baudrate, port.parity = settings.port, settings.baud, PARITIES[settings.parity]
    port.stopbits, port.timeout, port.exclusive = settings.stop_bits, 0, True
    if settings.dtr is not None:
        port.dtr = settings.dtr
    if settings.rts is not None:
        port.rts = settings.rts
    port.open()
    return port


def _prepare(port: serial.Serial, fd: int, settings: LineSettings) -> None:
    """What pyserial leaves: waking on one byte, exclusive use, short latency, RS-485."""
    modes = termios.tcgetattr(fd)
    modes[6][termios.VMIN] = 1  # so that an empty read means end of file and nothing else
    termios.tcsetattr(fd, termios.TCSANOW, modes)
    if not _is_pseudo_terminal(fd):  # there the flag would outlive a killed process and lock us out
        fcntl.ioctl(fd, termios.TIOCEXCL)
    if UNSTABLE_NAME.match(settings.port):
        log.warning("%s: this name may change; use /dev/serial/by-id or by-path", settings.port)
    _best_effort(settings.port, "short latency", lambda: port.set_low_latency_mode(True))
    if settings.rs485:
        _best_effort(
            settings.port, "RS-485 mode", lambda: setattr(port, "rs485_mode", serial.rs485.RS485Settings())
        )


def _best_effort(port: str, what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except (ValueError, OSError, NotImplementedError) as error:
        log.info("%s: no %s: %s", port, what, error)


def _is_pseudo_terminal(fd: int) -> bool:
    status = os.fstat(fd)
    return stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) in PTS_MAJORS
