"""Asks ptp4l over its management socket how good its clock is."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from drivers.ptp.link import QUESTIONS, Judge, Round
from drivers.ptp.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import TimeQuality

REPLY_S = 1.0
TRIES = 3
ANSWER_BYTES = 2048
AUTOBIND = ""  # Linux: the kernel finds an abstract name

TROUBLE = {
    errno.ENOENT: ("missing", "is ptp4l running, and is this its uds_address?"),
    errno.EACCES: ("permission", "use the read-only socket of linuxptp 4, or set uds_file_mode of ptp4l"),
    errno.ECONNREFUSED: ("refused", "ptp4l has ended: systemctl status ptp4l"),
}


class Ptp:
    """ports.devices.TimeSource."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._judge = Judge(settings)
        self._sequence = 0
        self._asked_s: float | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            _clear(settings.reply_socket)
            self._socket.bind(settings.reply_socket or AUTOBIND)
        except OSError as error:
            self._socket.close()
            raise DeviceLost(
                "refused", f"{settings.reply_socket}: {error}", "check time.reply_socket"
            ) from None
        try:
            self._socket.connect(settings.socket)
        except OSError as error:
            self.close()
            raise _lost(settings.socket, error) from None

    def __aiter__(self) -> AsyncIterator[TimeQuality]:
        return self

    async def __anext__(self) -> TimeQuality:
        if self._asked_s is not None:
            await self._clock.sleep_until(self._asked_s + self._settings.period_s)
        for _ in range(TRIES):
            self._asked_s, utc_s = self._clock.now_s(), self._clock.utc_s()
            inquiry = Round(self._settings, self._sequence)
            self._sequence += len(QUESTIONS)
            if await self._hold(inquiry):
                return self._judge.quality(inquiry.answers(), self._asked_s, utc_s)
        raise DeviceLost("silent", "ptp4l does not answer", "is the PTP domain right?")

    async def _hold(self, inquiry: Round) -> bool:
        try:
            with self._clock.move_on_after(REPLY_S):
                while not inquiry.done:
                    self._socket.send(inquiry.question())
                    while not inquiry.receive(await self._datagram()):
                        continue
        except BlockingIOError:
            return False  # its queue is full: it does not read
        except OSError as error:
            raise _lost(self._settings.socket, error) from None
        return inquiry.done

    async def _datagram(self) -> bytes:
        while True:
            await anyio.wait_readable(self._socket)
            with contextlib.suppress(BlockingIOError):
                return self._socket.recv(ANSWER_BYTES)

    def close(self) -> None:
        """Close the socket and take its name away."""
        self._socket.close()
        with contextlib.suppress(OSError):
            _clear(self._settings.reply_socket)


@asynccontextmanager
async def open_time(settings: Settings, clock: Clock) -> AsyncIterator[Ptp]:
    """ptp4l's management socket. Raises DeviceLost: missing, permission, refused or busy."""
    source = Ptp(settings, clock)
    try:
        yield source
    finally:
        source.close()


def _clear(path: str | None) -> None:
    """Remove a socket that an earlier end left, never another file."""
    if path is not None and os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        os.unlink(path)


def _lost(path: str, error: OSError) -> DeviceLost:
    reason, hint = TROUBLE.get(error.errno or 0, ("closed", "systemctl status ptp4l"))
    return DeviceLost(reason, f"ptp4l at {path}: {error.strerror}", hint)


PLUGIN = Plugin("ptp", Kind.TIME, Settings, open_time)
