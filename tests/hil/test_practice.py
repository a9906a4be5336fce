"""The pole to practise on: from virtual devices to a green self-check with the guide's own commands."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.practice import GREEN_S, Pole, slipped
from hil.processes import RigFailure
from hil.terminal_picture import picture


@pytest.fixture
def pole(short_path: Path) -> Iterator[Pole]:
    pole = Pole(short_path / "p")
    try:
        pole.rig.start_devices()
        yield pole
    finally:
        pole.rig.stop()


@pytest.mark.real
@pytest.mark.timeout(600)
def test_the_guide_s_commands_lead_to_a_green_self_check_and_a_pulled_cable_to_a_red_one(pole: Pole) -> None:
    told = (
        pole.typed("probe", "dev/controller", must=(0, 4)) for _ in range(3)
    )  # a stalled host loses bytes
    assert any("baud: 115200" in each for each in told)
    (pole.folder / "wrong.yaml").write_text(slipped((pole.folder / "site.yaml").read_text()))
    told = pole.typed("config", "check", "wrong.yaml", must=(3,))
    assert "controller.baud" in told
    assert "did you mean host?" in told
    assert pole.typed("config", "check", "site.yaml", language="zh") != pole.typed(
        "config", "check", "site.yaml"
    )
    with pole.agent() as green_s:
        assert 0 < green_s < GREEN_S
        assert pole.typed("status").splitlines()[0].endswith("on air")
        pole.rig.fault("controller", "unplug", True)
        pole.until(lambda found: found and found["SER01"]["good"] is False, 60.0)
        assert "check the cable" in pole.typed("doctor", must=(4,))
    assert pole.findings() == {}


@pytest.mark.real
def test_a_command_that_ends_otherwise_is_told_with_what_it_printed(pole: Pole) -> None:
    with pytest.raises(RigFailure, match=r"config check none\.yaml ended with \d"):
        pole.typed("config", "check", "none.yaml")
    with pytest.raises(RigFailure, match="no agent answers"):
        pole.until(lambda found: found, 0.0)


@pytest.mark.real
def test_it_says_what_to_type_and_ends_with_all_its_devices(short_path: Path) -> None:
    command = [sys.executable, "-m", "hil.practice", str(short_path / "p")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(7)]
        assert said[0] == f"cd {short_path / 'p'}\n"
        assert "rsu doctor\n" in said
        assert (short_path / "p" / "dev" / "controller").exists()
        process.terminate()
        assert process.wait(60) == 0
    deadline = time.monotonic() + 30
    while (short_path / "p" / "dev" / "controller").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_picture_shows_every_line_in_its_own_fonts_and_is_the_same_each_time() -> None:
    made = picture("rsu status", "ok   一 & two\n" + "x" * 150)
    assert made == picture("rsu status", "ok   一 & two\n" + "x" * 150)
    assert "$&#160;rsu&#160;status" in made
    assert "一" in made
    assert "&amp;" in made
    assert "x" * 150 not in made, "a long line is broken"
    assert "@font-face" not in made
    assert "Fira" not in made
