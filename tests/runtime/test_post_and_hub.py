"""Records between core and uplink process: kept until committed, through any death of either."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.outlets.summary_kinds import LANE_OF, faults
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.link import QUEUE_LENGTH, Link, socket_pair
from rsu_agent.runtime import post as post_module
from rsu_agent.runtime.hub import Hub, hub_path, join
from rsu_agent.runtime.post import MOST_KEPT, Post

pytestmark = pytest.mark.anyio


class Peer:
    """An uplink process as the post sees it: takes letters while it lives, commits what it is told to."""

    def __init__(self) -> None:
        self.alive = False
        self.letters: list[dict[str, Any]] = []

    def send(self, role: str, topic: str, noun: Any, *, newest: bool = False) -> bool:
        assert (role, topic, newest) == ("uplink", "record", False)
        if self.alive:
            self.letters.append(noun)
        return self.alive


ACTS = st.lists(st.sampled_from(["put", "put", "put", "commit", "die", "live"]), max_size=60)


@given(ACTS)
def test_what_is_not_committed_reaches_the_next_uplink_process(acts: list[str]) -> None:
    peer, put, disk = Peer(), 0, set()
    post = Post(peer)  # type: ignore[arg-type]
    for act in acts:
        match act:
            case "put":
                put += 1
                post.put([{"k": "phase", "n": put}])
            case "commit" if peer.letters:
                letter = peer.letters.pop(0)
                disk.add(letter["record"]["n"])
                post.committed([letter["id"]])
            case "die":
                peer.alive, peer.letters = False, []
            case "live" if not peer.alive:
                peer.alive = True
                post.connected()
    peer.letters, peer.alive = [], True
    post.connected()
    assert disk | {letter["record"]["n"] for letter in peer.letters} == set(range(1, put + 1))
    assert not disk & {letter["record"]["n"] for letter in peer.letters}
    assert post.waiting == len(peer.letters)


def test_the_kind_gives_the_lane_and_an_unknown_kind_is_our_own_fault() -> None:
    peer = Peer()
    peer.alive = True
    post = Post(peer)  # type: ignore[arg-type]
    post.put([{"k": kind} for kind in LANE_OF])
    assert {letter["record"]["k"]: letter["lane"] for letter in peer.letters} == LANE_OF
    with pytest.raises(KeyError):
        post.put([{"k": "plate"}])


def test_word_of_an_earlier_core_s_letters_says_nothing_about_this_one_s() -> None:
    """Numbers began at 1 in every core: what the uplink told late was taken for the new core's letters."""
    numbers = []
    for _ in range(2):
        peer = Peer()
        peer.alive = True
        post = Post(peer)  # type: ignore[arg-type]
        post.put([{"k": "hb"}] * 3)
        numbers.append([letter["id"] for letter in peer.letters])
    post.committed(numbers[0])
    assert post.waiting == 3


def test_the_oldest_go_when_nobody_takes_them_and_are_declared_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(post_module, "MOST_KEPT", 10)
    peer = Peer()
    post = Post(peer)  # type: ignore[arg-type]
    post.put({"k": "hb" if n % 2 else "audit", "t": 1000 + n} for n in range(25))
    assert (post.waiting, post.dropped) == (10, 15)
    peer.alive = True
    post.connected()
    post.committed([letter["id"] for letter in peer.letters])
    assert post.waiting == 0
    post.put([{"k": "hb", "t": 5000}])
    told = {r["l"]: r for letter in peer.letters if (r := letter["record"])["k"] == "lost"}
    assert {lane: (r["n"], r["kd"], r["ta"], r["tb"], r["why"]) for lane, r in told.items()} == {
        "lo": (7, "hb", 1001, 1013, "overflow"),
        "hi": (8, "audit", 1000, 1014, "overflow"),
    }
    assert [fault for record in told.values() for fault in faults(record)] == []
    post.put([{"k": "hb", "t": 5001}])
    assert len([1 for letter in peer.letters if letter["record"]["k"] == "lost"]) == 2, "declared once"


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), max_size=40))
def test_every_record_is_taken_or_waits_or_is_declared_though_declarations_are_lost_too(
    acts: list[tuple[int, int]],
) -> None:
    post, taken, put = Post(Peer()), list[dict[str, Any]](), 0  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(post_module, "MOST_KEPT", 4)
        for more, committed in acts:
            post.put({"k": "hb" if n % 3 else "audit", "t": n} for n in range(put, put + more))
            put += more
            gone = list(post._kept)[:committed]
            taken += [post._kept[number]["record"] for number in gone]
            post.committed(gone)
    seen = taken + [letter["record"] for letter in post._kept.values()]
    declared = sum(record["n"] for record in seen if record["k"] == "lost")
    undeclared = sum(lost.count for lost in post._losses.values())
    assert sum(record["k"] != "lost" for record in seen) + declared + undeclared == put
    assert post.dropped == declared + undeclared


