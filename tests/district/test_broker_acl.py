"""Access list and broker's file as they are shipped, in a real mosquitto: each may what is his, no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from rsu_agent.district.broker import free_port
from rsu_agent.district.worker import GROUP, shared_topic
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import UNHEARD_S, Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.tls import TlsFiles
from rsu_agent.runtime.compose_uplink import health
from rsu_agent.world.health import DeviceState
from tests.runtime.brokers import HOST, Authority, mosquitto

pytestmark = pytest.mark.anyio
SHIPPED = Path(__file__).parents[2] / "deploy" / "district"
UP = ("up/hi", "up/lo", "state", "live/spat", "live/objs", "live/event", "answer")
DOWN = ("ack", "dn/cmd", "dn/live", "dn/cfg")
SITES = ("rsu/1/pingshan/site-1", "rsu/1/pingshan/site-2", "rsu/1/other/site-1")
ELSEWHERE = ("rsu/1/pingshan", "rsu/1/pingshan/site-1", "rsu/2/pingshan/site-1/up/hi", "up/hi", "a/b")
TOPICS = [f"{site}/{end}" for site in SITES for end in UP + DOWN] + list(ELSEWHERE)
POLE_WRITES = {f"rsu/1/pingshan/site-1/{end}" for end in UP}
POLE_READS = {f"rsu/1/pingshan/site-1/{end}" for end in DOWN}
DISTRICT_READS = {f"rsu/1/pingshan/site-{n}/{end}" for n in (1, 2) for end in UP}
DISTRICT_WRITES = {f"rsu/1/pingshan/site-{n}/{end}" for n in (1, 2) for end in DOWN}
MAY = [
    ("site-1", POLE_WRITES, POLE_READS),
    ("rsu-district", DISTRICT_WRITES, DISTRICT_READS),
    ("+", set(), set()),
    ("#", set(), set()),
    ("site-1/up", set(), set()),
    ("another", set(), set()),
]


@dataclass(frozen=True)
class District:
    """Both listeners of the shipped broker; `inside` is the district's own machine, where nobody is asked."""

    authority: Authority
    inside_port: int
    outside_port: int

    def outside(self, name: str, *, version: int | None = None) -> Broker:
        """Somebody with a certificate of this name."""
        signed = self.authority.sign(name)
        files = TlsFiles(self.authority.cert, signed.cert, signed.key)
        tls = files.context(datetime.now(UTC).timestamp())
        return Broker(HOST, self.outside_port, f"{signed.cert.stem}-{version}", tls, version=version)

    def inside(self, name: str) -> Broker:
        return Broker(HOST, self.inside_port, name)


@pytest.fixture
async def district(tmp_path: Path) -> AsyncIterator[District]:
    made = District(Authority(tmp_path, "ca"), free_port(), free_port())
    server = made.authority.sign("broker")
    (tmp_path / "acl").write_text((SHIPPED / "acl").read_text())
    lines = (SHIPPED / "mosquitto.conf").read_text()
    begin, end = lines.index("# listener 8883"), lines.index("# acl_file")
    lines = (
        lines[:begin] + lines[begin:end].replace("# ", "") + lines[end:].replace("# acl_file", "acl_file", 1)
    )
    for shipped, ours in (
        ("listener 1883 ", f"listener {made.inside_port} "),
        ("listener 8883", f"listener {made.outside_port} {HOST}"),
        ("/etc/rsu-district/broker.key", str(server.key)),
        ("/etc/rsu-district/", f"{tmp_path}/"),
    ):
        assert shipped in lines
        lines = lines.replace(shipped, ours)
    async with mosquitto(tmp_path, made.outside_port, conf=lines):
        yield made


@asynccontextmanager
async def hearing(broker: Broker, *topics: str) -> AsyncIterator[tuple[Session, list[str]]]:
    """A session and the topics of what it has heard."""
    heard: list[str] = []

    async def hear(session: Session) -> None:
        async for topic, _ in session.messages():
            heard.append(topic)

    async with connect(broker) as session, anyio.create_task_group() as tasks:
        for topic in topics:
            await session.subscribe(topic, 1)
        tasks.start_soon(hear, session)
        yield session, heard
        tasks.cancel_scope.cancel()


