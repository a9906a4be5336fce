"""Reading what is asked of the API: every fault says what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rsu_agent.district.facts import DAY_US, us_of
from rsu_agent.district.reading import FIRST, MOST_ROWS, Cursor, read_cursor

ROWS = 500
LONGEST_US = 400 * DAY_US
MOST_NAME = 64
History = tuple[str, str | None, int, int, Cursor, int]


class Wrong(Exception):
    """A question that cannot be answered; `do` says how to ask it."""

    def __init__(self, error: str, do: str) -> None:
        super().__init__(error)
        self.do = do


def asked_history(query: Mapping[str, str], kind: str, now_us: int) -> History:
    """(kind, site, from, to, after, limit), the arguments of Reader.history; the last hour unless told."""
    if not 0 < len(kind) <= MOST_NAME:
        raise Wrong("kind is missing", "add ?kind=flow; docs/reference/uplink.md lists the kinds")
    site = query.get("site") or None
    to_us = _instant(query, "to", now_us)
    from_us = _instant(query, "from", to_us - 3600 * 1_000_000)
    if not 0 < to_us - from_us <= LONGEST_US:
        raise Wrong("from must be before to, and at most 400 days", "ask for a shorter range, page by page")
    try:
        after = read_cursor(query["after"]) if query.get("after") else FIRST
    except ValueError:
        raise Wrong("after is no page", "give back `next` of the page before, unchanged") from None
    if any("\0" in text for text in (kind, site or "", after[1], after[3])):
        raise Wrong("a name with NUL", "see /api/sites for the names")
    return kind, site, from_us, to_us, after, asked_limit(query)


def asked_limit(query: Mapping[str, str]) -> int:
    """How many rows."""
    text = query.get("limit", str(ROWS))
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_ROWS):
        raise Wrong(f"limit {text[:20]!r} is not 1 to {MOST_ROWS}", "leave it out, or ask for fewer and page")
    return int(text)


def _instant(query: Mapping[str, str], name: str, otherwise_us: int) -> int:
    """Microseconds, or a date and time of ISO 8601; without a zone it is UTC."""
    text = query.get(name)
    if text is None:
        return otherwise_us
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return int(text)
    try:
        when = datetime.fromisoformat(
            text.replace(" ", "+")
        )  # a plus that an address has turned into a blank
    except ValueError:
        do = f"write {name}=2026-11-27T08:00:00Z, or microseconds since 1970"
        raise Wrong(f"{name} {text[:40]!r} is no time", do) from None
    return us_of(when if when.tzinfo else when.replace(tzinfo=UTC))