def test_everything_that_is_kept_fits_into_the_link_that_takes_it() -> None:
    assert MOST_KEPT < QUEUE_LENGTH


async def test_garbage_and_a_silent_peer_at_the_hub_disturb_nobody(tmp_path: Path) -> None:
    heard: list[tuple[str, str, Any]] = []
    hub = Hub(tmp_path, lambda *news: heard.append(news))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        silent = await join(tmp_path, "senses", SystemClock())
        raw = silent._socket
        for data in (b"\x00", b"\xff\xff\xff", b"\x05scene\xc1"):
            raw.send(data)
        link = await join(tmp_path, "uplink", SystemClock())
        link.send("metrics", "page")
        tasks.start_soon(link.run_sender)
        with anyio.fail_after(30):
            while not heard:  # noqa: ASYNC110 (the hub's own task hears)
                await anyio.sleep(0.01)
        assert heard == [("uplink", "metrics", "page")]
        tasks.cancel_scope.cancel()
    silent.close()


async def test_a_successor_takes_over_the_role_while_the_old_link_still_stands(tmp_path: Path) -> None:
    joined: list[str] = []
    hub = Hub(tmp_path, lambda *_: None)
    hub.connected = joined.append
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        links = []
        for count in (1, 2):
            links.append(await join(tmp_path, "uplink", SystemClock()))
            tasks.start_soon(links[-1].run_sender)
            with anyio.fail_after(30):
                while len(joined) < count:  # noqa: ASYNC110
                    await anyio.sleep(0.01)
        assert hub.send("uplink", "record", {"n": 1})
        with anyio.fail_after(30):
            assert await links[1].receive() == ("record", {"n": 1})
        assert not hub.send("senses", "record", {})
        tasks.cancel_scope.cancel()


async def test_a_process_that_goes_is_told_once_and_one_that_was_followed_is_not(tmp_path: Path) -> None:
    joined, gone = list[str](), list[str]()
    hub = Hub(tmp_path, lambda *_: None)
    hub.connected, hub.gone = joined.append, gone.append

    async def lives(role: str) -> Link:
        count, link = len(joined), await join(tmp_path, role, SystemClock())
        tasks.start_soon(link.run_sender)
        while len(joined) == count:  # noqa: ASYNC110 (the hub's own task hears)
            await anyio.sleep(0.01)
        return link

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        with anyio.fail_after(30):
            first, second, senses = [await lives(role) for role in ("uplink", "uplink", "senses")]
            first._socket.shutdown(socket.SHUT_RDWR)
            senses._socket.shutdown(socket.SHUT_RDWR)
            while not gone:  # noqa: ASYNC110
                await anyio.sleep(0.01)
            assert gone == ["senses"]
            assert hub.send("uplink", "record", 1)
        tasks.cancel_scope.cancel()
    assert gone == ["senses"], "we end, they have not gone"
    for link in (first, second, senses):
        link.close()


async def test_a_stale_socket_of_a_killed_core_is_replaced(tmp_path: Path) -> None:
    hub_path(tmp_path).touch()
    hub = Hub(tmp_path, lambda *_: None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        with anyio.fail_after(30):
            link = await join(tmp_path, "uplink", SystemClock())
        tasks.cancel_scope.cancel()
    link.close()


def test_the_pair_keeps_messages_apart() -> None:
    one, other = socket_pair()
    one.send(b"first")
    one.send(b"second")
    assert [other.recv(100), other.recv(100)] == [b"first", b"second"]
    one.close()
    other.close()
