"""Time marks and stamps across the ends of hour, day, year and leap second."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rsu_agent.messages.dsrc.units import Edition, mark
from rsu_agent.messages.moment import Instant, month_end_s, near_leap, utc_stamp
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.world.health import TimeQuality

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
NEW_YEAR_S = NEW_YEAR.timestamp()
EDITION = Edition.J2735_2024


@given(st.integers(1_700_000_000_000, 1_900_000_000_000), st.floats(-3000, 3000))
@example(1_798_761_599_990, 0.02)  # the last hundredth of 2026
def test_a_mark_is_the_tenth_of_the_hour_that_a_calendar_gives(now_ms: int, ahead_s: float) -> None:
    got = mark(Instant(5.0, now_ms / 1000), 5.0 + ahead_s, EDITION)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=now_ms) + timedelta(seconds=ahead_s)
    tenths = (at.minute * 60 + at.second) * 10 + at.microsecond / 1e5
    assert got is not None
    assert min(abs(got - tenths), 36_000 - abs(got - tenths)) <= 0.51


@pytest.mark.parametrize("ahead_s", [-3600.0, 3500.1, 3600.0, 86_400.0])
def test_a_mark_an_hour_away_would_name_another_hour_and_is_none(ahead_s: float) -> None:
    assert mark(Instant(0.0, NEW_YEAR_S), ahead_s, EDITION) is None


def test_stamps_turn_with_hour_day_and_year() -> None:
    for at_s, expected in (
        (NEW_YEAR_S - 0.001, (525_599, 59_999)),
        (NEW_YEAR_S, (0, 0)),
        (NEW_YEAR_S + 3600.0, (60, 0)),
        (NEW_YEAR_S + 86_400.5, (1440, 500)),
    ):
        stamp = utc_stamp(at_s)
        assert (stamp.minute_of_year, stamp.millisecond) == expected
    leap_year_end = datetime(2029, 1, 1, tzinfo=UTC).timestamp()
    assert utc_stamp(leap_year_end - 0.001).minute_of_year == 527_039


def at(instant: Instant, seconds: float, edition: Edition = EDITION) -> int | None:
    return mark(instant, instant.now_s + seconds, edition, math.floor)


def test_an_inserted_second_has_its_own_marks_and_what_follows_comes_a_second_later() -> None:
    before = Instant(50.0, NEW_YEAR_S - 2.0, leap=1)  # 23:59:58, and 23:59:60 will be
    assert [at(before, s) for s in (1.95, 2.0, 2.5, 2.95, 3.0, 5.0)] == [
        35_999,
        36_000,
        36_005,
        36_009,
        0,
        20,
    ]
    assert at(Instant(50.0, NEW_YEAR_S - 2.0), 5.0) == 30, "not announced: not reckoned with"


@pytest.mark.parametrize("edition", [Edition.ISO_19091, Edition.J2735_2016])
def test_editions_without_marks_for_it_say_nothing_within_it(edition: Edition) -> None:
    before = Instant(50.0, NEW_YEAR_S - 2.0, leap=1)
    assert [at(before, s, edition) for s in (1.9, 2.5, 3.0)] == [35_999, None, 0]


def test_after_a_second_left_out_everything_comes_a_second_sooner() -> None:
    before = Instant(50.0, NEW_YEAR_S - 3.0, leap=-1)  # 23:59:57; 23:59:58 is the last second of the year
    assert [at(before, s) for s in (1.9, 2.0, 3.0)] == [35_989, 0, 10]


def test_a_leap_second_is_at_the_end_of_its_month() -> None:
    assert month_end_s(NEW_YEAR_S - 1.0) == NEW_YEAR_S
    june = datetime(2026, 6, 10, tzinfo=UTC).timestamp()
    assert month_end_s(june) == datetime(2026, 7, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("apart_s", "leap", "near"),
    [(-1.9, 1, True), (1.9, 1, True), (-2.1, 1, False), (2.1, 1, False), (0.0, 0, False), (0.5, -1, True)],
)
def test_so_near_an_announced_leap_second_our_clock_is_not_told(
    apart_s: float, leap: int, near: bool
) -> None:
    assert near_leap(NEW_YEAR_S + apart_s, leap) == near
    trust = TimeTrust(drift_ppm=5.0)
    announced = {1: "insert", -1: "delete", 0: "none"}[leap]
    trust.read(TimeQuality("t", True, 0.0, 0.001, 9.0, announced))
    instant = trust.instant(10.0, NEW_YEAR_S + apart_s)
    assert (instant.utc_s is None, instant.leap) == (near, leap)
