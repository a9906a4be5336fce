"""Live data in the uplink process: the newest of each stream sent on, or dropped; never kept."""

from __future__ import annotations

from typing import Any

import anyio
import msgpack
from prometheus_client import Counter

from rsu_agent.outlets.bucket import Bucket
from rsu_agent.outlets.live_rates import STREAMS
from rsu_agent.outlets.uplink_beside import Publisher
from rsu_agent.ports.clock import Clock

LIVE = Counter(
    "rsu_live_messages_total", "Live messages by stream and what became of them.", ["stream", "what"]
)
TOPIC = "live"  # of the link between core and uplink process: "live spat" and so on
LARGEST = 64 << 10  # bytes of a live message
SPAT_SHARE = 4096  # bytes of the bandwidth that SPaT need not share


class LiveSender:
    """One of the uplink's `Beside`: the newest of each stream, QoS 0, within the bandwidth, or not at all."""

    subscriptions: tuple[str, ...] = ()

    def __init__(self, prefix: str, bytes_per_s: float, clock: Clock) -> None:
        self._prefix, self._clock = prefix, clock
        self._bucket = Bucket(bytes_per_s, bytes_per_s + SPAT_SHARE, clock.now_s())
        self._newest: dict[str, dict[str, Any]] = {}
        self._wake = anyio.Event()

    def take(self, stream: str, body: dict[str, Any]) -> None:
        """From the core; what was not sent yet is overtaken."""
        if stream not in STREAMS:
            return
        if stream in self._newest:
            LIVE.labels(stream, "overtaken").inc()
        self._newest[stream] = body
        self._wake.set()

    def hear(self, topic: str, payload: bytes) -> None:
        """It hears nothing."""

    def refused(self, topic: str) -> None:
        """It asks for no topic."""

    async def run(self, transport: Publisher) -> None:
        """While the connection lasts."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            while (stream := next((each for each in STREAMS if each in self._newest), None)) is not None:
                what = await self._send(transport, stream, self._newest.pop(stream))
                LIVE.labels(stream, what).inc()

    async def _send(self, transport: Publisher, stream: str, body: dict[str, Any]) -> str:
        if body.get("u", 0) <= round(self._clock.utc_s() * 1e6):
            return "stale"
        data = bytes(msgpack.packb(body))
        leave = 0.0 if stream == "spat" else SPAT_SHARE
        if len(data) > LARGEST or not self._bucket.take(len(data), self._clock.now_s(), leave):
            return "bandwidth"
        await transport.publish(f"{self._prefix}/live/{stream}", data, qos=0)
        return "sent"
