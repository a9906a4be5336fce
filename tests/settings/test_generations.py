"""A change of the site file ends as the old or as the new one, wherever it is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rsu_agent.settings import durable
from rsu_agent.settings.generations import KEPT, Generations, Refused

OLD, NEW = b"# old\nsite: 1\n", b"# new\nsite: 2\n" * 400


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "site.yaml"
    path.parent.mkdir()
    path.write_bytes(OLD)
    path.chmod(0o640)
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "config")


def test_what_is_confirmed_holds(site: Path, kept: Generations) -> None:
    pending = kept.begin(site, NEW, 60.0)
    assert site.read_bytes() == NEW
    assert site.stat().st_mode & 0o777 == 0o640
    assert 59 < pending.left_s <= 60
    assert kept.confirm() == pending
    assert (kept.pending(), kept.revert("again")) == (None, None)
    assert site.read_bytes() == NEW
    assert [(each["what"], each["generation"]) for each in kept.history()] == [
        ("applied", 2),
        ("confirmed", 2),
    ]
    with pytest.raises(Refused, match="nothing waits"):
        kept.confirm()


def test_what_nobody_confirms_goes_back(site: Path, kept: Generations) -> None:
    kept.begin(site, NEW, 60.0)
    assert kept.revert_if_due() is None
    kept.begin(site, NEW, 0.0)  # the same again: another time
    assert kept.revert_if_due() is not None
    assert site.read_bytes() == OLD
    last = kept.history()[-1]
    assert (last["what"], last["generation"], last["why"]) == ("reverted", 1, "not confirmed in time")
    assert len({each["id"] for each in kept.history()}) == len(kept.history())


def test_after_a_reboot_what_is_pending_is_due_whatever_the_clock_says(
    site: Path, kept: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.begin(site, NEW, 3600.0)
    monkeypatch.setattr(durable, "boot_id", lambda: "another")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert kept.revert_if_due() is not None
    assert site.read_bytes() == OLD


def test_one_change_at_a_time(site: Path, kept: Generations) -> None:
    kept.begin(site, NEW, 60.0)
    with pytest.raises(Refused, match="another change waits"):
        kept.begin(site, b"third", 60.0)
    assert site.read_bytes() == NEW


def test_what_somebody_has_edited_meanwhile_is_not_confirmed(site: Path, kept: Generations) -> None:
    kept.begin(site, NEW, 60.0)
    site.write_bytes(b"by hand")
    with pytest.raises(Refused, match="somebody has changed it"):
        kept.confirm()


def test_a_pending_file_that_cannot_be_read_is_no_silence(site: Path, kept: Generations) -> None:
    kept.begin(site, NEW, 60.0)
    (kept.folder / "pending.json").write_text('{"old": 1')
    with pytest.raises(Refused, match="cannot be read"):
        kept.pending()


def test_the_newest_generations_are_kept(site: Path, kept: Generations) -> None:
    for number in range(KEPT + 10):
        kept.begin(site, f"text {number}".encode(), 60.0)
        kept.confirm()
    assert len(kept.numbers()) == KEPT
    assert kept.text(kept.numbers()[-1]) == site.read_bytes()
    with pytest.raises(Refused, match="generation 1 is not kept"):
        kept.text(1)


@pytest.mark.parametrize("ends", ["confirm", "revert"])
def test_a_kill_at_any_step_ends_in_the_old_or_the_new_file_and_never_in_a_mixture(
    site: Path, kept: Generations, ends: str
) -> None:
    new = site.with_name("new.yaml")
    new.write_bytes(NEW)
    states, dice = set(), random.Random(1)
    for step in (*range(60), *(dice.randrange(60) for _ in range(10))):
        site.write_bytes(OLD)
        command = [sys.executable, "-m", "hil.drills.change", site, kept.folder, new, str(step), ends]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr
        assert site.read_bytes() in (OLD, NEW)
        pending = kept.pending()
        if pending is not None:  # the next start of the agent
            kept.revert("started")
            assert site.read_bytes() == OLD
        elif "applied" in done.stdout:
            assert site.read_bytes() == (NEW if ends == "confirm" else OLD)
        else:
            assert site.read_bytes() == OLD
        states.add((done.returncode, pending is None, done.stdout))
        assert json.dumps(kept.history())
        if done.returncode == 0:
            break
    assert len(states) >= 3, "before, between and after"
    assert os.listdir(site.parent)
