"""A byte line: a serial port (or pseudo-terminal) without threads, or one in memory under the same words."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio
import serial

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
READ_BYTES = 4096
BITS_A_BYTE = 10  # 8N1
MEMORY = "memory:"

REASONS = {
    errno.ENOENT: ("missing", "check the cable and the name of the port (ls /dev/serial/by-id)"),
    errno.ENXIO: ("missing", "check the cable and the name of the port (ls /dev/serial/by-id)"),
    errno.ENODEV: ("missing", "check the cable and the name of the port (ls /dev/serial/by-id)"),
    errno.EACCES: ("permission", "add the service user to the group dialout"),
    errno.EPERM: ("permission", "add the service user to the group dialout"),
    errno.EAGAIN: ("busy", "another program holds the port: stop it"),
    errno.EBUSY: ("busy", "another program holds the port: stop it"),
}


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes and when their first one left the other end (monotonic; arrival less transmission time)."""

    data: bytes
    first_byte_s: float
    arrived_s: float


class Line(Protocol):
    """What a driver reads and writes."""

    async def read(self) -> Received:
        """The next bytes. Raises DeviceLost."""
        ...

    async def write(self, data: bytes) -> None:
        """Write everything. Raises DeviceLost."""
        ...

    def close(self) -> None:
        """Give the line back."""
        ...


class Tap(Protocol):
    """Hears raw traffic, for the black box."""

    def __call__(self, port: str, direction: str, data: bytes, at_s: float) -> None: ...


taps: list[Tap] = []
memory_lines: dict[str, Line] = {}


@contextlib.contextmanager
def open_line(port: str, baud: int, clock: Clock, *, dtr: bool = True, rts: bool = True) -> Iterator[Line]:
    """A line by its port's name; `memory:NAME` is one that a scenario has laid. Raises DeviceLost."""
    if port.startswith(MEMORY):
        line = memory_lines.get(port)
        if line is None:
            raise DeviceLost("missing", port)
        yield line
        return
    line = SerialLine(port, baud, clock, dtr=dtr, rts=rts)
    try:
        yield line
    finally:
        line.close()


class SerialLine:
    """pyserial in its non-blocking form: `timeout=0`, exclusive by lock and by TIOCEXCL, raw, 8N1."""

    def __init__(self, port: str, baud: int, clock: Clock, *, dtr: bool, rts: bool) -> None:
        self._name, self._baud, self._clock = port, baud, clock
        if Path(port).name.startswith("ttyUSB"):
            log.warning("%s is not a stable name: use /dev/serial/by-id or by-path", port)
        try:
            self._port = serial.Serial(port=None, baudrate=baud, timeout=0, write_timeout=0, exclusive=True)
            self._port.dtr, self._port.rts = dtr, rts
            self._port.port = port
            self._port.open()
            fcntl.ioctl(self._port.fileno(), termios.TIOCEXCL)
            self._port.reset_input_buffer()
        except (OSError, termios.error) as error:
            raise _lost(error, port) from None
        self._low_latency()

    def fileno(self) -> int:
        """The descriptor."""
        return int(self._port.fileno())

    async def read(self) -> Received:
        """The next bytes, stamped when they were readable, less the time they took on the wire."""
        while True:
            try:
                await anyio.wait_readable(self._port.fileno())
                data = self._port.read(READ_BYTES)
            except (OSError, ValueError, TypeError, termios.error) as error:
                raise DeviceLost("closed", f"{self._name}: {error}") from None
            if data:
                break
        now_s = self._clock.now_s()
        for tap in taps:
            tap(self._name, "in", data, now_s)
        return Received(data, now_s - len(data) * BITS_A_BYTE / self._baud, now_s)

    async def write(self, data: bytes) -> None:
        """Write everything, waiting for the port as it drains."""
        for tap in taps:
            tap(self._name, "out", data, self._clock.now_s())
        while data:
            try:
                written = self._port.write(data) or 0
                data = data[written:]
                if data:
                    await anyio.wait_writable(self._port.fileno())
            except serial.SerialTimeoutException:
                await anyio.wait_writable(self._port.fileno())
            except (OSError, ValueError, termios.error) as error:
                raise DeviceLost("closed", f"{self._name}: {error}") from None

    def close(self) -> None:
        """Close the port."""
        with contextlib.suppress(OSError, termios.error):
            anyio.notify_closing(self._port.fileno())
        with contextlib.suppress(OSError, termios.error):
            self._port.close()

    def _low_latency(self) -> None:
        """USB adapters hold bytes back for 16 ms unless told otherwise; best effort."""
        try:
            self._port.set_low_latency_mode(True)
        except (OSError, ValueError, NotImplementedError, AttributeError) as error:
            log.debug("%s: no low-latency mode (%s)", self._name, error)


def _lost(error: Exception, port: str) -> DeviceLost:
    number = getattr(error, "errno", None)
    reason, hint = REASONS.get(number or 0, ("refused", "see the kernel's messages: dmesg | tail"))
    return DeviceLost(reason, f"{port}: {error}", hint)
