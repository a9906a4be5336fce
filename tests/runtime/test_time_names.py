"""Naming an offset by its size (field-rules 3.7)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.runtime.time_names import BEIJING_S, TOLERANCE_S, name_offset

# Origin: field-rules 3.7; TAI - UTC = 37 s since 2017, GPS = TAI - 19 s, BeiDou = TAI - 33 s.
NAMED = [
    (4.0, "BeiDou time"),
    (18.0, "GPS time"),
    (37.0, "TAI"),
    (28_800.0, "local time"),
    (-18.0, "-GPS time"),
    (-28_800.0, "-local time"),
    (28_800.0 - 18.0, "local time - GPS time"),
    (28_800.0 + 18.0, "local time + GPS time"),
    (28_800.0 - 4.0, "local time - BeiDou time"),
    (28_800.0 + 37.0, "local time + TAI"),
    (-28_800.0 + 18.0, "-local time + GPS time"),
    (-28_800.0 - 37.0, "-local time - TAI"),
]


@pytest.mark.parametrize(("seconds", "name"), NAMED)
@pytest.mark.parametrize("off_s", [0.0, 0.9, -0.9])
def test_an_offset_is_named_by_its_size(seconds: float, name: str, off_s: float) -> None:
    assert name_offset(seconds + off_s) == name


@pytest.mark.parametrize("seconds", [0.0, 1.0, 2.5, 11.0, 60.0, 3600.0, 86_400.0, math.nan, math.inf])
def test_other_sizes_have_no_name(seconds: float) -> None:
    assert name_offset(seconds) is None


def test_a_later_leap_second_moves_the_satellites_names_and_not_local_time() -> None:
    assert (name_offset(19.0, 38), name_offset(5.0, 38), name_offset(38.0, 38)) == (
        "GPS time",
        "BeiDou time",
        "TAI",
    )
    assert name_offset(37.0, 38, tolerance_s=0.5) is None
    assert name_offset(28_800.0, 38) == "local time"


@given(st.floats(-40_000, 40_000))
def test_a_name_never_stands_for_two_sizes_far_apart_and_a_mirrored_one_is_mirrored(seconds: float) -> None:
    name, mirrored = name_offset(seconds), name_offset(-seconds)
    assert (name is None) == (mirrored is None)
    if name is not None:
        assert name != mirrored
        assert (
            min(abs(abs(seconds) - size) for size in (4, 18, 37, *range(BEIJING_S - 37, BEIJING_S + 38)))
            <= TOLERANCE_S
        )
