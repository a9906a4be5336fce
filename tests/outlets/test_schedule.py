"""When SPAT leaves: the grid, the extra frames, a stalled host."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.outlets.schedule import MOST_EXTRA, NEAR_S, SHARED_S, SpatSchedule


def frames(changes: list[float], seconds: float, stalls: dict[float, float] | None = None) -> list[float]:
    """Run in 1 ms steps; a stall at t keeps the process from running for so long."""
    schedule, sent, asleep_until = SpatSchedule(0.0), [], 0.0
    pending = sorted(changes)
    for step in range(int(seconds * 1000)):
        now = step / 1000
        asleep_until = max(asleep_until, now + (stalls or {}).get(now, 0.0))
        if now < asleep_until:
            continue
        while pending and pending[0] <= now:
            schedule.changed(now)
            pending.pop(0)
        if now >= schedule.next_due_s() and schedule.due(now):
            sent.append(now)
    return sent


def test_without_changes_there_are_ten_a_second_on_a_grid_that_never_moves() -> None:
    sent = frames([], 20.0)
    assert len(sent) == 200
    assert all(abs(at - round(at, 1)) < 0.0015 for at in sent)


@pytest.mark.parametrize("seed", range(20))
def test_eight_changes_in_ten_seconds_give_95_to_110_frames_and_no_gap_over_150_ms(seed: int) -> None:
    dice = random.Random(seed)
    changes, at = [], 0.5
    while at < 58.0:  # never more than eight in any ten seconds
        changes.append(at)
        at += dice.uniform(1.43, 1.9)
    sent = frames(changes, 60.0)
    for start in range(50):
        assert 95 <= sum(start <= at < start + 10 for at in sent) <= 110
    assert max(b - a for a, b in pairwise(sent)) <= 0.15
    for change in changes:
        assert min(at - change for at in sent if at >= change - 0.0015) <= NEAR_S + 0.0025


def test_a_change_just_before_a_tick_waits_for_it() -> None:
    sent = frames([1.0975], 2.0)
    assert sum(1.05 < at < 1.15 for at in sent) == 1


def test_two_changes_close_together_follow_by_a_little() -> None:
    sent = [at for at in frames([1.030, 1.035], 2.0) if 1.01 < at < 1.09]
    assert len(sent) == 2
    assert sent[1] - sent[0] == pytest.approx(SHARED_S, abs=0.002)


def test_more_than_eight_extra_frames_in_ten_seconds_take_the_tick() -> None:
    sent = frames([0.03 + n * 0.5 for n in range(20)], 10.0)
    assert len(sent) == 100 + MOST_EXTRA


def test_a_stalled_host_skips_ticks_and_sends_no_burst() -> None:
    sent = frames([], 3.0, stalls={1.0: 0.55})
    assert sum(1.0 <= at < 1.6 for at in sent) == 1
    assert all(b - a >= 0.04 for a, b in pairwise(sent))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 24_000), max_size=60))
def test_whenever_lamps_change_the_grid_stands_and_extra_frames_keep_to_their_number(
    changes: list[int],
) -> None:
    sent = frames([ms / 1000 for ms in changes], 25.0)
    on_grid = [at for at in sent if abs(at - round(at, 1)) < 0.0015]
    assert len(on_grid) >= 250
    extra = [at for at in sent if abs(at - round(at, 1)) >= 0.0015]
    for at in extra:
        assert sum(at <= other < at + 10.0 for other in extra) <= MOST_EXTRA
    for start in range(15):
        assert 95 <= sum(start <= at < start + 10 for at in sent) <= 110
    assert all(b - a <= 0.15 for a, b in pairwise(sent))
    assert all(b - a >= NEAR_S - 0.0015 for a, b in pairwise(extra))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_changes_within_a_few_milliseconds_share_their_extra_frames(apart_ms: list[int]) -> None:
    changes = [1.03 + sum(apart_ms[:n]) / 1000 for n in range(len(apart_ms))]
    sent = [at for at in frames(changes, 2.0) if 1.0015 < at < 1.0985]
    assert 1 <= len(sent) <= 1 + math.ceil((max(changes) - min(changes)) / SHARED_S)
    for change in changes:
        later = [at for at in frames(changes, 2.0) if at >= change - 0.0015]
        assert min(later) - change <= SHARED_S + 0.0025
