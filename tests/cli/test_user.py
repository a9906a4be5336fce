"""`rsu user`: accounts are made, shown, changed and removed; no password is ever an argument or shown."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from speaking import GENEROUS_S, RSU, one_object, rsu

from rsu_agent.cli.exits import Exit

WORD = "correct horse"


def user(state: Path, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [*map(str, RSU), "user", *arguments, "--state", str(state)]
    return subprocess.run(
        command, input=said or "", capture_output=True, text=True, check=False, timeout=GENEROUS_S
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    made = user(folder, "add", "li", "--role", "technician", "--password-stdin", said=f"{WORD}\n")
    assert (made.returncode, made.stderr) == (0, "")
    return folder


def listed(state: Path) -> Any:
    return one_object(user(state, "list", "--json"))["users"]


def test_an_account_is_made_shown_changed_and_removed(state: Path) -> None:
    assert listed(state) == [{"name": "li", "role": "technician"}]
    assert user(state, "role", "li", "admin").returncode == 0
    assert listed(state) == [{"name": "li", "role": "admin"}]
    assert user(state, "password", "li", "--password-stdin", said="another horse\n").returncode == 0
    assert user(state, "remove", "li").returncode == 0
    assert listed(state) == []
    assert "rsu user add" in user(state, "list").stdout
    told = one_object(user(state, "audit", "--json"))["lines"]
    assert [line["what"] for line in told] == [
        "added li as technician", "li is admin", "new password of li", "removed li",
    ]  # fmt: skip
    assert "removed li" in user(state, "audit", "--last", "1").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "li", "--password-stdin"], "there is an account li already"),
        (["add", "bo", "--role", "root", "--password-stdin"], "a role is one of"),
        (["add", "B o", "--password-stdin"], "a name is small letters"),
        (["remove", "bo"], "rsu user list"),
        (["role", "bo", "viewer"], "rsu user list"),
        (["password", "bo", "--password-stdin"], "rsu user list"),
    ],
)
def test_what_cannot_be_done_is_exit_2_and_says_why(state: Path, arguments: list[str], words: str) -> None:
    done = user(state, *arguments, "--json", said=f"{WORD}\n")
    assert done.returncode == Exit.USAGE
    assert words in one_object(done)["error"]
    assert listed(state) == [{"name": "li", "role": "technician"}]


def test_without_a_terminal_a_password_is_not_asked_for_and_a_short_one_is_refused(state: Path) -> None:
    done = user(state, "add", "bo")
    assert (done.returncode, done.stdout) == (Exit.USAGE, "")
    assert "--password-stdin" in done.stderr
    short = user(state, "add", "bo", "--password-stdin", said="short\n")
    assert (short.returncode, "10 to 256" in short.stderr) == (Exit.USAGE, True)


def test_a_folder_that_refuses_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = rsu("user", "list", "--state", tmp_path / "file")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
