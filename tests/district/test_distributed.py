"""A front, a real NATS server, a back a shard: stored once, answered after the commit, whatever is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.abc
import pytest

from hil.mosquitto import MOSQUITTO, mosquitto
from hil.nats_servers import MISSING, NATS, free_ports, one_server
from rsu_agent.district.distributed import Back, Front
from rsu_agent.district.read import stored_envelopes
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.shards import shard_of
from rsu_agent.district.store import SqliteSink
from rsu_agent.district.streams import Servers, open_streams, pack_message, unpack_message
from rsu_agent.district.worker import work
from rsu_agent.ports.envelope import LARGEST, Ack, pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, Session, connect
from tests.district.made import envelope, prefix, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)"),
    pytest.mark.skipif(NATS is None, reason=MISSING),
]
SITES = {shard_of(f"site-{n}", 2): f"site-{n}" for n in range(8)}  # one of each shard


@dataclass
class Scene:
    """Two shards. `heard`: acknowledgements, as the poles hear them."""

    folder: Path
    broker: int
    nats: int
    stack: ExitStack
    heard: list[tuple[str, Ack]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.servers = Servers((f"nats://127.0.0.1:{self.nats}",))
        self.front = Front(self.servers, 2)
        self.files = [self.folder / f"{n}.sqlite" for n in range(2)]
        self.receivers = [Receiver(SqliteSink(file)) for file in self.files]

    def start_nats(self) -> None:
        self.stack.enter_context(one_server(self.folder, self.nats))

    @asynccontextmanager
    async def running(self, *, backs: bool = True) -> AsyncIterator[Session]:
        """A pole's session while front and backs work."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: work(self.front, self.at("front"), shared=True))
            if backs:
                self.start_backs(tasks)
            async with connect(self.at("pole")) as session:
                await session.subscribe("rsu/1/+/+/ack", 0)
                tasks.start_soon(self._hear, session)
                yield session
                tasks.cancel_scope.cancel()

    def start_backs(self, tasks: anyio.abc.TaskGroup) -> None:
        for shard, receiver in enumerate(self.receivers):
            back = Back(receiver, self.servers, 2, shard)
            tasks.start_soon(lambda back=back, shard=shard: work(back, self.at(f"back-{shard}"), shared=True))

    def at(self, name: str) -> Broker:
        return Broker("127.0.0.1", self.broker, name)

    async def _hear(self, session: Session) -> None:
        async for topic, payload in session.messages():
            self.heard.append((topic, unpack_ack(payload)))

    async def say(self, session: Session, site: str, *numbers: int) -> None:
        for seq in numbers:
            payload = pack_envelope(envelope(seq, site=site))
            await session.publish(f"{prefix(site)}/up/lo", payload, qos=1)

    async def answered(self, site: str, contiguous: int) -> None:
        async def is_so() -> bool:
            return any(t == f"{prefix(site)}/ack" and a.contiguous == contiguous for t, a in self.heard)

        await until(is_so)

    async def forwarded(self, count: int) -> None:
        async def are_so() -> bool:
            return self.front.counters["forwarded"] >= count

        await until(are_so)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        port = stack.enter_context(mosquitto(tmp_path))
        yield Scene(tmp_path, port, free_ports(1)[0], stack)


async def ready(scene: Scene, session: Session) -> None:
    """Until the front hears: what is said before is nobody's."""
    site = SITES[0]

    async def heard() -> bool:
        await scene.say(session, site, 1)
        return scene.front.counters["forwarded"] > 0

    await until(heard)


async def test_each_site_is_stored_in_its_shard_and_answered(scene: Scene) -> None:
    scene.start_nats()
    async with scene.running() as session:
        await ready(scene, session)
        for site in SITES.values():
            await scene.say(session, site, 1, 2, 3)
            await scene.answered(site, 3)
    for file in scene.files:
        assert list(stored_envelopes(file).values()) == [{1, 2, 3}]


async def test_what_comes_twice_is_stored_once_and_answered_again(scene: Scene) -> None:
    scene.start_nats()
    async with scene.running() as session:
        await ready(scene, session)
        await scene.say(session, SITES[1], 1, 2)
        await scene.answered(SITES[1], 2)
        scene.heard.clear()
        await scene.say(session, SITES[1], 1, 2)  # the pole has not heard the word
        await scene.answered(SITES[1], 2)
    assert scene.receivers[1].counters["duplicates"] == 2


async def test_nothing_is_answered_before_a_back_has_stored_it(scene: Scene) -> None:
    scene.start_nats()
    async with scene.running(backs=False) as session, anyio.create_task_group() as tasks:
        await ready(scene, session)
        await scene.say(session, SITES[1], 1, 2, 3)
        await scene.forwarded(4)
        assert scene.heard == []
        scene.start_backs(tasks)
        await scene.answered(SITES[1], 3)
        tasks.cancel_scope.cancel()


async def test_a_cluster_that_is_away_costs_a_repetition(scene: Scene) -> None:
    async with scene.running() as session:
        await scene.say(session, SITES[1], 1)
        scene.start_nats()

        async def sent_again() -> bool:
            await scene.say(session, SITES[1], 1)
            return any(ack.contiguous == 1 for _, ack in scene.heard)

        await until(sent_again)
    assert list(stored_envelopes(scene.files[1]).values()) == [{1}]


async def test_hostile_messages_are_refused_and_block_nothing(scene: Scene) -> None:
    scene.start_nats()
    async with scene.running() as session:
        await ready(scene, session)
        site = SITES[1]
        await session.publish(f"{prefix(site)}/up/lo", b"\xff" * 40, qos=1)
        await session.publish(f"{prefix(site)}/up/lo", b"x" * (LARGEST + 50_000), qos=1)
        await session.publish(f"{prefix(site)}/state", b"\x00", qos=1)
        async with open_streams(scene.servers, 2, scene.front.counters) as streams:
            await streams._context.publish("rsu.in.1", b"no message of ours")
        await scene.say(session, site, 1)
        await scene.answered(site, 1)
    counters = scene.receivers[1].counters
    assert (counters["rejected_unreadable"], counters["rejected_too_big"]) == (1, 1)
    assert counters["strange_in_stream"] == 1


async def test_a_message_is_its_topic_and_its_bytes_and_no_longer_than_it_must_be() -> None:
    assert unpack_message(pack_message("rsu/1/a\r\n: b/up/lo", b"\x00")) == ("rsu/1/a\r\n: b/up/lo", b"\x00")
    told = unpack_message(pack_message("t", b"x" * (5 * LARGEST)))
    assert told is not None
    assert len(told[1]) == LARGEST + 1
    for strange in (b"", b"\xc1", b"\x93\x01\x02\x03", b"\x92\xa1t\xa1t", b"\x92\x01\xc4\x00"):
        assert unpack_message(strange) is None
