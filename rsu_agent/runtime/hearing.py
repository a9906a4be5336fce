"""What vehicles say of themselves, from the radio to the senses: bounded, counted, our clock trusted."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

from prometheus_client import Counter

from rsu_agent.messages.vehicles import heard_vehicle
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Radio, Received
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.wire.uper import Malformed
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.heard import HeardVehicle

log = logging.getLogger(__name__)
DEVICE = "radio-in"
HEARD_TOPIC = "heard"
MOST_A_SECOND = 600  # sixty vehicles at 10 Hz; the rest is counted and not read
OLDEST_S, NEWEST_S = 1.0, 0.2  # of the instant a message is for, before and after now
HEARD = Counter("rsu_v2x_heard_total", "Messages handed on by the radio.", ["what"])


class Hearing:
    """Reads what a radio hands on; `forward` is told of each vehicle that may be believed.

    overheard: told of every message, verified or not, with its monotonic second.
    """

    def __init__(
        self,
        standard: str,
        clock: Clock,
        trust: TimeTrust,
        tell: Callable[[DeviceHealth], None],
        forward: Callable[[HeardVehicle], None],
        overheard: Callable[[bytes, float], None] = lambda _frame, _now_s: None,
    ) -> None:
        self._overheard = overheard
        self._standard, self._clock, self._trust, self._forward = standard, clock, trust, forward
        self._keeper = DeviceKeeper(DEVICE, clock, tell)
        self._second, self._count = 0, 0

    async def listen(self, radio: Radio) -> None:
        """Until cancelled; returns at once where the radio hands on nothing."""
        if radio.open_receiver is not None:
            await self._keeper.keep(radio.open_receiver, self._hear)

    async def _hear(self, received: AsyncIterator[Received]) -> None:
        self._keeper.serving()
        async for message in received:
            HEARD.labels(self._take(message)).inc()

    def _take(self, message: Received) -> str:
        """What became of a message."""
        now_s, utc_s = self._clock.now_s(), self._clock.utc_s()
        if self._over(now_s):
            return "too_many"
        self._overheard(message.data, now_s)
        if not message.verified:
            return "unverified"
        if not self._trust.trusted(now_s):
            return "no_clock"
        try:
            vehicle = heard_vehicle(message.data, self._standard, utc_s, verified=True)
        except Malformed:
            return "malformed"
        if vehicle is None:
            return "other"
        if not utc_s - OLDEST_S <= vehicle.at_utc_s <= utc_s + NEWEST_S:
            return "stale"
        self._forward(vehicle)
        return "taken"

    def _over(self, now_s: float) -> bool:
        if int(now_s) != self._second:
            self._second, self._count = int(now_s), 0
        self._count += 1
        return self._count > MOST_A_SECOND
