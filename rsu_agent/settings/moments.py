"""Instants as people type them: 14:03:22, 2026-11-27 14:03:22, ISO with a zone, epoch seconds, -5m, now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
FORMS = "14:03:22, 2026-11-27 14:03:22, 2026-11-27T14:03:22+08:00, 1795788202, -5m, now"


def instant_of(text: str, now_utc_s: float, zone: tzinfo | None = None) -> float:
    """UTC seconds. zone: of what is typed without one; None = the machine's. Raises ValueError.

    An hour without a date is the last one that has been.
    """
    text = text.strip()
    if text == "now":
        return now_utc_s
    if found := re.fullmatch(r"-(\d+(?:\.\d+)?)([smhd])", text):
        return now_utc_s - float(found[1]) * UNITS_S[found[2]]
    if re.fullmatch(r"\d{9,11}(\.\d+)?", text):
        return float(text)
    now = datetime.fromtimestamp(now_utc_s, UTC).astimezone(zone)
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?", text):
        seconds = float(found[3] or 0)
        at = now.replace(hour=int(found[1]), minute=int(found[2]), second=int(seconds), microsecond=0)
        at += timedelta(seconds=seconds % 1)
        return (at if at <= now else at - timedelta(days=1)).timestamp()
    if not re.match(r"\d{4}-", text):
        raise ValueError(text)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        at = at.astimezone() if zone is None else at.replace(tzinfo=zone)
    return at.timestamp()


def span_of(text: str) -> float:
    """Seconds of 90s, 5m, 2h. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise ValueError(text)
    return float(found[1]) * UNITS_S[found[2]]


def shown(utc_s: float, zone: tzinfo | None = None) -> str:
    """Date, time to the millisecond and zone, for people."""
    at = datetime.fromtimestamp(utc_s, UTC).astimezone(zone)
    offset = at.strftime("%z")
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {offset[:3]}:{offset[3:]}"


def clock_shown(utc_s: float, zone: tzinfo | None = None) -> str:
    """Time of day to the tenth."""
    at = datetime.fromtimestamp(utc_s, UTC).astimezone(zone)
    return f"{at:%H:%M:%S}.{at.microsecond // 100000}"
