"""Asks chronyd how good the system clock is; adjtimex is out of reach in a sandboxed service."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from drivers.chrony.wire import LOCAL_REFERENCE, NotTracking, Tracking, read_reply, request
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import TimeQuality

REPLY_S = 1.0
TRIES = 3


class Settings(Declared):
    """Keys of the section `time` for this driver."""

    host: str = setting("127.0.0.1", en="Where chronyd answers commands.", zh="chronyd 命令地址。")
    port: int = setting(323, en="Its command port.", zh="命令端口。", ge=1, le=65535)
    period_s: float = setting(2.0, en="Pace of the questions.", zh="查询周期。", unit="s", ge=0.2, le=60)


class Chrony:
    """ports.devices.TimeSource."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._sequence = 0
        self._asked_s: float | None = None
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            self._socket.connect((settings.host, settings.port))
        except OSError as error:
            raise DeviceLost("refused", str(error)) from None

    def __aiter__(self) -> AsyncIterator[TimeQuality]:
        return self

    async def __anext__(self) -> TimeQuality:
        if self._asked_s is not None:
            await self._clock.sleep_until(self._asked_s + self._settings.period_s)
        for _ in range(TRIES):
            self._asked_s = self._clock.now_s()
            tracking = await self._ask()
            if tracking is not None:
                return quality(tracking, self._asked_s)
        raise DeviceLost("silent", "chronyd does not answer", "is it running? systemctl status chrony")

    async def _ask(self) -> Tracking | None:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        try:
            self._socket.send(request(self._sequence))
            with self._clock.move_on_after(REPLY_S):
                while True:
                    await anyio.wait_readable(self._socket)
                    try:
                        return read_reply(self._socket.recv(2048), self._sequence)
                    except (NotTracking, BlockingIOError):
                        continue
        except OSError as error:
            raise DeviceLost("refused", f"chronyd: {error}", "start chrony: systemctl start chrony") from None
        return None

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


def quality(tracking: Tracking, read_s: float) -> TimeQuality:
    """The bound of the clock's error: dispersion, half the delay, and the correction still to be made."""
    bound_s = tracking.root_dispersion_s + tracking.root_delay_s / 2 + abs(tracking.correction_s)
    disciplined = tracking.leap != "unsynchronised" and tracking.reference >> 8 != LOCAL_REFERENCE
    known_s = bound_s if disciplined else None
    return TimeQuality("chrony", disciplined, tracking.correction_s, known_s, read_s, tracking.leap)


@asynccontextmanager
async def open_time(settings: Settings, clock: Clock) -> AsyncIterator[Chrony]:
    """chronyd's command port. Raises DeviceLost."""
    chrony = Chrony(settings, clock)
    try:
        yield chrony
    finally:
        chrony.close()


PLUGIN = Plugin("chrony", Kind.TIME, Settings, open_time)
