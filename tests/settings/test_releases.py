"""A release that nobody finds good goes back, by a program that needs no release; what is good stays."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from made_release import box, program

from rsu_agent.settings import durable
from rsu_agent.settings.keeper import keeper, place
from rsu_agent.settings.releases import KEPT, MOST_STARTS, Refused, Releases, main


@pytest.fixture
def kept(tmp_path: Path) -> Releases:
    kept = box(tmp_path / "opt")
    program(kept.folder / "2.0", "2.0")
    (kept.folder / "2.0/release.json").write_text('{"counter": 2}')
    return kept


def ask(kept: Releases, what: str) -> subprocess.CompletedProcess[str]:
    """The keeper as systemd calls it: nothing of ours on its path."""
    return subprocess.run(
        [kept.keeper, what, "--root", kept.root],
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_what_is_good_stays_and_raises_the_counter(kept: Releases) -> None:
    pending = kept.switch("2.0", 60, ["true"])
    assert (kept.current(), kept.waits, pending.old) == ("2.0", True, "1.0")
    kept.confirm("a test")
    assert (kept.current(), kept.waits, kept.counter()) == ("2.0", False, 2)
    assert [(e["what"], e["release"]) for e in kept.history.events()] == [
        ("installed", "2.0"),
        ("good", "2.0"),
    ]
    assert kept.revert("again") is None
    with pytest.raises(Refused, match="no release waits"):
        kept.confirm("a test")


def test_one_waits_at_a_time_and_there_must_be_one_to_go_back_to(kept: Releases, tmp_path: Path) -> None:
    kept.switch("2.0", 60, [])
    with pytest.raises(Refused, match="another release waits"):
        kept.switch("2.0", 60, [])
    with pytest.raises(Refused, match="rollback without a version"):
        kept.put("1.0", "by hand")
    with pytest.raises(Refused, match="leads to no release"):
        Releases(tmp_path / "empty").switch("2.0", 60, [])


def test_the_keeper_takes_back_what_is_started_too_often(kept: Releases) -> None:
    kept.switch("2.0", 60, ["false"])
    for _ in range(MOST_STARTS):
        assert (ask(kept, "start").stdout, kept.current()) == ("", "2.0")
    done = ask(kept, "start")
    assert (done.returncode, kept.current(), kept.waits) == (0, "1.0", False)
    assert done.stdout == "2.0 was not found good: 1.0 is in place again\n"
    assert kept.history.events()[-1]["why"] == f"it was started {MOST_STARTS + 1} times"
    assert ask(kept, "start").stdout == ""


@pytest.mark.parametrize("what", ["start", "tick"])
def test_the_keeper_takes_back_what_is_overdue_and_the_timer_starts_the_old_one(
    kept: Releases, what: str, tmp_path: Path
) -> None:
    kept.switch("2.0", 60, ["touch", str(tmp_path / "restarted")])
    assert (ask(kept, what).returncode, kept.current()) == (0, "2.0")
    told = json.loads((kept.state / "pending.json").read_text())
    (kept.state / "pending.json").write_text(json.dumps(told | {"until_boot_s": 0.0}))
    assert (ask(kept, what).returncode, kept.current()) == (0, "1.0")
    assert (tmp_path / "restarted").exists() == (what == "tick")


def test_after_a_reboot_what_waits_goes_back_whatever_the_clock_says(
    kept: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.switch("2.0", 600, [])
    monkeypatch.setattr(durable, "boot_id", lambda: "another")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert main(["start", "--root", str(kept.root)]) == 0
    assert kept.current() == "1.0"


def test_the_keeper_needs_no_release_and_says_what_is_broken(kept: Releases) -> None:
    kept.switch("2.0", 0, [])
    for path in kept.folder.glob("2.0/**/*"):
        if path.is_file():
            path.write_bytes(b"broken")
    assert (ask(kept, "start").returncode, kept.current()) == (0, "1.0")
    (kept.state / "pending.json").write_text("{")
    done = ask(kept, "start")
    assert done.returncode == 1
    assert "look at it, then remove it" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_keeper_tells_what_is_in_place(kept: Releases) -> None:
    assert json.loads(ask(kept, "status").stdout) == {"current": "1.0", "pending": None}
    kept.switch("2.0", 60, [])
    assert json.loads(ask(kept, "status").stdout) == {"current": "2.0", "pending": "2.0"}


def test_the_keeper_is_the_same_every_time_and_may_be_run(tmp_path: Path) -> None:
    assert keeper() == keeper()
    assert place(tmp_path).stat().st_mode & 0o777 == 0o755
    assert place(tmp_path).read_bytes() == keeper()


def test_half_releases_and_old_ones_go_those_that_are_needed_stay(kept: Releases) -> None:
    for n in range(5):
        folder = program(kept.folder / f"0.{n}", f"0.{n}")
        os.utime(folder, (n, n))
    (kept.folder / ".3.0.partial/bin").mkdir(parents=True)
    kept.switch("2.0", 60, [])
    with kept.installing():
        assert kept.tidy() == ["0.0", "0.1", "0.2"]
        with pytest.raises(Refused, match="another installation"), kept.installing():
            pass
    assert sorted(each.name for each in kept.folder.iterdir()) == ["0.3", "0.4", "1.0", "2.0"]
    assert KEPT == 2


def test_a_person_puts_back_a_release_that_is_kept(kept: Releases) -> None:
    kept.switch("2.0", 60, [])
    kept.confirm("good")
    assert kept.put("1.0", "by hand") == "2.0"
    assert (kept.current(), kept.counter()) == ("1.0", 2)
    with pytest.raises(Refused, match=r"9\.9 is not installed; there are: .*1\.0"):
        kept.put("9.9", "by hand")


def test_a_link_that_somebody_has_moved_is_not_confirmed(kept: Releases) -> None:
    kept.switch("2.0", 60, [])
    kept.link.unlink()
    kept.link.symlink_to("releases/1.0")
    with pytest.raises(Refused, match="somebody has changed it"):
        kept.confirm("good")
