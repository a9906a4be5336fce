"""A prediction that is kept between frames is the one that would be made anew."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from hil.bench.crossing import programme, reports
from rsu_agent.phases.signals import Signals

FAST = 1.0 - 3e-4  # a controller whose clock gains 0.3 ms a second


@pytest.mark.parametrize("seed", [1, 5])
def test_an_outlook_asked_for_often_is_the_outlook_asked_for_once(seed: int) -> None:
    """One asks ten times a second and keeps what it found, the other asks only now and then."""
    often, seldom = Signals(), Signals()
    for signals in (often, seldom):
        signals.receive(programme())
    compared = 0
    for n, report in enumerate(reports(150.0, seed, 1000.0)):
        now_s = report.last_byte_s
        for signals in (often, seldom):
            signals.receive(report)
        shown = often.outlook(now_s + 0.01)
        if n % 37 == 0:
            assert seldom.outlook(now_s + 0.01).groups == shown.groups
            compared += 1
    assert compared > 30


def test_what_is_learnt_moves_what_was_kept() -> None:
    signals = Signals()
    signals.receive(programme())
    ends: dict[int, list[float]] = {}
    for even in reports(200.0, 2, 1000.0):
        first_s, last_s = (1000.0 + (s - 1000.0) * FAST for s in (even.first_byte_s, even.last_byte_s))
        report = replace(even, first_byte_s=first_s, last_byte_s=last_s)
        signals.receive(report)
        for group in signals.outlook(report.last_byte_s).groups:
            if group.likely_end_s is not None and group.likely_end_s - report.last_byte_s > 1.0:
                ends.setdefault(group.group, []).append(group.likely_end_s)
    steps = [abs(b - a) for told in ends.values() for a, b in pairwise(told) if abs(b - a) < 0.5]
    assert any(step > 1e-6 for step in steps), "an edge steers the origin, and every end with it"
