"""A stream or consumer of which a node stays behind is made anew: nodes of NATS 2.9 may never catch up.

It costs what lies in it, and that is sent again; left alone, the next node that fails would stop the shard.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

import anyio

from rsu_agent.district.streams import Streams
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
LOOK_S = 3.0
BEHIND_S = 20.0  # a node that comes back has caught up within some seconds


class Behind:
    """For how long each has been behind without a break. Pure."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}

    def too_long(self, name: str, behind: bool, now_s: float) -> bool:
        """Whether it is to be made anew; then its time begins again."""
        if not behind:
            self._since_s.pop(name, None)
            return False
        if now_s - self._since_s.setdefault(name, now_s) < BEHIND_S:
            return False
        del self._since_s[name]
        return True


async def keep_current(streams: Streams, shard: int, copies: int) -> None:
    """For ever, for a shard's stream and its consumer."""
    behind = Behind()
    looks: dict[str, tuple[Callable[[int], Awaitable[bool]], Callable[[int], Awaitable[None]]]] = {
        "stream": (streams.stream_is_behind, streams.forget_stream),
        "consumer": (streams.consumer_is_behind, streams.forget_consumer),
    }
    while True:
        await anyio.sleep(LOOK_S)
        for name, (is_behind, forget) in looks.items():
            try:
                late = await is_behind(shard)
                if behind.too_long(name, late, time.monotonic()) and streams.is_connected:
                    log.warning("%s of shard %d: a node stays behind; it is made anew", name, shard)
                    streams.counters["remade"] += 1
                    await forget(shard)
                    await streams.prepare_shard(shard, copies)
            except DeviceLost as lost:
                log.info("mending the %s of shard %d: %s", name, shard, lost)
