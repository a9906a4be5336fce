"""The command port of the virtual TI radar: the answers of the facts' table (radars 1.4), and the silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.ti_console import FRONT_END, PROCESSING, PROMPT, TiConsole

WHOLE = [*(f"{name} 1 2 3" for name in FRONT_END), *(f"{name} -1 0" for name in PROCESSING)]


def said(console: TiConsole, line: str) -> str:
    """What it answers, without the echo."""
    answer = console.hear(line.encode() + b"\n").decode()
    assert answer.startswith(line) or not answer
    return answer[len(line) :]


def configured(profile: str = "traffic_monitoring") -> TiConsole:
    console = TiConsole(profile, warm=False)
    for line in ["sensorStop", "flushCfg", *WHOLE, "sensorPosition 6 0 0"]:
        assert "Done" in said(console, line), line
    return console


def test_a_whole_configuration_starts_it() -> None:
    console = configured()
    assert not console.running
    assert "Done" in said(console, "sensorStart")
    assert console.running


@pytest.mark.parametrize("missing", ["frameCfg", "cfarCfg", "guiMonitor"])
def test_an_incomplete_configuration_does_not_start_it_the_first_time(missing: str) -> None:
    console = TiConsole("traffic_monitoring", warm=False)
    for line in WHOLE:
        if not line.startswith(missing):
            said(console, line)
    answer = said(console, "sensorStart")
    assert "Error: Full configuration must be provided before sensor can be started the first time" in answer
    assert "Error -1" in answer
    assert "Done" not in answer
    assert not console.running


def test_started_or_stopped_twice_is_ignored_and_done() -> None:
    console = TiConsole("traffic_monitoring", warm=True)
    answer = said(console, "sensorStart")
    assert "Ignored: Sensor is already started" in answer
    assert "Done" in answer
    assert "Done" in said(console, "sensorStop")
    answer = said(console, "sensorStop")
    assert "Ignored: Sensor is already stopped" in answer
    assert "Done" in answer


def test_after_a_stop_it_starts_again_without_its_configuration_but_not_with_a_new_one() -> None:
    console = TiConsole("traffic_monitoring", warm=True)
    said(console, "sensorStop")
    answer = said(console, "sensorStart 1")
    assert "Error: Reconfig is not supported" in answer
    assert "Error -1" in answer
    assert not console.running
    assert "Done" in said(console, "sensorStart 0")
    assert console.running


def test_comments_and_what_is_unknown() -> None:
    console = TiConsole("sdk", warm=True)
    assert "Skipped" in said(console, "% a comment")
    answer = said(console, "sensorSatrt")
    assert "'sensorSatrt' is not recognized as a CLI command" in answer
    assert "Done" not in answer
    assert answer.endswith(PROMPT)
    assert console.hear(b"\n\n\r\n").strip() == b""


def test_monitors_are_not_allowed_while_it_runs() -> None:
    console = TiConsole("sdk", warm=True)
    assert "Ignored: This command is not allowed after sensor has started" in said(
        console, "CQRxSatMonitor 0 3 5"
    )


@pytest.mark.parametrize("name", ["channelCfg", "adcCfg", "lowPower"])
def test_another_front_end_after_the_first_start_hangs_it_until_power_comes_anew(name: str) -> None:
    console = configured()
    said(console, "sensorStart")
    said(console, "sensorStop")
    assert "Done" in said(console, f"{name} 1 2 3"), "the same values do no harm"
    answer = console.hear(f"{name} 1 2 4\n".encode())
    assert b"Done" not in answer
    assert console.hung
    assert console.hear(b"sensorStart\n") == b""
    assert not console.running
    console.reset()
    assert "Done" in said(console, f"{name} 1 2 4")


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_whatever_is_typed_it_goes_on_answering(chunks: list[bytes]) -> None:
    console = TiConsole("sdk", warm=True)
    for chunk in chunks:
        console.hear(chunk)
    console.hear(b"\n")
    assert b"Skipped" in console.hear(b"% still there\n")


def test_a_line_is_cut_at_its_buffer() -> None:
    console = TiConsole("sdk", warm=True)
    assert len(console.hear(b"%" * 5000)) == 256
