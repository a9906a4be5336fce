"""rsu update, as a person types it: a good release stays, a worse one goes back, errors say what to do."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from speaking import GOOD, agent, one_object, rsu

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.update_gate import ACKS_S, BAD_S, MOST_ENDS, Before, Gate
from tests.settings.made_release import SAYS, box, program

RESTARTED = "restarted"


@pytest.fixture
def options(tmp_path: Path) -> list[str | Path]:
    """A box with release 1.0, a key pair, and the paths that every verb needs."""
    box(tmp_path / "opt")
    made = rsu("update", "keygen", tmp_path / "key", "--json")
    assert (made.returncode, stat.S_IMODE((tmp_path / "key").stat().st_mode)) == (0, 0o600)
    (tmp_path / "keys").mkdir()
    (tmp_path / "key.pub").rename(tmp_path / "keys" / "ours.pub")
    return ["--root", tmp_path / "opt"]


def packed(tmp_path: Path, version: str, counter: int) -> Path:
    folder = program(tmp_path / "source" / version, version)
    out = tmp_path / f"{version}.tar.zst"
    more = ["--counter", str(counter), "--key", tmp_path / "key", "-o", out]
    done = rsu("update", "pack", folder, *more, "--json")
    assert (done.returncode, one_object(done)["version"]) == (0, version)
    return out


def install(tmp_path: Path, file: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    paths = ["--root", tmp_path / "opt", "--keys", tmp_path / "keys", "--site", tmp_path / "none"]
    paths += ["--restart", f"touch {tmp_path / RESTARTED}", "--settle", "0", *more]
    return rsu("update", "install", file, *paths, "--json")


def test_a_release_as_good_as_the_one_before_stays(tmp_path: Path, options: list[str | Path]) -> None:
    file = packed(tmp_path, "2.0", 2)
    looked = rsu("update", "check", file, *options, "--keys", tmp_path / "keys", "--json")
    assert (looked.returncode, one_object(looked)["key"]) == (0, "ours")
    with agent(tmp_path / "ctl.sock", GOOD) as socket:
        done = install(tmp_path, file, "--for", "3", "--socket", socket)
    assert (done.returncode, one_object(done)) == (0, {"version": "2.0", "old": "1.0", "counter": 2})
    assert (tmp_path / RESTARTED).exists()
    told = one_object(rsu("update", "status", *options, "--json"))
    assert (told["version"], told["pending"], told["counter"], told["keeper"]) == ("2.0", None, 2, True)
    assert [event["what"] for event in told["events"]] == ["installed", "good"]
    again = install(tmp_path, packed(tmp_path, "1.5", 1))
    assert (again.returncode, one_object(again)["reason"]) == (Exit.INVALID, "downgrade")
    back = rsu("update", "rollback", "1.0", *options, "--restart", "true", "--json")
    assert one_object(back) == {"version": "1.0"}
    assert "1.0 is in place, counter 2" in rsu("update", "status", *options).stdout


def test_one_that_does_not_answer_goes_back_with_the_reason(
    tmp_path: Path, options: list[str | Path]
) -> None:
    done = install(tmp_path, packed(tmp_path, "2.0", 2), "--for", "2", "--socket", tmp_path / "none.sock")
    told = one_object(done)
    assert (done.returncode, told["version"]) == (Exit.REVERTED, "1.0")
    assert "worse than before" in told["error"]
    assert one_object(rsu("update", "status", *options, "--json"))["version"] == "1.0"


def test_a_service_that_cannot_be_started_anew_goes_back(tmp_path: Path, options: list[str | Path]) -> None:
    done = install(tmp_path, packed(tmp_path, "2.0", 2), "--restart", "false")
    assert (done.returncode, "false fails" in one_object(done)["error"]) == (Exit.REVERTED, True)


def test_without_anything_waiting_the_verbs_say_so(tmp_path: Path, options: list[str | Path]) -> None:
    for verb in ("confirm", "rollback"):
        done = rsu("update", verb, *options, "--json")
        assert (done.returncode, "waits" in one_object(done)["error"]) == (Exit.USAGE, True)
    none = install(tmp_path, tmp_path / "none.tar.zst")
    assert (none.returncode, one_object(none)["reason"]) == (Exit.FAILED, "system")
    (tmp_path / "text").write_text("no archive")
    assert one_object(install(tmp_path, tmp_path / "text"))["reason"] == "format"


def test_a_folder_that_is_no_release_is_not_packed(tmp_path: Path, options: list[str | Path]) -> None:
    done = rsu("update", "pack", tmp_path, "--counter", "1", "--key", tmp_path / "key", "-o", tmp_path / "o")
    assert done.returncode == Exit.INVALID
    assert "it has no bin/rsu" in done.stderr
    assert "{version}" in SAYS


def test_everything_the_agent_is_made_of_loads() -> None:
    assert one_object(rsu("update", "preflight", "--json"))["modules"] >= 5


SILENT = {**GOOD, "spat": {"valid": False, "reason": "no_signal", "sent": 0}}
LOST = {**GOOD, "uplink": {"backlog": 9, "acked": 0, "connected": False}}
DEAF = {**GOOD, "uplink": {"backlog": 9, "acked": 3, "connected": True}}


@pytest.mark.parametrize(("state", "words"), [(SILENT, "SPaT"), (LOST, "uplink"), (None, "does not answer")])
def test_what_is_worse_for_half_a_minute_goes_back_at_once(state: dict[str, Any] | None, words: str) -> None:
    gate = Gate(Before(GOOD, 1.0), 0.0, 60.0)
    assert gate.look(59.0, state, 1) is None  # it settles
    assert gate.look(60.0, state, 1) is None
    assert gate.look(60.0 + BAD_S - 1, state, 1) is None
    assert words in (gate.look(60.0 + BAD_S, state, 1) or "")


def test_a_hiccup_is_forgiven_and_a_share_that_is_lower_is_not() -> None:
    gate = Gate(Before(GOOD, 1.0), 0.0, 0.0)
    for n in range(600):
        assert gate.look(float(n), SILENT if n % 20 == 0 else GOOD, 1) is None
    assert gate.end() is None  # 5 in 100
    for n in range(600, 900):
        assert gate.look(float(n), SILENT if n % 5 == 0 else GOOD, 1) is None
    assert "in 90% of the looks, 100% before" in (gate.end() or "")


def test_what_was_bad_before_is_not_asked_for_but_an_answer_is() -> None:
    gate = Gate(Before(None), 0.0, 0.0)
    assert gate.look(0.0, SILENT, 1) is None
    assert gate.end() is None
    assert gate.look(1.0, None, None) is None
    assert gate.end() is not None


def test_records_that_wait_unacknowledged_and_a_core_that_ends_are_noticed() -> None:
    gate = Gate(Before(GOOD, 1.0), 0.0, 0.0)
    told = [gate.look(float(n), DEAF, 1) for n in range(int(ACKS_S + BAD_S) + 2)]
    assert "none is acknowledged" in (told[-1] or "")
    gate = Gate(Before(GOOD, 1.0), 0.0, 0.0)
    told = [gate.look(float(n), GOOD, n + 1) for n in range(MOST_ENDS + 2)]
    assert (told[MOST_ENDS], told[-1]) == (None, f"the core has ended {MOST_ENDS + 1} times")
