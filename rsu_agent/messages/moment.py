"""The instant of encoding as the sets write it: minute of the UTC year, millisecond of the minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTES_A_DAY = 1_440
MINUTES_A_YEAR = 365 * MINUTES_A_DAY
AROUND_LEAP_S = 2.0  # so near a leap second no clock that steps can be believed


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


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant on both clocks: monotonic seconds, and UTC seconds since the Unix epoch.

    utc_s None: our clock is not trusted, no time of ours goes on air (field-rules 3.6).
    leap: what the end of this UTC month brings: 1 one second more, -1 one less, 0 neither is announced.
    """

    now_s: float
    utc_s: float | None
    leap: int = 0

    @property
    def stamp(self) -> UtcStamp | None:
        """The message's own time."""
        return None if self.utc_s is None else utc_stamp(self.utc_s)

    def utc_of(self, at_s: float) -> tuple[float, bool] | None:
        """(UTC seconds of another monotonic instant, whether they are within an inserted leap second).

        In a leap second they count on from the 3,600th of its hour. None: our clock is not trusted.
        """
        if self.utc_s is None:
            return None
        utc_s = self.utc_s + at_s - self.now_s
        if self.leap:
            turn_s = month_end_s(self.utc_s)
            if utc_s >= turn_s + self.leap:
                return utc_s - self.leap, False
            if utc_s >= turn_s:
                return utc_s, True
        return utc_s, False


def utc_stamp(utc_s: float) -> UtcStamp:
    """The stamp of an instant, seconds since the Unix epoch."""
    at = datetime.fromtimestamp(utc_s, UTC)
    start = datetime(at.year, 1, 1, tzinfo=UTC)
    minutes, rest_s = divmod((at - start).total_seconds(), 60.0)
    days = (datetime(at.year + 1, 1, 1, tzinfo=UTC) - start).days
    return UtcStamp(int(minutes), min(59_999, int(rest_s * 1000)), days * MINUTES_A_DAY)


def month_end_s(utc_s: float) -> float:
    """The end of this UTC month, where leap seconds are; without counting them, as the Unix epoch does."""
    at = datetime.fromtimestamp(utc_s, UTC)
    year, month = (at.year, at.month + 1) if at.month < 12 else (at.year + 1, 1)
    return datetime(year, month, 1, tzinfo=UTC).timestamp()


def near_leap(utc_s: float, leap: int) -> bool:
    """Whether a leap second that is announced is so near that a clock may just be stepping."""
    if not leap:
        return False
    end_s = month_end_s(utc_s - AROUND_LEAP_S)  # of the month that has the leap second, also just after it
    return abs(utc_s - end_s) <= AROUND_LEAP_S
