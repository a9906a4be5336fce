"""The desk of commands in the uplink process: done, answered, audited, whatever arrives."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.outlets.leases import Leases
from rsu_agent.outlets.staging import SILENT_S
from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.ports.command import Answer, Chunk, Command, pack_chunk, public_text, seal, unpack_answer
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.commands import CLOCK_HOLDS_S, MOST_ANSWERS, CommandDesk

pytestmark = pytest.mark.anyio
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
PREFIX = "rsu/1/pingshan/szps-001"
UTC_S = 1_790_000_000.0


class Broker:
    """A connection that keeps what is published, or breaks."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.broken = False

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        assert (topic, qos, retain) == (f"{PREFIX}/answer", 1, False)
        if self.broken:
            raise DeviceLost("closed")
        self.answers.append(unpack_answer(payload))


class Edge:
    """A desk with all that it needs, its clock trusted."""

    def __init__(self, tmp_path: Path, key: str | None = public_text(KEY)) -> None:
        self.clock, self.broker, self.leases = FakeClock(100.0, UTC_S), Broker(), Leases(1.0)
        self.audit: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.core = True
        self.desk = CommandDesk(
            PREFIX,
            "szps-001",
            key,
            tmp_path,
            self.leases,
            self.clock,
            self.audit.append,
            self.tell_core,
        )
        self.desk.clock_told(True)
        self.seq = 0

    def tell_core(self, topic: str) -> bool:
        self.asked.append(topic)
        return self.core

    def sealed(self, kind: str, args: dict[str, Any] | None = None, **changes: Any) -> bytes:
        self.seq += 1
        now_us = round(self.clock.utc_s() * 1e6)
        fields: dict[str, Any] = {"site": "szps-001", "seq": self.seq, "not_before_us": now_us, "kind": kind}
        fields |= {"expires_us": now_us + 60_000_000, "args": args or {}}
        return seal(Command(**(fields | changes)), KEY)

    def hear(self, payload: bytes, where: str = "cmd") -> None:
        self.desk.hear(f"{PREFIX}/dn/{where}", payload)

    async def answers(self) -> list[tuple[int, str, str]]:
        """What has been answered by now."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.desk.run, self.broker)
            await self.clock.advance(0.001)
            tasks.cancel_scope.cancel()
        return [(answer.seq, answer.result, answer.code) for answer in self.broker.answers]


async def test_a_ping_is_answered_and_audited(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    await edge.clock.advance(4.0)
    edge.hear(edge.sealed("ping"))
    assert await edge.answers() == [(1, "done", "ok")]
    assert edge.broker.answers[0].detail == {"up_s": 4}
    assert [(r["q"], r["c"], r["r"], r["w"]) for r in edge.audit] == [(1, "ping", "done", "ok")]
    assert faults(edge.audit[0]) == []


async def test_a_report_is_asked_of_the_core_and_refused_while_it_is_not_there(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.hear(edge.sealed("report"))
    edge.core = False
    edge.hear(edge.sealed("report"))
    assert await edge.answers() == [(1, "done", "ok"), (2, "refused", "no_core")]
    assert edge.asked == ["report", "report"]


async def test_a_lease_comes_by_its_own_topic_and_holds_for_its_time(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.hear(edge.sealed("live_lease", {"kinds": ["objs"], "hz": 5, "seconds": 60}), "live")
    edge.hear(edge.sealed("live_lease", {"kinds": ["objs"], "hz": 5, "seconds": 60}), "cmd")
    assert await edge.answers() == [(1, "done", "ok"), (2, "refused", "wrong_topic")]
    assert edge.leases.rates(edge.clock.now_s()).objs_hz == 5.0


async def test_a_command_heard_twice_is_done_once_and_told_what_came_of_it(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    sealed = edge.sealed("report")
    edge.hear(sealed)
    edge.hear(sealed)
    assert await edge.answers() == [(1, "done", "ok"), (1, "refused", "replay")]
    assert edge.broker.answers[1].detail == {"result": "done", "code": "ok"}
    assert edge.asked == ["report"]


async def test_no_command_is_obeyed_by_a_clock_that_nobody_vouches_for(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.desk.clock_told(False)
    edge.hear(edge.sealed("ping"))
    edge.desk.clock_told(True)
    await edge.clock.advance(CLOCK_HOLDS_S + 0.1)
    edge.hear(edge.sealed("ping"))
    edge.desk.clock_told(True)
    edge.hear(edge.sealed("ping"))
    told = [(1, "refused", "no_clock"), (2, "refused", "no_clock"), (3, "done", "ok")]
    assert await edge.answers() == told


async def test_without_a_pinned_key_everything_is_refused_and_nothing_answered(tmp_path: Path) -> None:
    edge = Edge(tmp_path, key=None)
    for _ in range(3):
        edge.hear(edge.sealed("ping"))
    assert await edge.answers() == []
    assert [(r["q"], r["w"], r["n"]) for r in edge.audit] == [(None, "no_key", 1)]


async def test_a_still_is_never_taken_on_command(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.hear(edge.sealed("still", {"camera": "north"}))
    assert await edge.answers() == [(1, "refused", "not_allowed")]
    assert edge.asked == []


async def test_answers_that_a_broken_connection_kept_back_go_out_over_the_next(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.broker.broken = True
    edge.hear(edge.sealed("ping"))
    with pytest.raises(BaseExceptionGroup):
        await edge.answers()
    edge.broker.broken = False
    assert await edge.answers() == [(1, "done", "ok")]


def offer(data: bytes, chunk: int = 1000) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"name": "new.geojson", "size": len(data), "sha256": digest, "chunk": chunk}


def chunks(seq: int, data: bytes, size: int = 1000) -> list[bytes]:
    return [pack_chunk(Chunk(seq, n // size, data[n : n + size])) for n in range(0, len(data), size)]


async def test_a_map_in_chunks_is_staged_answered_and_audited_and_nothing_more(tmp_path: Path) -> None:
    edge, data = Edge(tmp_path), random.Random(2).randbytes(2500)
    edge.hear(edge.sealed("map", offer(data)), "cfg")
    for piece in chunks(1, data):
        edge.hear(piece, "cfg")
    assert await edge.answers() == [(1, "accepted", "ok"), (1, "staged", "ok")]
    assert [record["r"] for record in edge.audit] == ["accepted", "staged"]
    (path,) = (tmp_path / "staging" / "map").glob("*.geojson")
    assert path.read_bytes() == data


async def test_a_lost_chunk_is_asked_for_once_and_the_file_is_staged_in_the_end(tmp_path: Path) -> None:
    edge, data = Edge(tmp_path), random.Random(2).randbytes(5000)
    edge.hear(edge.sealed("map", offer(data)), "cfg")
    assert await edge.answers() == [(1, "accepted", "ok")]
    pieces = chunks(1, data)
    for piece in (pieces[0], *pieces[2:]):
        edge.hear(piece, "cfg")
    assert (await edge.answers())[1:] == [(1, "accepted", "out_of_order")]
    assert edge.broker.answers[-1].detail == {"next": 1}
    for piece in pieces[1:]:
        edge.hear(piece, "cfg")
    assert (await edge.answers())[-1] == (1, "staged", "ok")


async def test_a_file_that_is_not_what_was_signed_is_refused(tmp_path: Path) -> None:
    edge, data = Edge(tmp_path), bytes(2500)
    edge.hear(edge.sealed("model", offer(data)), "cfg")
    for piece in chunks(1, b"x" * 2500):
        edge.hear(piece, "cfg")
    assert (await edge.answers())[-1] == (1, "refused", "hash")
    assert list((tmp_path / "staging" / "model").iterdir()) == []


async def test_a_new_offer_ends_the_one_under_way_and_silence_ends_it_too(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    edge.hear(edge.sealed("map", offer(bytes(2500))), "cfg")
    edge.hear(edge.sealed("map", offer(bytes(2501))), "cfg")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(edge.desk.run, edge.broker)
        await edge.clock.advance(SILENT_S + 2.0)
        tasks.cancel_scope.cancel()
    told = [(answer.seq, answer.code) for answer in edge.broker.answers]
    assert told == [(1, "ok"), (1, "replaced"), (2, "ok"), (2, "silent")]


async def test_a_disk_that_fails_under_a_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "staging").write_text("in the way")
    edge = Edge(tmp_path)
    edge.hear(edge.sealed("map", offer(b"x")), "cfg")
    assert await edge.answers() == [(1, "refused", "disk")]


async def test_a_memory_that_cannot_be_written_obeys_nobody(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    (tmp_path / "commands" / "taken.part").mkdir()
    edge.hear(edge.sealed("ping"))
    assert await edge.answers() == []
    assert [record["w"] for record in edge.audit] == ["no_memory"]


@pytest.mark.parametrize("where", ["cmd", "cfg", "live"])
async def test_whatever_arrives_the_desk_goes_on_and_its_books_are_bounded(
    tmp_path: Path, where: str
) -> None:
    edge, dice = Edge(tmp_path), random.Random(5)
    good = [edge.sealed("map", offer(bytes(50))), *chunks(1, bytes(50)), edge.sealed("ping")]
    for n in range(3000):
        data = bytearray(dice.choice([*good, dice.randbytes(dice.randrange(1, 60)), bytes(200_000)]))
        for _ in range(dice.randrange(3)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        edge.hear(bytes(data), where)
        if n % 100 == 0:
            await edge.clock.advance(1.0)
            edge.desk.clock_told(True)
    edge.seq = 100
    await edge.clock.advance(5.0)
    edge.desk.clock_told(True)
    edge.hear(edge.sealed("ping"))
    assert (await edge.answers())[-1] == (101, "done", "ok")
    assert len(edge.broker.answers) <= MOST_ANSWERS
    assert len(edge.audit) < 30
    assert [fault for record in edge.audit for fault in faults(record)] == []
    assert {record["q"] for record in edge.audit} <= {None, 1, 2, 101}


async def test_a_body_of_another_kind_of_value_is_refused_without_harm(tmp_path: Path) -> None:
    edge = Edge(tmp_path)
    for args in ({"kinds": {"a": 1}, "hz": None, "seconds": []}, {"name": [], "size": "1"}):
        edge.hear(edge.sealed("live_lease", args), "live")
        edge.hear(edge.sealed("model", args), "cfg")
    assert {answer[1:] for answer in await edge.answers()} == {("refused", "bad_args")}
    edge.hear(msgpack.packb([1, 2]), "cfg")
    assert edge.audit[-1]["w"] == "malformed"
