"""Commands of the district under the fuzzer: sealed ones, bodies, chunks and answers, spoilt and made up."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.outlets.leases import Leases
from rsu_agent.ports.command import (
    SIGNED_AS,
    Answer,
    Chunk,
    Command,
    body_of,
    canonical,
    pack_answer,
    pack_chunk,
    public_text,
    seal,
    unpack_answer,
)
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.runtime.commands import MOST_ANSWERS, CommandDesk
from tests.fuzz.inputs import any_input
from tests.fuzz.scratch import folder

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
UTC_US = 1_790_000_000_000_000
PREFIX = "rsu/1/d/s"


def desk() -> Callable[[bytes], int]:
    """A desk whose clock goes on; keeps its answers and nothing else."""
    clock = FakeClock(100.0, UTC_US / 1e6)
    made = CommandDesk(
        PREFIX,
        "s",
        public_text(KEY),
        folder(),
        Leases(1.0),
        clock,
        lambda _record: None,
        lambda _what: True,
    )

    def read(data: bytes) -> int:
        clock._now_s += 0.5
        clock.step_utc(-0.5)  # the commands hold for ever
        made.clock_told(True)
        made._memory.highest = 0  # every command is the first one
        for where in ("cmd", "live", "cfg"):
            made.hear(f"{PREFIX}/dn/{where}", data)
        return len(made._answers)

    return read


def answer(data: bytes) -> int:
    """An answer as the district reads it."""
    unpack_answer(data)
    return 0


def inputs(dice: random.Random) -> bytes:
    """Signed bodies with values of any kind, sealed ones and chunks with faults, noise."""
    seq = dice.randrange(1, 1 << 40)
    kind = dice.choice(["ping", "report", "live_lease", "map", "model", "still", "x" * 70])
    args: Any = {name: _any(dice) for name in dice.sample(NAMES, dice.randrange(len(NAMES)))}
    if dice.random() < 0.4:
        value = {"site": "s", "seq": seq, "not_before": UTC_US, "expires": UTC_US + 60_000_000}
        value |= {"kind": kind, "args": args}
        if dice.random() < 0.3:
            value[dice.choice(sorted(value))] = _any(dice)
        try:
            body = canonical(value)
        except (ValueError, OverflowError):
            body = msgpack.packb(value, default=str)
        return bytes(msgpack.packb({"v": 1, "b": body, "g": KEY.sign(SIGNED_AS + body)}))
    command = Command("s", seq, UTC_US, UTC_US + 3_000_000_000, "ping")
    chunk = pack_chunk(Chunk(seq, dice.randrange(3), dice.randbytes(20)))
    return any_input(dice, [seal(command, KEY), body_of(command), chunk])


def answers(dice: random.Random) -> bytes:
    """Answers with faults."""
    return any_input(dice, [pack_answer(Answer(5, "done", "ok", UTC_US, {"next": 3}))])


NAMES = ("kinds", "hz", "seconds", "frames", "name", "size", "sha256", "chunk")


def _any(dice: random.Random) -> Any:
    good = (["objs"], 5, 60, False, "map.geojson", 300, "5f" * 32, 100)
    odd = (None, -1, 1 << 63, "", "../x", b"\x00", [[]], {"a": {}}, 1.5, float("nan"), True, ["objs", 5])
    return dice.choice(good + odd)


MOST_KEPT = MOST_ANSWERS
