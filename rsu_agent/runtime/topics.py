"""The topics of one process: how fast each comes, when it is stale, and the board that holds the newest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from rsu_agent.world.health import DeviceHealth, TimeQuality
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Programme, SignalReport

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Topic(Generic[T]):
    """One kind of news. stale_s: how old its newest value may be; None = it does not grow old."""

    name: str
    holds: type[T]
    rate_hz: float
    stale_s: float | None


SIGNAL = Topic("signal", SignalReport, 10.0, 0.3)
PROGRAMME = Topic("programme", Programme, 0.0, None)
SCENE = Topic("scene", Scene, 10.0, 0.5)
TIME = Topic("time", TimeQuality, 0.5, 60.0)
HEALTH = Topic("health", DeviceHealth, 1.0, None)
TOPICS: tuple[Topic[Any], ...] = (SIGNAL, PROGRAMME, SCENE, TIME, HEALTH)


class Board:
    """Newest values by topic; asking for one gives it fresh or not at all."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[Any, float]] = {}
        self._heard: dict[str, list[Callable[[Any], None]]] = {}

    def post(self, topic: Topic[T], value: T, now_s: float) -> None:
        """Put up a value and tell those who listen, at once and in order."""
        self._newest[topic.name] = (value, now_s)
        for hear in self._heard.get(topic.name, ()):
            hear(value)

    def listen(self, topic: Topic[T], hear: Callable[[T], None]) -> None:
        """Call `hear` for every value posted from now on."""
        self._heard.setdefault(topic.name, []).append(hear)

    def fresh(self, topic: Topic[T], now_s: float) -> T | None:
        """The newest value if it is not stale."""
        value, at_s = self._newest.get(topic.name, (None, 0.0))
        if value is None or (topic.stale_s is not None and now_s - at_s > topic.stale_s):
            return None
        return value  # type: ignore[no-any-return]

    def age_s(self, topic: Topic[Any], now_s: float) -> float | None:
        """Seconds since the newest value was posted."""
        entry = self._newest.get(topic.name)
        return None if entry is None else now_s - entry[1]
