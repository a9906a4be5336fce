"""A camera's latency from signal changes: far finer than its pictures' period, or refused with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rsu_agent.perception.lamp_changes import KEPT, LampChanges, Seen, Told, read_plain
from rsu_agent.perception.latency import (
    LEAST_CHANGES,
    Change,
    Latency,
    LatencyRefused,
    fit,
    frame_of,
    measure,
    paired,
)
from rsu_agent.world.signal import Colour, Lamp, SignalReport
from rsu_agent.world.witness import HeadSeen, HeadsSeen
from tests.perception.changing_lamps import CAMERA, Signal, painted_views, told_views

SIGNAL = Signal()


def changes(signal: Signal, views: Sequence[HeadsSeen], seconds: float) -> LampChanges:
    found = LampChanges()
    for report in signal.reports(seconds):
        found.report(report)
    for view in views:
        found.heads(view)
    return found


def measured(late_s: float, seconds: float = 120.0, signal: Signal = SIGNAL, **camera: Any) -> Latency:
    found = changes(signal, told_views(signal, seconds, late_s, **camera), seconds)
    return measure(list(found.told), list(found.seen), CAMERA)


@pytest.mark.parametrize("late_s", [0.0, 0.083, 0.31, 0.9])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_planted_delay_is_found_within_20_ms_at_ten_pictures_a_second(late_s: float, seed: int) -> None:
    found = measured(late_s, seed=seed)
    assert found.latency_s == pytest.approx(late_s, abs=0.020)
    assert abs(found.latency_s - late_s) < 4 * found.sd_s + 0.002
    assert found.frame_s == pytest.approx(0.1, abs=0.001)


def test_in_rendered_pictures_read_by_our_own_reader_it_is_found_within_20_ms_too() -> None:
    signal, seconds, late_s = Signal(), 45.0, 0.237
    found = changes(signal, painted_views(signal, seconds, late_s), seconds)
    latency = measure(list(found.told), list(found.seen), CAMERA)
    assert latency.changes >= LEAST_CHANGES
    assert latency.latency_s == pytest.approx(late_s, abs=0.020)


@pytest.mark.parametrize("seed", range(5))
def test_jitter_of_the_line_and_five_reports_a_second_still_leave_20_ms(seed: int) -> None:
    found = measured(0.18, 300.0, Signal(report_s=0.2), jitter_s=0.015, seed=seed)
    assert found.latency_s == pytest.approx(0.18 + 0.012, abs=0.020), "the mean of the jitter is latency, too"


def test_a_setting_that_is_too_large_already_gives_a_negative_rest() -> None:
    assert measured(-0.12).latency_s == pytest.approx(-0.12, abs=0.020)


def test_more_changes_make_it_surer() -> None:
    assert measured(0.2, 600.0).sd_s < measured(0.2, 60.0).sd_s


def refused(found: LampChanges) -> str:
    with pytest.raises(LatencyRefused) as why:
        measure(list(found.told), list(found.seen), CAMERA)
    assert why.value.do
    return why.value.reason


def test_too_few_changes_are_refused() -> None:
    signal = Signal()
    assert refused(changes(signal, told_views(signal, 12.0, 0.2), 12.0)) == "few"
    assert refused(LampChanges()) == "few"


def test_pictures_that_keep_step_with_the_signal_are_refused_not_guessed() -> None:
    signal = Signal(stretch=1.0, phase_s=0.05)
    assert refused(changes(signal, told_views(signal, 300.0, 0.2, frame_s=0.1), 300.0)) == "step"


def test_changes_that_contradict_each_other_are_refused() -> None:
    dice, signal = np.random.default_rng(4), Signal()
    found = changes(signal, told_views(signal, 200.0, 0.3), 200.0)
    spoilt = [replace(s, since_s=s.since_s + float(dice.uniform(-0.25, 0.9))) for s in found.seen]
    with pytest.raises(LatencyRefused) as why:
        measure(list(found.told), spoilt, CAMERA)
    assert why.value.reason == "scattered"


def test_a_box_on_another_groups_head_has_no_changes_in_common() -> None:
    signal, other = Signal(), Signal(phase_s=0.031)
    found = changes(signal, told_views(other, 100.0, 0.2), 100.0)
    wrong = [replace(each, group=99) for each in found.seen]
    assert paired(list(found.told), wrong, 0.1) == []


def test_a_few_stray_changes_cost_nothing() -> None:
    signal = Signal()
    found = changes(signal, told_views(signal, 200.0, 0.2), 200.0)
    instants = sorted({each.since_s for each in found.seen})
    strays = set(instants[::9])
    spoilt = [replace(s, since_s=s.since_s + 0.4 * (s.since_s in strays)) for s in found.seen]
    latency = measure(list(found.told), spoilt, CAMERA)
    assert latency.latency_s == pytest.approx(0.2, abs=0.020)
    assert latency.stray > 0


def test_groups_that_change_together_in_one_picture_count_once() -> None:
    told = [Told(group, "red", 10.0, 10.1) for group in (1, 2, 3)]
    seen = [Seen(CAMERA, group, "red", 10.3, 10.4) for group in (1, 2, 3)]
    assert frame_of(seen) == pytest.approx(0.1)
    assert paired(told, seen, 0.1) == [Change(10.0, 10.1, pytest.approx(10.2), 10.3)]


def test_a_change_that_might_be_of_two_reports_is_left_out() -> None:
    told = [Told(1, "red", 10.0, 10.1), Told(1, "red", 11.0, 11.1)]
    assert paired(told, [Seen(CAMERA, 1, "red", 11.3, 11.4)], 0.1) == []


def test_reports_that_come_seldom_tell_no_instant() -> None:
    assert paired([Told(1, "red", 8.0, 10.0)], [Seen(CAMERA, 1, "red", 10.3, 10.4)], 0.1) == []


def test_many_changes_that_are_all_alike_tell_no_more_than_one() -> None:
    alike = [Change(n, n + 0.001, n + 0.2, n + 0.3) for n in range(40)]
    with pytest.raises(LatencyRefused) as why:
        fit(alike, 0.1)
    assert why.value.reason == "step"
    assert "29 would be usual" in why.value.text, "a picture's period over the root of twelve"


def test_a_report_that_is_sent_because_of_a_change_tells_its_instant() -> None:
    found = LampChanges()
    for n in range(20):
        found.report(report(n * 0.5, Colour.RED))
    found.report(replace(report(9.7, Colour.GREEN), unsolicited=True))
    found.report(report(10.0, Colour.YELLOW))
    assert [(t.after_s, t.by_s) for t in found.told] == [(pytest.approx(9.68), 9.7), (9.7, 10.0)]


def test_reports_that_come_by_themselves_in_a_rhythm_are_no_answer_to_a_change() -> None:
    found = LampChanges()
    for n in range(20):
        found.report(replace(report(n * 0.5, Colour.RED if n < 12 else Colour.GREEN), unsolicited=True))
    assert [(t.after_s, t.by_s) for t in found.told] == [(5.5, 6.0)]


def report(at_s: float, colour: Colour) -> SignalReport:
    return SignalReport(at_s, at_s, (Lamp(1, colour),))


def test_flash_dark_and_the_first_look_are_no_changes() -> None:
    found = LampChanges()
    for at_s, colour in enumerate((Colour.GREEN, Colour.GREEN_FLASH, Colour.DARK, Colour.RED, Colour.YELLOW)):
        found.report(report(float(at_s), colour))
    assert list(found.told) == [Told(1, "yellow", 3.0, 4.0)]
    for at_s, since_s in ((1.0, None), (2.0, 1.9), (2.1, 1.9), (3.0, 2.9)):
        colour = Colour.RED if at_s < 3 else Colour.UNKNOWN
        found.heads(HeadsSeen(CAMERA, at_s, (HeadSeen(1, colour, since_s, at_s),)))
    assert list(found.seen) == [Seen(CAMERA, 1, "red", 1.9, 2.0)]


def test_what_the_agent_keeps_is_bounded_and_read_again_whole() -> None:
    found = LampChanges()
    for n in range(3 * KEPT):
        found.report(report(float(n), Colour.RED if n % 2 else Colour.GREEN))
    assert len(found.told) == KEPT
    assert read_plain(found.plain()) == (list(found.told), list(found.seen))


HOSTILE: list[Any] = [
    None, [], {"told": []}, {"told": 1, "seen": []}, {"told": [[1]], "seen": []},
    {"told": [], "seen": [["a", "x", "red", 1, 2]]}, {"told": [None], "seen": []},
    {"told": [[1, "red", 0, 1]] * (KEPT + 1), "seen": []},
]  # fmt: skip


@pytest.mark.parametrize("told", HOSTILE)
def test_anything_else_is_refused(told: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_plain(told)
