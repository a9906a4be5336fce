"""What repeats is encoded once: templates give the full encoder's bytes, or say what is wrong."""

from __future__ import annotations

import random
from typing import Any

import pytest

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.schema import SCHEMA
from rsu_agent.messages.csae53.spat_refresh import MOST_SHAPES, SpatRefresh, numbers_of
from rsu_agent.messages.generator.model import Reference
from rsu_agent.messages.template import Template
from rsu_agent.wire.uper import Malformed
from tests.messages.values import draw


def other_numbers(value: Any, dice: random.Random) -> Any:
    """The same SPAT with other counts and times."""
    match value:
        case dict():
            return {name: _number(name, other_numbers(one, dice), dice) for name, one in value.items()}
        case list():
            return [other_numbers(one, dice) for one in value]
        case ("counting" | "utcTiming" | "spatFrame" as name, one):
            return name, other_numbers(one, dice)
    return value


def _number(name: str, value: Any, dice: random.Random) -> Any:
    if not isinstance(value, int) or name in ("id", "region"):
        return value
    if name == "timeConfidence":
        return dice.randint(0, 200)
    return dice.randint(0, 127) if name == "msgCnt" else dice.randint(0, 36_001)


def test_a_refreshed_frame_is_the_full_encoders_for_any_shape_and_numbers() -> None:
    dice = random.Random(31)
    refresh = SpatRefresh()
    for _ in range(60):
        value = ("spatFrame", draw(Reference("SPAT"), SCHEMA, dice))
        for _ in range(4):
            value = other_numbers(value, dice)
            assert refresh.encode(value) == codec.encode(value)


def test_a_number_outside_its_range_is_refused_by_a_template_too() -> None:
    state = {"light": "red", "timing": ("counting", {"startTime": 0, "likelyEndTime": 9})}
    crossing = {
        "intersectionId": {"id": 1},
        "status": (b"\0\0", 16),
        "phases": [{"id": 1, "phaseStates": [state]}],
    }
    value = ("spatFrame", {"msgCnt": 1, "intersections": [crossing]})
    refresh = SpatRefresh()
    for _ in range(3):
        refresh.encode(value)
    state["timing"][1]["likelyEndTime"] = 36_002  # type: ignore[index]
    with pytest.raises(Malformed):
        refresh.encode(value)
    shape, numbers = numbers_of(value)
    with pytest.raises(Malformed, match="missing"):
        refresh.fill(shape, numbers[:-1])


def test_more_shapes_than_are_kept_are_encoded_all_the_same() -> None:
    refresh = SpatRefresh()
    for node in range(2 * MOST_SHAPES + 3):
        crossing = {
            "intersectionId": {"id": node},
            "status": (b"\0\0", 16),
            "phases": [{"id": 1, "phaseStates": [{"light": "red"}]}],
        }
        value = ("spatFrame", {"msgCnt": node % 128, "intersections": [crossing]})
        assert refresh.encode(value) == refresh.encode(value) == codec.encode(value)


def test_a_template_of_numbers_with_a_lowest_value_shifts_them() -> None:
    value = rsi(0, 5, 300)
    paths: list[tuple[str | int, ...]] = [(1, "refPos", name) for name in ("lat", "long", "elevation")]
    ranges = [(-900_000_000, 900_000_001), (-1_799_999_999, 1_800_000_001), (-4096, 61_439)]
    made = Template(codec.encode, value, paths, ranges)
    assert made.fill([-900_000_000, 1_800_000_001, -1]) == codec.encode(rsi(-900_000_000, 1_800_000_001, -1))


def rsi(lat: int, lon: int, elevation: int) -> tuple[str, dict[str, Any]]:
    """An RSI with nothing but its reference position."""
    place = {"lat": lat, "long": lon, "elevation": elevation}
    return "rsiFrame", {"msgCnt": 1, "id": bytes(8), "refPos": place}


def test_numbers_that_share_a_place_are_refused_when_the_template_is_made() -> None:
    with pytest.raises(ValueError, match="two places"):
        Template(lambda v: bytes([v["a"]]), {"a": 0}, [("a",), ("a",)], [(0, 9), (0, 9)])
