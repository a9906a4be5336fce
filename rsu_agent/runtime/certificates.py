"""The uplink's certificate while it runs: a new one is taken up without a restart, an old one is told of."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from rsu_agent.outlets.uplink_beside import Publisher
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.tls import TlsFiles
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import DeviceHealth, DeviceState

log = logging.getLogger(__name__)
DEVICE = "uplink-certificate"
LOOK_S = 1.0
SOON = timedelta(days=14)  # enough for a district to make a new one


class Certificates:
    """One of the uplink's `Beside`, and what opens its connections. files None: no TLS."""

    subscriptions: tuple[str, ...] = ()

    def __init__(self, broker: Broker, files: TlsFiles | None, clock: Clock) -> None:
        self._broker, self._files, self._clock = broker, files, clock
        self._used = files and files.stamp()

    @asynccontextmanager
    async def open(self, will: tuple[str, bytes]) -> AsyncIterator[Session]:
        """One connection, with the files as they are now. Raises DeviceLost."""
        if self._files is not None:
            self._used = self._files.stamp()
            self._broker.tls = self._files.context(self._clock.utc_s())
        async with connect(self._broker, will) as session:
            yield session

    def hear(self, topic: str, payload: bytes) -> None:
        """It hears nothing."""

    def refused(self, topic: str) -> None:
        """It asks for no topic."""

    async def run(self, _transport: Publisher) -> None:
        """While the connection lasts; ends it with DeviceLost('renewed') once there are other, good files."""
        while self._files is not None:
            await self._clock.sleep(LOOK_S)
            if self._files.stamp() != self._used and self._usable(self._files):
                raise DeviceLost("renewed", "another certificate: connecting anew")

    def health(self, now_s: float) -> DeviceHealth | None:
        """How long our certificate holds; None: we show none."""
        ends = self._files.ends() if self._files is not None else None
        if ends is None:
            return None
        left = ends - datetime.fromtimestamp(self._clock.utc_s(), UTC)
        if left <= timedelta():
            return DeviceHealth(DEVICE, DeviceState.LOST, "expired", now_s)
        if left <= SOON:
            return DeviceHealth(DEVICE, DeviceState.DEGRADED, "expires_soon", now_s, f"{left.days} days")
        return DeviceHealth(DEVICE, DeviceState.OK, "ok", now_s)

    def _usable(self, files: TlsFiles) -> bool:
        """Files that are being written, or do not fit one another, do not cost the connection there is."""
        try:
            files.context(self._clock.utc_s())
        except DeviceLost as lost:
            log.warning("a changed certificate is not used yet: %s", lost)
            return False
        return True
