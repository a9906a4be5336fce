"""Client certificates against a real broker that demands them: the right one in, every other told why not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from rsu_agent.district.broker import free_port
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.mqtt import Broker, connect
from rsu_agent.ports.tls import TlsFiles, credential, refusal
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.certificates import Certificates
from rsu_agent.world.health import DeviceState
from tests.runtime.brokers import DAY, HOST, Authority, Signed, key_pem, mosquitto, write

pytestmark = pytest.mark.anyio
WILL = ("rsu/1/d/s/state", b'{"on":0}')


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ca")


@asynccontextmanager
async def demanding(tmp_path: Path, authority: Authority) -> AsyncIterator[int]:
    """A broker that lets in whoever the authority has signed; its port."""
    server, port = authority.sign("server"), free_port()
    files = f"cafile {authority.cert}\ncertfile {server.cert}\nkeyfile {server.key}\n"
    async with mosquitto(tmp_path, port, files + "require_certificate true\nuse_identity_as_username true\n"):
        yield port


def files_of(authority: Authority, signed: Signed | None) -> TlsFiles:
    return TlsFiles(authority.cert) if signed is None else TlsFiles(authority.cert, signed.cert, signed.key)


async def reason_of(port: int, files: TlsFiles) -> str:
    """`in`, or why not."""
    certificates = Certificates(Broker(HOST, port, "site"), files, SystemClock())
    try:
        async with certificates.open(WILL):
            return "in"
    except DeviceLost as lost:
        return lost.reason


async def test_the_right_certificate_is_let_in_and_any_other_is_told_why_not(
    tmp_path: Path, authority: Authority
) -> None:
    stranger = Authority(tmp_path, "stranger")
    not_yet = authority.sign("not_yet", begins=DAY, ends=2 * DAY)
    async with demanding(tmp_path, authority) as port:
        assert await reason_of(port, files_of(authority, authority.sign("site"))) == "in"
        assert await reason_of(port, files_of(authority, None)) == "certificate_required"
        assert await reason_of(port, files_of(authority, stranger.sign("other"))) == "certificate_refused"
        assert await reason_of(port, files_of(authority, not_yet)) == "certificate_refused"
        expired = authority.sign("old", begins=-2 * DAY, ends=-DAY)
        assert await reason_of(port, files_of(authority, expired)) == "certificate_expired"
        mine = authority.sign("mine")
        assert await reason_of(port, TlsFiles(stranger.cert, mine.cert, mine.key)) == "server_certificate"


async def test_a_broker_finds_a_certificate_expired_that_our_clock_believes_in(
    tmp_path: Path, authority: Authority
) -> None:
    old = authority.sign("old", begins=-2 * DAY, ends=-DAY)
    files = files_of(authority, old)
    context = files.context((datetime.now(UTC) - 1.5 * DAY).timestamp())
    async with demanding(tmp_path, authority) as port:
        said = await anyio.to_thread.run_sync(refusal, HOST, port, context)
        assert said == "certificate_expired"


async def test_where_nobody_listens_no_certificate_is_blamed(authority: Authority) -> None:
    assert await reason_of(free_port(), files_of(authority, authority.sign("site"))) == "refused"


def spoil_missing(signed: Signed) -> None:
    signed.key.unlink()


def spoil_other_key(signed: Signed) -> None:
    write(signed, signed.cert.read_bytes(), key_pem(ec.generate_private_key(ec.SECP256R1())))


def spoil_passphrase(signed: Signed) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    write(signed, signed.cert.read_bytes(), key_pem(key, b"secret"))


def spoil_half_written(signed: Signed) -> None:
    write(signed, signed.cert.read_bytes()[:200], signed.key.read_bytes())


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_missing, "certificate_missing"),
        (spoil_other_key, "certificate_unusable"),
        (spoil_passphrase, "certificate_unusable"),
        (spoil_half_written, "certificate_unusable"),
    ],
)
async def test_files_that_are_of_no_use_are_said_so_without_a_connection(
    authority: Authority, spoil: Callable[[Signed], None], reason: str
) -> None:
    signed = authority.sign("site")
    spoil(signed)
    assert await reason_of(1, files_of(authority, signed)) == reason


class Counting(Certificates):
    """Counts how often changed files were looked at."""

    looked = 0

    def _usable(self, files: TlsFiles) -> bool:
        self.looked += 1
        return super()._usable(files)


async def test_a_renewed_certificate_is_taken_up_without_a_restart(
    tmp_path: Path, authority: Authority
) -> None:
    site, outbox = authority.sign("site"), Outbox(tmp_path / "box", 8 << 20)
    async with demanding(tmp_path, authority) as port:
        clock = SystemClock()
        certificates = Counting(Broker(HOST, port, "site"), files_of(authority, site), clock)
        opened: list[str] = []

        @asynccontextmanager
        async def opening() -> AsyncIterator[Any]:
            async with certificates.open(WILL) as session:
                opened.append(str(certificates._used))
                yield session

        uplink = Uplink(outbox, opening, "rsu/1/d/s", "s", clock, first_back_off_s=0.1, beside=[certificates])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(uplink.run)
            await soon(lambda: uplink.connected)
            write(site, site.cert.read_bytes()[:100], site.key.read_bytes())
            await soon(lambda: certificates.looked > 1)
            assert len(opened) == 1, "half a file does not cost the connection"
            renewed = authority.sign("renewed", ends=30 * DAY)
            write(site, renewed.cert.read_bytes(), renewed.key.read_bytes())
            await soon(lambda: len(opened) == 2 and uplink.connected)
            tasks.cancel_scope.cancel()
    outbox.close()
    assert len(set(opened)) == 2
    assert uplink.counters["lost"] == 1


async def soon(true: Callable[[], bool], seconds: float = 30.0) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 (the condition lies in another process)
            await anyio.sleep(0.02)


@pytest.mark.parametrize(
    ("ends", "state", "reason"),
    [
        (30 * DAY, DeviceState.OK, "ok"),
        (13 * DAY, DeviceState.DEGRADED, "expires_soon"),
        (-timedelta(minutes=1), DeviceState.LOST, "expired"),
    ],
)
async def test_how_long_the_certificate_holds_is_part_of_health(
    authority: Authority, ends: timedelta, state: DeviceState, reason: str
) -> None:
    files = files_of(authority, authority.sign("site", begins=-40 * DAY, ends=ends))
    health = Certificates(Broker(HOST, 1, "site"), files, SystemClock()).health(5.0)
    assert health is not None
    assert (health.state, health.reason) == (state, reason)


async def test_without_a_certificate_there_is_nothing_to_tell(authority: Authority) -> None:
    clock = FakeClock()
    assert Certificates(Broker(HOST, 1, "site"), None, clock).health(5.0) is None
    assert Certificates(Broker(HOST, 1, "site"), TlsFiles(authority.cert), clock).health(5.0) is None


def test_files_are_looked_for_among_the_services_credentials_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "key.pem").write_text("")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert credential("key.pem", tmp_path) == given / "key.pem"
    assert credential("cert.pem", tmp_path) == tmp_path / "cert.pem"
    assert credential("/etc/x.pem", tmp_path) == Path("/etc/x.pem")
    assert credential(None, tmp_path) is None


async def test_a_plain_connection_needs_no_files(tmp_path: Path) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port):
        async with Certificates(Broker(HOST, port, "site"), None, SystemClock()).open(WILL) as session:
            assert session.open
        async with connect(Broker(HOST, port, "again")) as session:
            assert session.open
