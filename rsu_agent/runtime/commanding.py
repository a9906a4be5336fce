"""The district's side of a command: signed, sent, its answer waited for; a file sent in chunks."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.command import Answer, BadCommand, Chunk, Command, pack_chunk, seal, unpack_answer
from rsu_agent.ports.mqtt import Session

CHUNK = 64 << 10
HOLDS_US = 120_000_000  # a command that is not heard by then is signed anew
SKEW_US = 5_000_000  # our clock may be ahead of the crossing's
ANSWER_S = 15.0
PACE_S = 0.025  # between two chunks: the edge looks at fifty a second


class NoAnswer(Exception):
    """Nobody answered in time: the crossing is not connected, or does not know our key."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. prefix: rsu/1/{district}/{site}."""

    prefix: str
    key: Ed25519PrivateKey
    clock: Clock

    def command(self, kind: str, args: dict[str, Any]) -> Command:
        """One that holds now. Its number is the time in microseconds: it rises, and nobody keeps a book."""
        now_us = round(self.clock.utc_s() * 1e6)
        site = self.prefix.rsplit("/", 1)[-1]
        return Command(site, now_us, now_us - SKEW_US, now_us + HOLDS_US, kind, args)


def offer(name: str, data: bytes) -> dict[str, Any]:
    """The args that offer a file."""
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "size": len(data), "sha256": digest, "chunk": CHUNK}


async def ask(
    session: Session, asker: Asker, topic: str, kind: str, args: dict[str, Any], data: bytes | None = None
) -> Answer:
    """The last answer to a command. data: the file that it offers. Raises NoAnswer, DeviceLost."""
    await session.subscribe(f"{asker.prefix}/answer", 1)
    command = asker.command(kind, args)
    answers = _answers(session, command.seq)
    await session.publish(f"{asker.prefix}/dn/{topic}", seal(command, asker.key), qos=1)
    answer = await _next(answers)
    if data is None or answer.result != "accepted":
        return answer
    return await _send_file(session, asker, command.seq, data, answers)


async def _send_file(
    session: Session, asker: Asker, seq: int, data: bytes, answers: AsyncIterator[Answer]
) -> Answer:
    heard: list[Answer] = []
    count, waited_s = math.ceil(len(data) / CHUNK), 0.0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_collect, answers, heard.append)
        at = 0
        while not (heard and heard[-1].result != "accepted"):
            if heard:
                at = min(count, max(0, int(heard.pop().detail.get("next", at))))
            if at < count:
                piece = pack_chunk(Chunk(seq, at, data[at * CHUNK : (at + 1) * CHUNK]))
                await session.publish(f"{asker.prefix}/dn/cfg", piece, qos=1)
                at, waited_s = at + 1, 0.0
            elif (waited_s := waited_s + PACE_S) > ANSWER_S:
                raise NoAnswer("the file was sent, and nobody said what became of it")
            await asker.clock.sleep(PACE_S)
        tasks.cancel_scope.cancel()
    return heard[-1]


async def _collect(answers: AsyncIterator[Answer], keep: Callable[[Answer], None]) -> None:
    async for answer in answers:
        keep(answer)


async def _next(answers: AsyncIterator[Answer]) -> Answer:
    with anyio.move_on_after(ANSWER_S):
        async for answer in answers:
            return answer
    raise NoAnswer("the crossing is not connected, or does not know this key")


async def _answers(session: Session, seq: int) -> AsyncIterator[Answer]:
    """Those to one command."""
    async for topic, payload in session.messages():
        if not topic.endswith("/answer"):
            continue
        try:
            answer = unpack_answer(payload)
        except BadCommand:
            continue
        if answer.seq == seq:
            yield answer
