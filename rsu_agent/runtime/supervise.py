"""Keeping a device open: DeviceLost backs off and opens again, anything else ends the process or branch."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.device_events import EVENTS
from rsu_agent.world.health import DeviceHealth, DeviceState

log = logging.getLogger(__name__)
Device = TypeVar("Device")

FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 10.0  # facts/controllers 8: jittered 0.5 to 10 s, for ever
STEADY_S = 20.0  # a device that served this long starts from the shortest wait again


class DeviceKeeper:
    """Opens, uses and reopens one device, and says how it is. longest_s: of its waits between two tries."""

    def __init__(
        self,
        name: str,
        clock: Clock,
        tell: Callable[[DeviceHealth], None],
        longest_s: float = LONGEST_BACK_OFF_S,
    ) -> None:
        self.name = name
        self._longest_s = longest_s
        self._clock = clock
        self._tell = tell
        self._back_off_s = FIRST_BACK_OFF_S
        self.lost: dict[str, int] = {}

    async def keep(
        self,
        open_device: Callable[[], AbstractAsyncContextManager[Device]],
        use: Callable[[Device], Awaitable[None]],
    ) -> None:
        """For ever. `use` returns only by DeviceLost."""
        while True:
            self._say(DeviceState.STARTING, "opening")
            opened_s = self._clock.now_s()
            try:
                async with open_device() as device:
                    self._count(device)
                    await use(device)
            except DeviceLost as trouble:
                self._lost(trouble)
            if self._clock.now_s() - opened_s > STEADY_S:
                self._back_off_s = FIRST_BACK_OFF_S
            await self._clock.sleep(self._back_off_s * random.uniform(0.5, 1.0))
            self._back_off_s = min(self._back_off_s * 2, self._longest_s)

    def serving(self) -> None:
        """The device gave something good."""
        self._back_off_s = FIRST_BACK_OFF_S
        self._say(DeviceState.OK, "ok")

    def _count(self, device: object) -> None:
        """Of sources of time only some count."""
        counters = getattr(device, "counters", None)
        if isinstance(counters, Mapping):
            EVENTS.opened(self.name, counters)

    def _lost(self, trouble: DeviceLost) -> None:
        self.lost[trouble.reason] = self.lost.get(trouble.reason, 0) + 1
        log.warning("%s lost: %s%s", self.name, trouble, f" ({trouble.hint})" if trouble.hint else "")
        self._say(DeviceState.LOST, trouble.reason, trouble.detail)

    def _say(self, state: DeviceState, reason: str, detail: str = "") -> None:
        self._tell(DeviceHealth(self.name, state, reason, self._clock.now_s(), detail))
