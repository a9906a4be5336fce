"""The counted run of device faults: what passes, and that it acts only with faults that devices know."""

from __future__ import annotations

from typing import Any

import pytest

from hil.devices.fault_table import checked
from hil.faults import DEVICES, FAULTS, passed

GOOD: dict[str, Any] = {"wrong_colour_ms": 0.0, "came_back_s": {"valid": 3.1, "users": 0.2, "picture": 0.1}}


def test_everything_back_and_no_wrong_colour_passes() -> None:
    assert passed(GOOD)


@pytest.mark.parametrize("wrong", [0.1, 5000.0, None])
def test_a_wrong_colour_or_none_measured_does_not_pass(wrong: float | None) -> None:
    assert not passed({**GOOD, "wrong_colour_ms": wrong})


@pytest.mark.parametrize("part", ["valid", "users", "picture"])
def test_a_part_that_does_not_come_back_does_not_pass(part: str) -> None:
    assert not passed({**GOOD, "came_back_s": {**GOOD["came_back_s"], part: None}})


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("fault", [*FAULTS, "replug"])
def test_each_drawn_fault_is_one_that_the_device_knows(device: str, fault: str) -> None:
    assert checked(device, fault) == (device, fault)
