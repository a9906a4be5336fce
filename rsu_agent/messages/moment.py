"""The instant of encoding as the sets write it: minute of the UTC year, millisecond of the minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTES_A_DAY = 1_440
MINUTES_A_YEAR = 365 * MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class UtcStamp:
    """The instant of encoding: minute of the UTC year and millisecond of the minute.

    minutes_in_year: 525,600, in a leap year 527,040: where the minute turns over.
    """

    minute_of_year: int
    millisecond: int
    minutes_in_year: int = MINUTES_A_YEAR

    def minute_after(self, minutes: int) -> int:
        """The minute of the year so many minutes later, which may be one of the next year."""
        return (self.minute_of_year + minutes) % self.minutes_in_year


def utc_stamp(utc_s: float) -> UtcStamp:
    """The stamp of an instant, seconds since the Unix epoch."""
    at = datetime.fromtimestamp(utc_s, UTC)
    start = datetime(at.year, 1, 1, tzinfo=UTC)
    minutes, rest_s = divmod((at - start).total_seconds(), 60.0)
    days = (datetime(at.year + 1, 1, 1, tzinfo=UTC) - start).days
    return UtcStamp(int(minutes), min(59_999, int(rest_s * 1000)), days * MINUTES_A_DAY)
