"""The counted run of device faults: what passes, and that it acts only with faults that devices know."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.device_faults import DEVICES, FAULTS, draws, passed
from hil.devices import fault_table
from hil.devices.fault_table import checked

BACK = {"valid": 3.1, "users": 0.2, "picture": 0.1, "stored": 1.4}
GOOD: dict[str, Any] = {"wrong_colour_ms": 0.0, "came_back_s": BACK}


def test_everything_back_and_no_wrong_colour_passes() -> None:
    assert passed(GOOD)


@pytest.mark.parametrize("wrong", [0.1, 5000.0, None])
def test_a_wrong_colour_or_none_measured_does_not_pass(wrong: float | None) -> None:
    assert not passed({**GOOD, "wrong_colour_ms": wrong})


@pytest.mark.parametrize("part", BACK)
def test_a_part_that_does_not_come_back_does_not_pass(part: str) -> None:
    assert not passed({**GOOD, "came_back_s": {**GOOD["came_back_s"], part: None}})


@given(count=st.integers(0, 60), seed=st.integers(0, 10_000))
def test_every_device_has_its_turn_before_any_has_a_second(count: int, seed: int) -> None:
    drawn = list(draws(count, seed))
    turns = [[device for device, _ in drawn].count(device) for device in DEVICES]
    assert len(drawn) == count
    assert max(turns) - min(turns) <= 1
    assert drawn == list(draws(count, seed))


def test_no_device_is_left_out_of_the_draw() -> None:
    not_there = {"talkers"}  # on a crossing only where it is asked for
    assert set(DEVICES) == set(fault_table.FAULTS) - not_there
    assert {fault for _, fault in draws(200, 1)} == set(FAULTS)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("fault", [*FAULTS, "replug"])
def test_each_drawn_fault_is_one_that_the_device_knows(device: str, fault: str) -> None:
    assert checked(device, fault) == (device, fault)
