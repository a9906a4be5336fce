"""The watch over what was sent, and the share of time in which something was said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.messages.moment import UtcStamp, utc_stamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.sent_watch import SentWatch
from rsu_agent.outlets.spat_reader import PhaseRead, SpatRead
from rsu_agent.outlets.valid_share import ValidShare
from rsu_agent.wire.uper import Malformed

UTC_S = 1_790_000_000.0
MAP = {"nodes": [{"inLinks": [{"movements": [{"phaseId": 1}, {"phaseId": 3}]}]}]}


def watch(phases: tuple[int, ...] = (1, 3, 9), map_value: Any = MAP) -> SentWatch:
    def read(frame: bytes, stamp: UtcStamp | None) -> SpatRead:
        if not frame:
            raise NotSpat("planted")
        late_ms = frame[0]
        at = None if stamp is None else (stamp.minute_of_year, stamp.millisecond - late_ms)
        return SpatRead(at and at[0], at and at[1], 0, 12, 0, tuple(PhaseRead(p, 3) for p in phases))

    def decode(_frame: bytes) -> Any:
        if map_value is None:
            raise Malformed("", "planted")
        return map_value

    return SentWatch("SPAT", "MAP", read, decode)


def sent(made: SentWatch, times: list[float], frame: bytes = b"\x05") -> list[str]:
    return [fault for t in times for fault in made.sent("SPAT", frame, t, utc_stamp(UTC_S + 0.5))]


def grid(seconds: float, period_s: float = 0.1, start_s: float = 100.0) -> list[float]:
    return [start_s + step * period_s for step in range(round(seconds / period_s))]


def test_ten_a_second_with_a_few_extra_frames_are_as_they_should_be() -> None:
    times = sorted([*grid(60.0), *(100.03 + 2.0 * n for n in range(30))])
    assert sent(watch(), times) == []


def test_a_gap_is_told_once_for_each_time() -> None:
    times = [t for t in grid(30.0) if not 110.0 < t < 110.25]
    assert sent(watch(), times).count("gap") == 1


@pytest.mark.parametrize(("period_s", "fault"), [(0.12, "too_few"), (0.08, "too_many")])
def test_a_wrong_rate_is_told_when_it_begins(period_s: float, fault: str) -> None:
    assert sent(watch(), grid(60.0, period_s)) == [fault]


def test_silence_on_purpose_is_no_gap_and_no_low_rate() -> None:
    made = watch()
    assert sent(made, grid(20.0)) == []
    made.silent()
    assert sent(made, grid(20.0, start_s=300.0)) == []


def test_a_stamp_that_is_not_now_and_bytes_that_nobody_can_read() -> None:
    assert sent(watch(), [1.0], b"\x14") == []
    assert sent(watch(), [1.0], b"\x15") == ["stamp"]
    assert sent(watch(), [1.0], b"") == ["unreadable"]


def test_what_the_map_names_must_be_in_spat() -> None:
    made = watch(phases=(1, 9))
    assert sent(made, [1.0]) == []  # no MAP yet
    made.sent("MAP", b"map", 1.05, None)
    assert sent(made, [1.1]) == ["not_in_spat"]
    whole, unread = watch(), watch(map_value=None)
    for fine in (whole, unread):
        fine.sent("MAP", b"map", 1.05, None)
        assert sent(fine, [1.1]) == []
    assert made.counters == {"not_in_spat": 1}


def test_half_of_the_time_is_a_share_of_a_half() -> None:
    share = ValidShare()
    assert share.share is None
    for step in range(6000):
        share.saw(step / 10, valid=step % 1000 < 500)
    assert share.share == pytest.approx(0.5, abs=0.01)
    for step in range(6000, 12_100):
        share.saw(step / 10, valid=True)
    assert share.share == pytest.approx(1.0)


def test_a_frame_holds_no_longer_than_receivers_believe_it() -> None:
    share = ValidShare()
    share.saw(0.0, valid=True)
    share.saw(3.0, valid=True)
    assert share.share == pytest.approx(0.1)


@given(st.lists(st.tuples(st.floats(0.0, 50.0), st.booleans()), max_size=60))
def test_the_share_is_always_a_share(steps: list[tuple[float, bool]]) -> None:
    share, now_s = ValidShare(), 0.0
    for seconds, valid in steps:
        now_s += seconds
        share.saw(now_s, valid=valid)
        assert share.share is None or 0.0 <= share.share <= 1.0
