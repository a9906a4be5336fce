"""Accounts of the page: the file, the passwords, the waiting after wrong ones, sessions, the audit."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from rsu_agent.web.accounts import AccountRefused, Accounts, may
from rsu_agent.web.audit import FILE, Audit
from rsu_agent.web.sessions import (
    FAILURES,
    FIRST_WAIT_S,
    IDLE_S,
    LONGEST_S,
    LONGEST_WAIT_S,
    MOST_NAMES,
    MOST_SESSIONS,
    WITHIN_S,
    LockOut,
    Sessions,
)

RIGHT = "correct horse"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    made = Accounts(tmp_path / "web")
    made.add("li", RIGHT, "technician")
    return made


def test_only_the_owner_reads_the_file_and_no_password_is_in_it(accounts: Accounts) -> None:
    file = accounts.folder / "users.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(accounts.folder.stat().st_mode) == 0o700
    assert RIGHT not in file.read_text()


def test_the_right_password_is_right_and_every_other_is_not(accounts: Accounts) -> None:
    assert accounts.is_right("li", RIGHT)
    assert not accounts.is_right("li", RIGHT + " ")
    assert not accounts.is_right("li", "")
    assert not accounts.is_right("nobody", RIGHT)
    assert not accounts.is_right("nobody", "")


def test_equal_passwords_have_different_hashes(accounts: Accounts) -> None:
    accounts.add("bo", RIGHT, "viewer")
    users = json.loads((accounts.folder / "users.json").read_text())["users"]
    assert users["li"]["hash"] != users["bo"]["hash"]


def test_a_change_by_another_process_is_seen_at_once(accounts: Accounts) -> None:
    page = Accounts(accounts.folder)
    assert page.role("li") == "technician"
    mark = page.mark("li")
    accounts.set_role("li", "admin")
    assert (page.role("li"), page.mark("li")) == ("admin", mark)
    accounts.set_password("li", "another horse")
    assert page.mark("li") != mark
    accounts.remove("li")
    assert (page.role("li"), page.mark("li"), page.names()) == (None, None, {})


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_password_too_short_or_too_long_is_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountRefused, match="10 to 256"):
        accounts.add("bo", password, "viewer")
    assert accounts.names() == {"li": "technician"}


@pytest.mark.parametrize("name", ["", "Li", "1a", "a b", "a/../b", "x" * 33, "李"])
def test_names_that_are_none_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused, match="a name is"):
        accounts.add(name, RIGHT, "viewer")


def test_what_cannot_be_done_is_refused_with_its_reason(accounts: Accounts) -> None:
    with pytest.raises(AccountRefused, match="already"):
        accounts.add("li", RIGHT, "viewer")
    with pytest.raises(AccountRefused, match="a role is one of"):
        accounts.set_role("li", "root")
    for act in (lambda: accounts.remove("bo"), lambda: accounts.set_role("bo", "viewer")):
        with pytest.raises(AccountRefused, match="no account bo"):
            act()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"user": {}}'])
def test_a_file_that_is_no_list_of_accounts_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "users.json").write_text(text)
    with pytest.raises(AccountRefused, match="no list of accounts"):
        Accounts(tmp_path).is_right("li", RIGHT)


def test_each_role_may_what_those_before_it_may() -> None:
    assert [may(role, "technician") for role in (None, "viewer", "technician", "admin", "root")] == [
        False, False, True, True, False,
    ]  # fmt: skip


def test_the_account_waits_after_so_many_failures_and_ever_longer() -> None:
    lock, now_s, waits = LockOut(), 0.0, []
    for _ in range(9):
        tried = [lock.failed("li", now_s) for _ in range(FAILURES)]
        assert tried == [False] * (FAILURES - 1) + [True]
        waits.append(lock.left_s("li", now_s))
        now_s += waits[-1]
        assert lock.left_s("li", now_s) == 0
    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S
    assert lock.left_s("bo", now_s) == 0, "others do not wait"


def test_failures_long_ago_do_not_count_and_the_right_password_forgets_them() -> None:
    lock = LockOut()
    assert not any(lock.failed("li", n * (WITHIN_S / (FAILURES - 1) + 1)) for n in range(50))
    lock.right("li")
    assert not any(lock.failed("li", 1e6) for _ in range(FAILURES - 1))


def test_ever_new_names_do_not_fill_the_memory() -> None:
    lock = LockOut()
    for number in range(MOST_NAMES + 50):
        lock.failed(f"n{number}", 0.0)
    assert len(lock._tries) == MOST_NAMES


def test_a_session_ends_when_nobody_uses_it_and_at_the_latest_after_its_longest() -> None:
    sessions = Sessions()
    token = sessions.begin("li", "m", 0.0)
    assert sessions.of(token, IDLE_S - 1, used=False) is not None
    assert sessions.of(token, IDLE_S + 1, used=False) is None, "what goes by itself is no use"
    token, now_s = sessions.begin("li", "m", 0.0), 0.0
    while sessions.of(token, now_s, used=True) is not None:
        now_s += IDLE_S / 2
    assert LONGEST_S <= now_s <= LONGEST_S + IDLE_S
    assert sessions.of("guessed", 0.0, used=True) is None


def test_the_sessions_are_bounded_and_keep_no_token() -> None:
    sessions = Sessions()
    tokens = [sessions.begin("li", "m", 0.0) for _ in range(MOST_SESSIONS + 1)]
    assert sessions.of(tokens[0], 1.0, used=True) is None
    assert sessions.of(tokens[-1], 1.0, used=True) is not None
    assert tokens[-1] not in str(sessions._open)


def test_the_audit_is_added_to_and_a_cut_line_is_passed_over(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.write("li", "logged in", host="10.0.0.5")
    with (tmp_path / FILE).open("a") as file:
        file.write('{"utc_s": 1, "who": "l\n')
    audit.write("li", "config confirm")
    assert [line["what"] for line in audit.lines(10)] == ["logged in", "config confirm"]
    assert [line["what"] for line in audit.lines(1)] == ["config confirm"]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_a_full_audit_goes_on_in_a_new_file_and_the_old_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsu_agent.web.audit.MOST_BYTES", 100)
    audit = Audit(tmp_path)
    for number in range(3):
        audit.write("li", f"did {number} " + "x" * 60)
    assert [line["what"][:5] for line in audit.lines(10)] == ["did 1", "did 2"]
