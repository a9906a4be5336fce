"""How every site is: fresh or silent, how far behind, what is missing, what its devices say. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rsu_agent.district.reading import LaneRow, SiteRow
from rsu_agent.ports.envelope import SCHEMA

LATE_S, SILENT_S = 120.0, 600.0  # a heartbeat comes every 10 s, and waits for its envelope at most a minute
BEHIND_S = 300.0
DOUBTFUL_CLOCK_S = 0.1  # beyond, times of this site are not to be compared with those of others


def conditions(
    sites: Iterable[SiteRow],
    lanes: Iterable[LaneRow],
    health: Mapping[str, Mapping[str, Mapping[str, Any]]],
    now_us: int,
) -> list[dict[str, Any]]:
    """One object a site, in order of the names."""
    by_site: dict[str, list[LaneRow]] = defaultdict(list)
    for lane in lanes:
        by_site[lane.site].append(lane)
    return [condition(site, by_site[site.site], health.get(site.site, {}), now_us) for site in sites]


def condition(
    site: SiteRow, lanes: list[LaneRow], health: Mapping[str, Mapping[str, Any]], now_us: int
) -> dict[str, Any]:
    """One site. Seconds; None for what is not known."""
    newest = max(lanes, key=lambda lane: lane.stored_us, default=None)
    low = max((lane for lane in lanes if lane.lane == "lo"), key=lambda lane: lane.stored_us, default=newest)
    told = [lane for lane in lanes if lane.clock_s is not None]
    clock = max(told, key=lambda lane: lane.stored_us).clock_s if told else None
    age_s = _since_s(newest.stored_us, now_us) if newest and newest.stored_us else None
    said_on = (site.state or {}).get("on")
    bad = sorted(device for device, how in health.items() if how.get("s") in ("lost", "degraded"))
    version = newest.version if newest else None
    return {
        "site": site.site,
        "district": site.district,
        "lat": site.lat,
        "lon": site.lon,
        "age_s": age_s,
        "freshness": freshness(age_s),
        "connected": None if said_on is None else bool(said_on),
        "backlog_s": _since_s(low.utc_us, now_us) if low and low.utc_us else None,
        "missing": sum(lane.missing for lane in lanes),
        "duplicates": sum(lane.duplicates for lane in lanes),
        "refused": sum(lane.refused for lane in lanes),
        "outboxes": _outboxes(lanes),
        "clock_s": clock,
        "clock": "unknown" if clock is None else "good" if clock <= DOUBTFUL_CLOCK_S else "doubtful",
        "version": version,
        "version_skew": None if version is None else version - SCHEMA,
        "software": (site.state or {}).get("sw"),
        "devices": len(health),
        "bad_devices": bad,
        "health": worst(age_s, said_on, bad, health),
    }


def freshness(age_s: float | None) -> str:
    """In a word."""
    if age_s is None:
        return "never"
    return "fresh" if age_s < LATE_S else "late" if age_s < SILENT_S else "silent"


def worst(age_s: float | None, said_on: Any, bad: list[str], health: Mapping[str, Mapping[str, Any]]) -> str:
    """One word for the map; what is old says nothing of the present, so silence goes before all."""
    if freshness(age_s) in ("silent", "never"):
        return "silent"
    if any(health[device].get("s") == "lost" for device in bad):
        return "lost"
    if bad or freshness(age_s) == "late" or said_on == 0:
        return "degraded"
    return "ok" if health else "unknown"


def _outboxes(lanes: list[LaneRow]) -> int:
    """Outboxes ever heard of: each has an epoch a lane."""
    epochs: dict[str, set[int]] = defaultdict(set)
    for lane in lanes:
        epochs[lane.lane].add(lane.epoch)
    return max(map(len, epochs.values()), default=0)


def _since_s(then_us: int, now_us: int) -> float:
    return round(max(0, now_us - then_us) / 1e6, 3)
