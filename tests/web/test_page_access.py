"""Who may what on the page: over the real web process, from outside and on this machine."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from rsu_agent.web.accounts import Accounts
from rsu_agent.web.audit import Audit
from rsu_agent.web.sessions import FAILURES
from tests.web.made_up import MadeUpAgent, agent_at, page_over

pytestmark = pytest.mark.real
WORDS = {"viewer": "looks only ", "technician": "on a ladder", "admin": "at the desk"}
OURS = {"X-RSU-Page": "1", "Content-Type": "application/json"}


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, url: str, trust: Path | None = None) -> None:
        self._at, self._trust, self.cookie = urlsplit(url), trust, ""

    def ask(
        self, path: str, order: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        host, port = str(self._at.hostname), self._at.port
        if self._at.scheme == "https":
            context = ssl.create_default_context(cafile=str(self._trust))
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=60, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=60)
        sent = {"Cookie": self.cookie} | (OURS if order is not None else {}) | (headers or {})
        body = None if order is None else json.dumps(order)
        connection.request("GET" if order is None else "POST", path, body, sent)
        answer = connection.getresponse()
        kept = answer.headers.get("set-cookie")
        if kept:
            self.cookie = kept.split(";")[0]
        text = answer.read() if answer.headers["content-type"] == "application/json" else b"null"
        connection.close()
        return answer.status, json.loads(text), answer.headers

    def log_in(self, name: str, password: str | None = None) -> int:
        return self.ask("/api/login", {"name": name, "password": password or WORDS[name]})[0]


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return cert, secret


@pytest.fixture
def agent() -> MadeUpAgent:
    return MadeUpAgent()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    accounts = Accounts(tmp_path / "page-state")
    for name, password in WORDS.items():
        accounts.add(name, password, name)
    return accounts.folder


@pytest.fixture
def here(tmp_path: Path, agent: MadeUpAgent, state: Path) -> Iterator[str]:
    """The page on this machine only."""
    with agent_at(tmp_path / "ctl.sock", agent), page_over(tmp_path / "ctl.sock", tmp_path) as url:
        yield url


@pytest.fixture
def wide(tmp_path: Path, agent: MadeUpAgent, state: Path) -> Iterator[tuple[str, Path]]:
    """The page for everybody, and the certificate to trust."""
    cert, key = self_signed(tmp_path)
    more = ("--host", "0.0.0.0", "--cert", str(cert), "--key", str(key))
    with agent_at(tmp_path / "ctl.sock", agent), page_over(tmp_path / "ctl.sock", tmp_path, *more) as url:
        yield url.replace("0.0.0.0", "127.0.0.1"), cert


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rsu_agent.web.main", "--socket", "none.sock", "--port", "0", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_beyond_this_machine_the_page_does_not_start_without_tls_and_an_account(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    wide = ("--host", "0.0.0.0", "--state", str(tmp_path / "empty"))
    for half in ((), ("--cert", str(cert)), ("--key", str(key))):
        done = started(*wide, *half)
        assert (done.returncode, done.stdout) == (2, "")
        assert "--cert and --key" in done.stderr
    done = started(*wide, "--cert", str(cert), "--key", str(key))
    assert done.returncode == 2
    assert "rsu user add" in done.stderr


def test_beyond_this_machine_nothing_of_the_agent_is_told_before_a_login(wide: tuple[str, Path]) -> None:
    visitor = Visitor(*wide)
    for what in (
        "live",
        "status",
        "crossing",
        "messages",
        "guard",
        "senses",
        "config",
        "log",
        "history",
        "audit",
    ):
        assert visitor.ask(f"/api/{what}")[0] == 401, what
    assert visitor.ask("/api/still/north-20260101T000000Z.png")[0] == 401
    assert visitor.ask("/api/session")[1] == {"name": None, "role": None, "open": False, "accounts": True}
    assert visitor.ask("/")[0] == 200, "the page itself, with which one logs in"
    status, told, headers = visitor.ask("/api/login", {"name": "viewer", "password": WORDS["viewer"]})
    assert (status, told) == (200, {"name": "viewer", "role": "viewer"})
    kept = headers["set-cookie"].lower()
    assert all(word in kept for word in ("httponly", "samesite=strict", "secure"))
    assert visitor.ask("/api/status")[0] == 200
    assert visitor.ask("/api/audit")[0] == 403
    visitor.ask("/api/logout", {})
    assert visitor.ask("/api/status")[0] == 401


def test_on_this_machine_all_may_look_and_only_a_technician_decides(
    here: str, agent: MadeUpAgent, tmp_path: Path
) -> None:
    visitor = Visitor(here)
    assert visitor.ask("/api/status")[0] == 200
    told = visitor.ask("/api/config")[1]
    assert told["pending"]["new"] == 2
    assert "+site: new" in told["diff"]
    assert "very-secret" not in json.dumps(told)
    assert visitor.ask("/api/config/rollback", {})[0] == 401
    assert visitor.log_in("viewer") == 200
    assert visitor.ask("/api/config/rollback", {})[0] == 403
    assert not agent.started_again.is_set()
    assert visitor.log_in("technician") == 200
    assert visitor.ask("/api/config/rollback", {})[:2] == (200, {"generation": 1})
    assert agent.started_again.is_set()
    assert (tmp_path / "site.yaml").read_text() == "site: old\n"
    status, told, _ = visitor.ask("/api/config/confirm", {})
    assert status == 409
    assert "nothing waits" in told["refused"]
    done = [(line["who"], line["what"]) for line in Audit(tmp_path / "page-state").lines(9)]
    assert done[-3:] == [
        ("technician", "config rollback"),
        ("technician", "config confirm"),
        ("technician", "config confirm: refused"),
    ]


def test_a_change_that_is_kept_is_kept_and_says_by_whom(here: str, tmp_path: Path) -> None:
    visitor = Visitor(here)
    visitor.log_in("technician")
    assert visitor.ask("/api/config/confirm", {})[:2] == (200, {"generation": 2})
    assert (tmp_path / "site.yaml").read_text().startswith("site: new")
    log = visitor.ask("/api/config")[1]
    assert (log["pending"], log["history"][-1]["what"]) == (None, "confirmed")


@pytest.mark.parametrize(
    "headers",
    [{"X-RSU-Page": ""}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=["no header of ours", "another site", "no site"],
)
def test_an_order_that_another_sites_page_makes_is_refused(here: str, headers: dict[str, str]) -> None:
    visitor = Visitor(here)
    visitor.log_in("technician")
    assert visitor.ask("/api/config/rollback", {}, headers)[0] == 403
    assert visitor.ask("/api/logout", {}, headers)[0] == 403
    said = {"name": "technician", "password": WORDS["technician"]}
    assert visitor.ask("/api/login", said, headers)[0] == 403
    assert visitor.ask("/api/config")[1]["pending"] is not None


def test_wrong_passwords_lock_the_account_for_the_right_one_too(here: str, state: Path) -> None:
    visitor = Visitor(here)
    assert [visitor.log_in("admin", "wrong") for _ in range(FAILURES)] == [401] * FAILURES
    status, told, _ = visitor.ask("/api/login", {"name": "admin", "password": WORDS["admin"]})
    assert (status, told["error"]) == (429, "locked")
    assert 0 < told["left_s"] <= 60
    assert visitor.log_in("technician") == 200, "another account does not wait"
    said = [line["what"] for line in Audit(state).lines(20) if line["who"] == "admin"]
    assert said == ["wrong password"] * (FAILURES - 1) + ["locked out"]


def test_a_removed_account_and_a_new_password_end_what_is_open(here: str, state: Path) -> None:
    first, second = Visitor(here), Visitor(here)
    first.log_in("technician")
    second.log_in("admin")
    assert second.ask("/api/audit")[0] == 200
    Accounts(state).remove("technician")
    Accounts(state).set_password("admin", "another desk")
    assert first.ask("/api/session")[1]["name"] is None
    assert second.ask("/api/audit")[0] == 401
    assert second.log_in("admin") == 401
    assert second.log_in("admin", "another desk") == 200


@pytest.mark.parametrize(
    "said", [{}, [], "x", {"name": 1, "password": 2}, {"name": "x" * 100, "password": "y"}]
)
def test_a_login_that_is_none_is_refused(here: str, said: Any) -> None:
    assert Visitor(here).ask("/api/login", said)[0] == 400


def test_a_still_is_asked_for_by_a_technician_alone(here: str) -> None:
    visitor = Visitor(here)
    assert visitor.ask("/api/still", {"camera": "north"})[0] == 401
    assert visitor.ask("/api/still/north-20260101T000000Z.png")[0] == 401
    visitor.log_in("technician")
    assert visitor.ask("/api/still", {"camera": ""})[0] == 400
    assert visitor.ask("/api/still/..%2f..%2fsite.yaml")[0] == 404
