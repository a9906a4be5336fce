"""Watching a controller's line: the driver opened as the agent opens it, every byte and every report told."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.signal import Programme, SignalReport

MOST_RAW_BYTES = 16 * 1024  # more than any terminal shows; a watch left running overnight must not grow
MOST_RAW_PIECES = 2000  # single bytes cost more than a byte
AGENT_HINT = (
    "if the agent runs here it holds this port: stop it (systemctl stop rsu-agent), or look at `rsu status`"
)

OpenController = Callable[[], AbstractAsyncContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes as they passed. direction: `in` or `out`; at_s: monotonic."""

    at_s: float
    direction: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The line is open. raw: its driver shows bytes; counters: the driver's own, they go on counting."""

    at_s: float
    raw: bool
    counters: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Lost:
    """The line could not be opened, or has gone; it is tried again by itself."""

    at_s: float
    reason: str
    detail: str
    hint: str


Event = Raw | Opened | Lost | SignalReport | Programme
Tell = Callable[[Event], None]


class RawLog:
    """The last bytes of the line, of bounded size."""

    def __init__(self, most_bytes: int = MOST_RAW_BYTES, most_pieces: int = MOST_RAW_PIECES) -> None:
        self._most_bytes, self._most_pieces = most_bytes, most_pieces
        self._pieces: deque[Raw] = deque()
        self.held_bytes = 0

    def add(self, raw: Raw) -> None:
        """Keep it; the oldest go. Of a piece that is too long by itself its end is kept."""
        if len(raw.data) > self._most_bytes:
            raw = Raw(raw.at_s, raw.direction, raw.data[-self._most_bytes :])
        self._pieces.append(raw)
        self.held_bytes += len(raw.data)
        while self.held_bytes > self._most_bytes or len(self._pieces) > self._most_pieces:
            self.held_bytes -= len(self._pieces.popleft().data)

    def newest_first(self) -> Iterator[Raw]:
        """From the last piece backwards."""
        return reversed(self._pieces)


async def watch_signals(open_controller: OpenController, clock: Clock, tell: Tell) -> None:
    """For ever: open, tell, and after DeviceLost open again with the agent's own back-off."""
    keeper = DeviceKeeper("controller", clock, _untold)

    async def use(source: Any) -> None:
        raw = hasattr(source, "tap")
        if raw:
            source.tap = lambda direction, data, at_s: tell(Raw(at_s, direction, data))
        tell(Opened(clock.now_s(), raw, source.counters))
        async for item in source:
            keeper.serving()
            tell(item)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        opened = False
        try:
            async with open_controller() as source:
                opened = True
                yield source
        except DeviceLost as lost:
            hints = [AGENT_HINT] if lost.reason == "busy" and not opened else []
            hint = "; ".join([*hints, lost.hint] if lost.hint else hints)
            tell(Lost(clock.now_s(), lost.reason, lost.detail, hint))
            raise

    await keeper.keep(opening, use)


def _untold(_health: DeviceHealth) -> None:
    """The keeper's word of health: `Opened` and `Lost` say more."""
