"""What drivers count (`counters`), on the page of metrics: a device opened again never counts back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

MOST_NAMES = 64  # of one device; drivers name about thirty, and what comes beyond counts as OTHER
WORD = re.compile(r"[A-Za-z0-9_]{1,48}")  # radios name message kinds: sent_SPAT
OTHER = "other"


class DeviceEvents(Collector):
    """Of each device what its drivers have counted since this process began, by the driver's own names."""

    def __init__(self) -> None:
        self._total: dict[str, Counter[str]] = {}
        self._open: dict[str, tuple[Mapping[str, int], dict[str, int]]] = {}

    def opened(self, device: str, counters: Mapping[str, int]) -> None:
        """The device is open, anew perhaps: its driver counts here from now on, and begins at 0."""
        self._take(device)
        self._open[device] = counters, {}
        self._total.setdefault(device, Counter())

    def describe(self) -> Iterator[CounterMetricFamily]:
        """The family without samples."""
        yield self._family()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """As things stand now."""
        family = self._family()
        for device, total in self._total.items():
            self._take(device)
            for what, count in sorted(total.items()):
                family.add_metric([device, what], count)
        yield family

    def _take(self, device: str) -> None:
        """Add what has been counted since the last look. A camera's thread may be counting meanwhile."""
        if device not in self._open:
            return
        counters, seen = self._open[device]
        for name, count in dict(counters).items():
            if count > (before := seen.get(name, 0)):
                self._total[device][self._word(device, name)] += count - before
                seen[name] = count

    def _word(self, device: str, name: str) -> str:
        known = self._total[device]
        if name in known or (len(known) < MOST_NAMES and WORD.fullmatch(name)):
            return name
        return OTHER

    @staticmethod
    def _family() -> CounterMetricFamily:
        text = "What the driver of a device has counted on its line, by the driver's own names."
        return CounterMetricFamily("rsu_device_events", text, labels=["device", "what"])


EVENTS = DeviceEvents()
REGISTRY.register(EVENTS)