async def send_all(session: Session) -> None:
    for topic in TOPICS:
        session.send(topic, b"x")
    await soon(lambda: session.behind == 0)


async def soon(true: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not true():  # noqa: ASYNC110 (the condition lies in another process)
            await anyio.sleep(0.01)


@pytest.mark.parametrize(("name", "writes", "_reads"), MAY)
async def test_each_may_write_what_is_his_and_no_more(
    district: District, name: str, writes: set[str], _reads: set[str]
) -> None:
    async with hearing(district.inside("witness"), "#") as (witness, heard):
        async with connect(district.outside(name)) as session:
            await send_all(session)
            assert session.refused == "Not authorized"
        await witness.publish("the/end", b"", qos=1)
        await soon(lambda: "the/end" in heard)
    assert set(heard) - {"the/end"} == writes
    assert len(heard) == len(writes) + 1


@pytest.mark.parametrize(("name", "_writes", "reads"), MAY)
async def test_each_hears_what_is_his_and_no_more_whatever_he_asks_for(
    district: District, name: str, _writes: set[str], reads: set[str]
) -> None:
    async with hearing(district.outside(name), "#", "rsu/#", "rsu/1/+/+/#", *TOPICS) as (session, heard):
        async with connect(district.inside("all")) as everybody:
            await send_all(everybody)
        await session.subscribe("the/end", 0)  # its answer comes after all that was to be heard
        await soon(lambda: not len(session._client.messages))
    assert set(heard) == reads


async def test_a_will_speaks_for_its_own_site_only(district: District) -> None:
    async with hearing(district.inside("witness"), "#") as (_, heard):
        for site in ("site-2", "site-1"):
            will = (f"rsu/1/pingshan/{site}/state", b'{"on":0}')
            async with connect(district.outside("site-1"), will) as session:
                session._client._client._sock_close()
            await soon(lambda site=site: site == "site-2" or f"rsu/1/pingshan/{site}/state" in heard)
    assert heard == ["rsu/1/pingshan/site-1/state"]


@pytest.mark.parametrize(("version", "reason"), [(5, "refused"), (3, "unheard")])
async def test_a_pole_with_anothers_certificate_is_an_alarm_within_30_s_and_keeps_its_records(
    district: District, tmp_path: Path, version: int, reason: str
) -> None:
    outbox, broker = Outbox(tmp_path / "box", 8 << 20), district.outside("site-2", version=version)
    prefix = "rsu/1/pingshan/site-1"
    uplink = Uplink(outbox, lambda: connect(broker), prefix, "site-1", SystemClock(), unheard_s=1.0)
    outbox.append({"k": "phase", "t": 1, "g": 1, "c": "red"}, "hi").wait(20)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink.run)
        await soon(lambda: uplink.reason == reason)
        assert health(outbox, uplink) == (DeviceState.DEGRADED, reason)
        tasks.cancel_scope.cancel()
    assert outbox.queued("hi") == 1
    outbox.close()
    assert UNHEARD_S < 30


async def test_who_has_no_certificate_stays_outside(district: District) -> None:
    tls = TlsFiles(district.authority.cert).context(datetime.now(UTC).timestamp())
    with pytest.raises(Exception, match="certificate_required"):
        async with connect(Broker(HOST, district.outside_port, "nobody", tls)):
            pass


@pytest.mark.parametrize("group", ["", "8f14e45fceea167a"])
async def test_a_pole_that_joins_the_receivers_group_takes_their_messages_away_unless_its_name_is_secret(
    district: District, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    """An acl_file refuses no subscription: what is a member's turn and not his to read goes to nobody."""
    guessed, count = shared_topic(), 20
    monkeypatch.setenv(GROUP, group)
    async with (
        hearing(district.outside("site-2"), guessed) as (_, stolen),
        hearing(district.outside("rsu-district"), shared_topic()) as (receiver, heard),
        connect(district.outside("site-1")) as pole,
    ):
        for n in range(count):
            pole.send("rsu/1/pingshan/site-1/up/lo", str(n).encode())
        await soon(lambda: pole.behind == 0)
        await receiver.subscribe("the/end", 0)
        await soon(lambda: not len(receiver._client.messages))
    assert stolen == []
    assert len(heard) == (count if group else count // 2)
