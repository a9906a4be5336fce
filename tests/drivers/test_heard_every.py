"""How often each radar is to be heard on an empty road: by its settings, and by what its link then gives."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from drivers.csr_speed import driver as csr
from drivers.csr_speed.link import Link as CsrLink
from drivers.csr_speed.settings import Settings as CsrSettings
from drivers.ops243.link import Link as OpsLink
from drivers.ops243.settings import Settings as OpsSettings
from rsu_agent.ports.plugins import HEARD_EVERY_S, Kind, plugins

IDLE = {"byte": b"\x00", "two_bytes": b"\xf7\x00", "ascii": b"*000"}
SILENT_FOR_EVER: list[tuple[str, dict[str, Any]]] = [
    ("ops243", {}),
    ("ops243", {"set_clock": True}),
    ("csr_speed", {"format": "ascii", "mode": "trigger"}),
    ("ss125", {"sensor": 245}),
    ("rtms_g4", {}),
    ("rtms_g4", {"silence_s": 600}),
]
HEARD: list[tuple[str, dict[str, Any], float]] = [
    ("ops243", {"silence_s": 8}, 8.0),
    ("ops243", {"configure": True}, 5.0),
    ("ops243", {"configure": True, "silence_s": 2}, 2.0),
    ("csr_speed", {"format": "ascii"}, HEARD_EVERY_S),
    ("csr_speed", {"format": "ascii", "mode": "answer"}, HEARD_EVERY_S),
    ("csr_speed", {"format": "ascii", "mode": "answer", "ask_hz": 0.5}, 6.0),
    ("umrr0c", {}, HEARD_EVERY_S),
]


def every_s(name: str, keys: dict[str, Any]) -> float | None:
    plugin = plugins()[name]
    return plugin.heard_every_s(plugin.settings.model_validate({"port": "/dev/ttyS0", **keys}))


@pytest.mark.parametrize(("name", "keys"), SILENT_FOR_EVER)
def test_a_radar_that_tells_of_vehicles_only_may_be_silent_for_ever(name: str, keys: dict[str, Any]) -> None:
    assert every_s(name, keys) is None


@pytest.mark.parametrize(("name", "keys", "seconds"), HEARD)
def test_one_that_says_that_nothing_moves_is_to_be_heard(
    name: str, keys: dict[str, Any], seconds: float
) -> None:
    assert every_s(name, keys) == seconds


def test_every_other_radar_speaks_in_cycles() -> None:
    own = {name for name, _ in SILENT_FOR_EVER} | {"csr_speed"}
    for name in plugins():
        if plugins()[name].kind is Kind.RADAR and name not in own:
            assert plugins()[name].heard_every_s(None) == HEARD_EVERY_S, name


@pytest.mark.parametrize("form", IDLE)
def test_a_radar_in_continuous_mode_is_heard_often_enough_while_nothing_moves(form: str) -> None:
    settings = CsrSettings.model_validate({"port": "memory:csr", "format": form})
    link, heard_s = CsrLink(settings, 0.0), []
    for n in range(400):
        now_s = 1.0 + n * 0.026
        heard_s += [now_s for _ in link.receive(IDLE[form], now_s)]
    limit_s = csr.heard_every_s(settings)
    assert limit_s is not None
    assert len(heard_s) > 10
    assert max(later - before for before, later in pairwise(heard_s)) < limit_s / 2


def test_zeros_of_an_ops243_are_frames() -> None:
    settings = OpsSettings.model_validate({"port": "memory:ops", "configure": True})
    link = OpsLink(settings, 0.0, 0.0)
    frames = [frame for n in range(10) for frame in link.receive(b'{"speed":"0.0"}\r\n', 1.0 + n)]
    assert len(frames) == 10
    assert all(not frame.speeds for frame in frames)
