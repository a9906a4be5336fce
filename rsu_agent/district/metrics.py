"""The district's metrics: the receiver's counters, and how each site is, for as many sites as are bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_SITES = 20_000  # labels; of more, the first by name
GAUGES = {  # name -> (key of a site's condition, what it is)
    "rsu_site_age_seconds": ("age_s", "Since anything of the site was stored."),
    "rsu_site_backlog_seconds": ("backlog_s", "Age of the newest envelope of the site's low lane."),
    "rsu_site_missing_envelopes": ("missing", "Numbers below the highest that have not come."),
    "rsu_site_clock_bound_seconds": ("clock_s", "Bound of the site's clock error, as it says."),
    "rsu_site_schema_skew": ("version_skew", "Schema version of the site less the receiver's."),
    "rsu_site_connected": ("connected", "Birth (1) or will (0), as the broker keeps it."),
    "rsu_site_outboxes": ("outboxes", "Outboxes ever heard of: more than one is a replaced disk."),
}
TOTALS = {
    "rsu_site_duplicate_envelopes": ("duplicates", "Arrivals beyond the first."),
    "rsu_site_refused_envelopes": ("refused", "Arrivals that became dead letters."),
}
COUNTED = ("envelopes", "duplicates", "unknown_version", "unknown_kind", "dead_uncounted", "discarded")
OF_STREAMS = ("forwarded", "not_forwarded", "redelivered", "remade", "strange_in_stream")


class Sites(Protocol):
    """What was last seen of the sites."""

    @property
    def sites(self) -> list[dict[str, Any]]: ...

    @property
    def looked_us(self) -> int: ...


class _District(Collector):
    def __init__(
        self, tail: Sites, counters: Mapping[str, int], dead: Mapping[str, int], now_us: int
    ) -> None:
        self._tail, self._counters, self._dead, self._now_us = tail, counters, dead, now_us

    def collect(self) -> Iterator[Metric]:
        yield from self._receiver()
        sites = self._tail.sites[:MOST_SITES]
        age = GaugeMetricFamily("rsu_district_look_age_seconds", "Since the sites were last looked at.")
        if self._tail.looked_us:
            age.add_metric([], (self._now_us - self._tail.looked_us) / 1e6)
        yield age
        for name, (key, text) in GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["site"])
            for site in sites:
                if site[key] is not None:
                    gauge.add_metric([site["site"]], float(site[key]))
            yield gauge
        for name, (key, text) in TOTALS.items():
            total = CounterMetricFamily(name, text, labels=["site"])
            for site in sites:
                total.add_metric([site["site"]], float(site[key]))
            yield total
        yield _by_health(self._tail.sites)

    def _receiver(self) -> Iterator[Metric]:
        if self._counters:
            for name in COUNTED + OF_STREAMS:
                family = CounterMetricFamily(f"rsu_district_{name}", "Of this receiver since its start.")
                family.add_metric([], self._counters.get(name, 0))
                yield family
            waiting = GaugeMetricFamily("rsu_district_waiting_messages", "Heard and not yet committed.")
            waiting.add_metric([], self._counters.get("waiting", 0))
            yield waiting
            pending = GaugeMetricFamily("rsu_district_waiting_in_stream", "In the cluster, not yet pulled.")
            pending.add_metric([], self._counters.get("waiting_in_stream", 0))
            yield pending
        letters = GaugeMetricFamily("rsu_district_dead_letters", "Kept, by reason.", labels=["reason"])
        for reason, count in sorted(self._dead.items()):
            letters.add_metric([reason], count)
        yield letters


def collector(tail: Sites, counters: Mapping[str, int], dead: Mapping[str, int], now_us: int) -> Collector:
    """What there is to tell now."""
    return _District(tail, counters, dead, now_us)


def page(tail: Sites, counters: Mapping[str, int], dead: Mapping[str, int], now_us: int) -> str:
    """The text that Prometheus reads."""
    registry = CollectorRegistry()
    registry.register(collector(tail, counters, dead, now_us))
    return generate_latest(registry).decode()


def _by_health(sites: list[dict[str, Any]]) -> Metric:
    family = GaugeMetricFamily("rsu_district_sites", "Sites by their health.", labels=["health"])
    for word in ("ok", "degraded", "lost", "silent", "unknown"):
        family.add_metric([word], sum(site["health"] == word for site in sites))
    return family
