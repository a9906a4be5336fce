"""Envelopes of made-up sites, and a publisher that keeps what it was given."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from rsu_agent.district.decode import read
from rsu_agent.district.sink import Batch, DeadLetter, Taken
from rsu_agent.ports.envelope import Ack, Envelope, pack_envelope, unpack_ack

NOW_US = time.time_ns() // 1000


def prefix(site: str = "site-1") -> str:
    return f"rsu/1/pingshan/{site}"


def envelope(
    seq: int, *records: dict[str, Any], epoch: int = 7, lane: str = "lo", site: str = "site-1", **more: Any
) -> Envelope:
    told = records or ({"k": "phase", "t": NOW_US + seq, "g": 1, "c": "green", "n": seq},)
    return Envelope(site, epoch, lane, seq, more.pop("utc_us", NOW_US), told, **more)


def taken(one: Envelope) -> Taken:
    """As the receiver reads it off the wire."""
    found = read(f"{prefix(one.site)}/up/{one.lane}", pack_envelope(one))
    assert isinstance(found, Taken), found
    return found


def dead(topic: str, payload: bytes) -> DeadLetter:
    found = read(topic, payload)
    assert isinstance(found, DeadLetter), found
    return found


def batch(*envelopes: Envelope) -> Batch:
    return Batch([taken(one) for one in envelopes])


class Heard:
    """A publisher; `acks` in the order they were sent."""

    def __init__(self) -> None:
        self.acks: list[tuple[str, Ack]] = []

    def say(self, topic: str, payload: bytes) -> None:
        self.acks.append((topic, unpack_ack(payload)))


async def until(true: Callable[[], Awaitable[Any]], seconds: float = 30.0) -> Any:
    """Wait for a condition, not for a time; the value that made it true."""
    with anyio.fail_after(seconds):
        while not (value := await true()):  # noqa: ASYNC110 (it is the database that changes)
            await anyio.sleep(0.02)
        return value
