"""Live streams for whoever looks: heard only meanwhile, never stored, nothing that no longer holds."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.mosquitto import MOSQUITTO, mosquitto
from rsu_agent.district.live import LARGEST, LONGEST_US, LiveFeed, can_be_heard
from rsu_agent.ports.mqtt import Broker, Session, connect
from tests.district.made import until

pytestmark = pytest.mark.anyio
NOW_US = 1_790_000_000_000_000
PREFIX = "rsu/1/pingshan/site-1/live"


def message(left_us: int = 1_500_000, now_us: int = NOW_US, **more: Any) -> bytes:
    return bytes(msgpack.packb({"t": now_us, "u": now_us + left_us, "q": 1, "m": "csae53", **more}))


def feed_with_a_listener() -> tuple[LiveFeed, Any]:
    feed = LiveFeed(Broker("127.0.0.1", 1, "nobody"))
    return feed, feed._listening("site-1")


def test_what_holds_is_given_on_with_the_time_that_is_left() -> None:
    feed, listening = feed_with_a_listener()
    with listening as listener:
        feed.hear(f"{PREFIX}/spat", message(ph=[{"p": 1}]), NOW_US + 500_000)
        told = json.loads(listener.newest["spat"])
        assert (told["left_ms"], told["ph"]) == (1000, [{"p": 1}])
        feed.hear(f"{PREFIX}/spat", message(ph=[]), NOW_US)
        assert json.loads(listener.newest["spat"])["ph"] == [], "the newest, and no other"
    assert feed._listeners == {}


@pytest.mark.parametrize(
    ("payload", "counted"),
    [
        (message(0), "live_stale"),
        (b"\xc1", "live_strange"),
        (b"\x90", "live_strange"),
        (msgpack.packb({"t": NOW_US}), "live_strange"),
        (msgpack.packb({"t": NOW_US, "u": "soon"}), "live_strange"),
        (message(x=float("nan")), "live_strange"),
        (message(x=b"\0"), "live_strange"),
        (message(x="y" * LARGEST), "live_strange"),
    ],
)
def test_what_is_past_or_none_of_ours_is_counted(payload: bytes, counted: str) -> None:
    feed, listening = feed_with_a_listener()
    with listening as listener:
        feed.hear(f"{PREFIX}/objs", payload, NOW_US)
        assert listener.newest == {}
    assert feed.counters == {counted: 1}


def test_nobody_may_claim_to_hold_for_ever() -> None:
    feed, listening = feed_with_a_listener()
    with listening as listener:
        feed.hear(f"{PREFIX}/objs", message(1 << 60), NOW_US)
        assert json.loads(listener.newest["objs"])["left_ms"] == LONGEST_US // 1000


@given(st.binary(max_size=200))
def test_no_bytes_disturb_it(payload: bytes) -> None:
    feed, listening = feed_with_a_listener()
    with listening:
        for stream in ("spat", "objs", "event", "other"):
            feed.hear(f"{PREFIX}/{stream}", payload, NOW_US)


def test_a_name_with_a_pattern_in_it_is_nobody_s() -> None:
    assert can_be_heard("site-1")
    assert can_be_heard("坪山-1")
    assert not any(map(can_be_heard, ("", "+", "a/b", "#", "a\0", "x" * 65)))


async def say_until(session: Session, events: AsyncIterator[str], site: str, wanted: str) -> None:
    """Publish until the listener hears it: it subscribes when it begins to look."""
    heard: list[str] = []

    async def listen() -> None:
        async for text in events:
            heard.append(text)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)

        async def is_heard() -> bool:
            payload = message(now_us=time.time_ns() // 1000, w=wanted)
            session.say(f"rsu/1/pingshan/{site}/live/objs", payload)
            return any(wanted in text for text in heard)

        await until(is_heard)
        tasks.cancel_scope.cancel()


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")
async def test_a_connection_stands_only_while_somebody_looks(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        feed = LiveFeed(Broker("127.0.0.1", port, "district-live"))
        async with anyio.create_task_group() as tasks, connect(Broker("127.0.0.1", port, "pole")) as pole:
            tasks.start_soon(feed.run)
            await say_until(pole, feed.events("site-1"), "site-1", "first")

            async def nobody_looks() -> bool:
                return not feed._listeners

            await until(nobody_looks)
            await say_until(pole, feed.events("site-2"), "site-2", "second")
            tasks.cancel_scope.cancel()
    assert feed.counters["live_messages"] >= 2
