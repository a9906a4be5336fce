"""A running agent takes another site file, and goes back: unconfirmed, unwell, or asked to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.cli.config_apply import worse_than
from rsu_agent.cli.exits import Exit
from tests.runtime.test_agent_for_real import Agent, controller, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(280)]
__all__ = ["controller"]


class Pole:
    """A running agent and the technician's command line."""

    def __init__(self, folder: Path, controller: dict[str, Any]) -> None:
        self.agent, self.site, self._folder = Agent(folder, controller), folder / "site.yaml", folder
        self.text = self.site.read_text()
        self.agent.up()

    def rsu(self, *words: str, ends: Exit = Exit.OK) -> dict[str, Any]:
        command = [sys.executable, "-m", "rsu_agent.cli.main", "config", *words, "--json"]
        command += ["--state", str(self._folder / "state")]
        if words[0] in ("apply", "rollback"):
            command += ["--site", str(self.site), "--socket", str(self.agent.run / "ctl.sock")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == ends, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    def with_change(self, old: str, new: str) -> str:
        assert self.text.count(old) >= 1
        other = self._folder / "new.yaml"
        other.write_text(self.text.replace(old, new, 1))
        return str(other)

    def events(self) -> list[str]:
        return [each["what"] for each in self.rsu("history")["events"]]


def test_it_is_taken_at_once_and_goes_back_unless_it_is_confirmed_and_well(
    tmp_path: Path, controller: dict[str, Any]
) -> None:
    pole = Pole(tmp_path, controller)
    try:
        before = pole.agent.pids()
        told = pole.rsu("apply", pole.with_change("id: virtual-12", "id: virtual-13"), "--confirm", "100")
        assert told["generation"] == 2
        after = pole.agent.pids()
        assert set(after) == set(before)
        assert all(after[name] != pid for name, pid in before.items() if name != "parent")
        pole.rsu("confirm")
        assert "virtual-13" in pole.site.read_text()

        pole.text = pole.site.read_text()
        began_s = time.monotonic()
        pole.rsu("apply", pole.with_change("id: virtual-13", "id: virtual-14"), "--confirm", "20")
        until(lambda: pole.site.read_text() == pole.text)
        gone_s = time.monotonic()
        assert gone_s - began_s > 15
        until(lambda: pole.agent.radio.speaks(gone_s + 3.0))
        assert pole.events() == ["applied", "confirmed", "applied", "reverted"]

        nowhere = pole.with_change(controller["port"], str(tmp_path / "nowhere"))
        refused = pole.rsu("apply", nowhere, "--confirm", "100", ends=Exit.REVERTED)
        assert "SPaT" in refused["error"]
        assert pole.site.read_text() == pole.text
        until(lambda: pole.agent.radio.speaks(time.monotonic() - 0.5))
        assert pole.agent.process.poll() is None, "the parent has lived through all of it"
    finally:
        pole.agent.close()


def state(valid: bool = True, camera: str = "ok", connected: bool = True) -> dict[str, Any]:
    return {
        "spat": {"valid": valid, "reason": "ok" if valid else "silent"},
        "devices": [{"device": "north", "state": camera, "reason": "frozen"}],
        "uplink": {"connected": connected},
    }


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (state(), state(), []),
        (state(), state(valid=False), ["SPaT: silent"]),
        (state(), state(camera="lost"), ["north: lost (picture frozen)"]),
        (state(), state(connected=False), ["uplink: not connected"]),
        (state(valid=False, camera="lost"), state(valid=False, camera="lost"), []),
        (state(), {**state(), "devices": []}, []),
        (state(), {**state(), "uplink": None}, ["uplink: not connected"]),
        ({**state(), "uplink": None}, state(connected=False), []),
    ],
)  # fmt: skip
def test_well_is_what_was_well_before(before: Any, after: Any, worse: list[str]) -> None:
    assert worse_than(before, after) == worse
