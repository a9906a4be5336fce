"""The link between two processes: whole messages or none, garbage, a peer that stalls, a peer that goes."""

from __future__ import annotations

import socket
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.ports import link as link_module
from rsu_agent.ports.link import HELLO, Link, socket_pair
from rsu_agent.ports.nouns import pack
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TOPICS = st.sampled_from(["record", "committed", "metrics"])


def frame(topic: str, noun: Any) -> bytes:
    return bytes([len(topic.encode())]) + topic.encode() + pack(noun)


async def hear(link: Link, count: int) -> list[tuple[str, Any]]:
    with anyio.fail_after(30):
        return [await link.receive() for _ in range(count)]


@given(st.lists(st.tuples(TOPICS, PLAIN), min_size=1, max_size=12))
def test_any_messages_arrive_whole_and_in_order(messages: list[tuple[str, Any]]) -> None:
    async def run() -> None:
        one, other = (Link(end) for end in socket_pair())
        for topic, noun in messages:
            one.send(topic, noun)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run_sender)
            assert await hear(other, len(messages)) == messages
            tasks.cancel_scope.cancel()
        one.close()
        other.close()

    anyio.run(run)


async def test_nothing_overtakes_the_version_and_who_is_speaking() -> None:
    """The newest did: metrics of a process not yet named were kept under no name, for ever."""
    ours, theirs = socket_pair()
    link = Link(ours)
    link.send("metrics", "page", newest=True)
    link.send("record", 1)
    link.greet("role", "uplink")
    said = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(link.run_sender)
        with anyio.fail_after(30):
            while len(said) < 4:
                await anyio.wait_readable(theirs)
                data = theirs.recv(1000)
                said.append(data[1 : 1 + data[0]].decode())
        tasks.cancel_scope.cancel()
    assert said == [HELLO, "role", "metrics", "record"]
    link.close()
    theirs.close()


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=10))
def test_garbage_costs_a_count_and_never_the_next_message(garbage: list[bytes]) -> None:
    async def run() -> None:
        ours, theirs = socket_pair()
        link = Link(ours)
        for data in garbage:
            theirs.send(data)
        theirs.send(frame("record", {"n": 1}))
        heard: tuple[str, Any] = ("", None)
        with anyio.fail_after(30):
            while heard != ("record", {"n": 1}):
                heard = await link.receive()
        assert link.garbled <= len(garbage)
        link.close()
        theirs.close()

    anyio.run(run)


@pytest.mark.parametrize(
    "data", [b"\x04\xff\xfe\xfd\xfc\x92\xc0\x01", b"\xff", b"\x00", b"\x06record", b"\x06record\x92\x63\x90"]
)
async def test_a_message_that_is_none_is_counted(data: bytes) -> None:
    """A topic that is no UTF-8 used to end the process."""
    ours, theirs = socket_pair()
    link = Link(ours)
    theirs.send(data)
    theirs.send(frame("record", 7))
    assert await hear(link, 1) == [("record", 7)]
    assert link.garbled == 1
    link.close()
    theirs.close()


async def test_a_peer_that_stalls_costs_the_oldest_and_memory_stays_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link_module, "QUEUE_LENGTH", 50)
    ours, theirs = socket_pair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    one, other = Link(ours), Link(theirs)
    sent = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run_sender)
        while one.dropped < 100:
            one.send("record", {"n": sent, "fill": "x" * 500})
            one.send("status", sent, newest=True)
            sent += 1
            assert one.waiting <= 51
            await anyio.lowlevel.checkpoint()
        numbers = []
        with anyio.fail_after(30):
            while not numbers or numbers[-1] != sent - 1:
                topic, noun = await other.receive()
                if topic == "record":
                    numbers.append(noun["n"])
        tasks.cancel_scope.cancel()
    assert numbers == sorted(set(numbers)), "in order, none twice"
    assert len(numbers) < sent
    one.close()
    other.close()


@pytest.mark.parametrize("side", ["sender", "receiver"])
async def test_a_peer_that_goes_is_a_lost_device(side: str) -> None:
    ours, theirs = socket_pair()
    link = Link(ours)
    theirs.close()
    with pytest.raises(DeviceLost, match="closed"), anyio.fail_after(30):
        await (link.run_sender() if side == "sender" else link.receive())
    link.close()
