"""Where a record is filed: its table, the time under which it is found, for how many days it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rsu_agent.outlets.summary_kinds import KINDS, LANE_OF
from rsu_agent.ports.envelope import Envelope

DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OTHER = "other"
TABLE_OF: dict[str, str] = {
    "event": "event",
    "flow": "flow",
    "phase": "phase",
    "health": "health",
    "audit": "audit",
    "still": "audit",
}
AHEAD_US = DAY_US  # a pole's clock may be wrong; a record further ahead is filed under its arrival
KNOWN_KINDS = frozenset({*LANE_OF, "map"})


def table_of(kind: str) -> str:
    """The fact table of a kind; one that nobody here knows is kept as it came."""
    return TABLE_OF.get(kind, OTHER)


# Fact tables of PostgreSQL, and the days after which their partitions are dropped: as the manifest has it.
KEEP_DAYS: dict[str, int] = {
    table: max(kind.district_days for kind in KINDS if table_of(kind.kind) == table)
    for table in (*dict.fromkeys(TABLE_OF.values()), OTHER)
}


def filed_us(told_us: Any, table: str, now_us: int, keep: Mapping[str, int] = KEEP_DAYS) -> int:
    """The record's own time where it is one, and within what is kept; else the time of its arrival."""
    if isinstance(told_us, bool) or not isinstance(told_us, int):
        return now_us
    oldest_us = now_us - keep[table] * DAY_US
    return told_us if oldest_us < told_us <= now_us + AHEAD_US else now_us


def heard_us(envelope: Envelope, now_us: int) -> int:
    """When it was made, or its arrival where its clock runs ahead: a lane never unlearns its newest time."""
    return envelope.utc_us if envelope.utc_us <= now_us + AHEAD_US else now_us


def utc(us: int) -> datetime:
    """Microseconds as a time."""
    return EPOCH + timedelta(microseconds=us)


def us_of(when: datetime) -> int:
    """The reverse."""
    return (when - EPOCH) // timedelta(microseconds=1)


def lost_for_ever(envelope: Envelope) -> Iterator[tuple[int, int]]:
    """Runs of this lane's numbers that the pole has declared lost, all of them: nothing waits for them.

    They lie below the number that declares them: one that is yet to come would be acknowledged unheard.
    """
    for record in envelope.records:
        if record.get("k") != "gap" or record.get("l") != envelope.lane:
            continue
        first, last, count = record.get("from"), record.get("to"), record.get("n")
        whole = all(isinstance(x, int) and 0 < x < envelope.seq for x in (first, last, count))
        if whole and count == last - first + 1 > 0:  # type: ignore[operator]
            yield first, last  # type: ignore[misc]


def place_of(record: Mapping[str, Any]) -> tuple[float, float] | None:
    """(latitude, longitude) that a birth or base record tells, degrees."""
    lat, lon = record.get("lat"), record.get("lon")
    if not (isinstance(lat, (int, float)) and isinstance(lon, (int, float))):
        return None
    return (float(lat), float(lon)) if abs(lat) <= 90 and abs(lon) <= 180 else None


def as_json(value: Any) -> str:
    """Text that every database here holds. Raises ValueError or TypeError for what JSON has no word for."""
    return _encode(value)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
