"""A worker comes back when its line is lost, and hears everything alone where the broker will not share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from rsu_agent.district import worker
from rsu_agent.district.receiver import STATE_TOPIC, TOPIC, Receiver
from rsu_agent.district.store import SqliteSink
from rsu_agent.district.worker import GROUP, shared_topic, work
from rsu_agent.ports.mqtt import Broker
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
SHARED = f"$share/ingest/{TOPIC}"
BROKER = Broker("127.0.0.1", 1, "test")


class Line:
    """Connections of a broker that refuses some topics; `subscribed` holds what each connection heard."""

    def __init__(self, refuses: str = "") -> None:
        self._refuses = refuses
        self.subscribed: list[list[str]] = []
        self.lose = anyio.Event()
        self.listens = anyio.Event()

    @asynccontextmanager
    async def connect(self, _broker: Broker) -> AsyncIterator[Line]:
        self.subscribed.append([])
        yield self

    async def subscribe(self, topic: str, qos: int) -> None:
        if self._refuses and topic.startswith(self._refuses):
            raise DeviceLost("refused", f"{topic}: Shared Subscription not supported")
        self.subscribed[-1].append(topic)

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        self.listens.set()
        await self.lose.wait()
        raise DeviceLost("closed")
        yield "", b""

    def say(self, topic: str, payload: bytes) -> None: ...


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    monkeypatch.setattr(worker, "RETRY_S", 0.0)
    return Receiver(SqliteSink(tmp_path / "d.sqlite"))


@pytest.mark.parametrize(
    ("number", "shared", "topics"),
    [(1, False, [TOPIC, STATE_TOPIC]), (1, True, [SHARED, STATE_TOPIC]), (2, True, [SHARED])],
)
async def test_the_first_worker_hears_the_states_and_each_its_share(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, number: int, shared: bool, topics: list[str]
) -> None:
    line = Line()
    monkeypatch.setattr(worker, "connect", line.connect)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: work(receiver, BROKER, number, shared=shared))
        await line.listens.wait()
        tasks.cancel_scope.cancel()
    assert line.subscribed == [topics]


async def test_a_lost_line_is_opened_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line()
    monkeypatch.setattr(worker, "connect", line.connect)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: work(receiver, BROKER))
        await line.listens.wait()
        line.listens, lost, line.lose = anyio.Event(), line.lose, anyio.Event()
        lost.set()
        await line.listens.wait()
        tasks.cancel_scope.cancel()
    assert line.subscribed == [[TOPIC, STATE_TOPIC]] * 2


@pytest.mark.parametrize(("number", "heard"), [(1, [[], [TOPIC, STATE_TOPIC]]), (2, [[]])])
async def test_where_the_broker_will_not_share_the_first_hears_everything_and_the_others_stand_idle(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, number: int, heard: list[list[str]]
) -> None:
    line = Line(refuses="$share/")
    monkeypatch.setattr(worker, "connect", line.connect)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: work(receiver, BROKER, number, shared=True))
        await anyio.wait_all_tasks_blocked()
        with anyio.move_on_after(0.5 if number > 1 else 30):
            await line.listens.wait()
        tasks.cancel_scope.cancel()
    assert line.subscribed == heard


@pytest.mark.parametrize("name", ["a/b", "+", "#", "a b", "x" * 65])
def test_a_name_that_would_be_another_subscription_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GROUP, name)
    with pytest.raises(ValueError, match=GROUP):
        shared_topic()
