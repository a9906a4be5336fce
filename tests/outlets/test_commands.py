"""Commands: who is obeyed and who is not, numbers that are taken once, leases, files in chunks."""

from __future__ import annotations

import contextlib
import hashlib
import random
from pathlib import Path
from typing import Any

import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.outlets import staging as staging_module
from rsu_agent.outlets.bucket import Bucket
from rsu_agent.outlets.command_memory import REMEMBERED, CommandMemory
from rsu_agent.outlets.commands import AT_ONCE, Bulk, Gate, Refused
from rsu_agent.outlets.leases import LONGEST_S, Leases
from rsu_agent.outlets.staging import KEPT, SILENT_S, Staging
from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.ports.command import (
    LARGEST_COMMAND,
    SIGNED_AS,
    Answer,
    BadCommand,
    Chunk,
    Command,
    body_of,
    canonical,
    pack_answer,
    pack_chunk,
    public_key,
    public_text,
    read_body,
    read_chunk,
    seal,
    unpack_answer,
    unseal,
)

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (7, 8))
NOW_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
SITE = "szps-001"


def command(seq: int = 5, **changes: Any) -> Command:
    fields: dict[str, Any] = {"site": SITE, "seq": seq, "not_before_us": NOW_US, "kind": "ping", "args": {}}
    return Command(**(fields | {"expires_us": NOW_US + 60_000_000} | changes))


def gate(tmp_path: Path, key: Ed25519PrivateKey | None = KEY) -> Gate:
    made = Gate(
        SITE, None if key is None else public_key(public_text(key)), CommandMemory(tmp_path / "taken.json")
    )
    made.clock(NOW_US)
    return made


def code(told: Command | Refused) -> str:
    return told.code if isinstance(told, Refused) else "taken"


def test_what_the_district_signed_is_taken_once(tmp_path: Path) -> None:
    district = gate(tmp_path)
    assert district.judge(seal(command(), KEY), "cmd", 0.0, NOW_US + 1) == command()
    told = district.judge(seal(command(), KEY), "cmd", 1.0, NOW_US + 2)
    assert isinstance(told, Refused)
    assert (told.code, told.command) == ("replay", command())
    assert district.counters == {"taken": 1, "replay": 1}


REFUSALS: dict[str, tuple[Command, str, int | None]] = {
    "wrong_site": (command(site="szps-002"), "cmd", NOW_US),
    "no_clock": (command(), "cmd", None),
    "expired": (command(), "cmd", NOW_US + 60_000_000),
    "too_early": (command(not_before_us=NOW_US + 1), "cmd", NOW_US),
    "too_long": (command(expires_us=NOW_US + HOUR_US + 1), "cmd", NOW_US),
    "new_memory": (command(not_before_us=NOW_US - 1), "cmd", NOW_US),
    "not_allowed": (command(kind="still", args={"camera": "north"}), "cmd", NOW_US),
    "unknown_kind": (command(kind="reboot"), "cmd", NOW_US),
    "wrong_topic": (command(kind="map"), "cmd", NOW_US),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_signed_command_is_refused_for_a_reason_that_is_told_to_who_signed(
    tmp_path: Path, reason: str
) -> None:
    said, where, utc_us = REFUSALS[reason]
    told = gate(tmp_path).judge(seal(said, KEY), where, 0.0, utc_us)
    used = reason in ("not_allowed", "unknown_kind", "wrong_topic")
    assert told == Refused(reason, said, used=used)


def test_a_stranger_is_refused_and_is_told_nothing(tmp_path: Path) -> None:
    body = body_of(command())
    strangers = {
        "bad_signature": seal(command(), OTHER),
        "malformed": b"\x93\x01\x02\x03",
        "oversized": bytes(LARGEST_COMMAND + 1),
        "version": msgpack.packb({"v": 2, "b": body, "g": bytes(64)}),
    }
    for reason, data in strangers.items():
        assert gate(tmp_path).judge(data, "cmd", 0.0, NOW_US) == Refused(reason)
    assert gate(tmp_path, None).judge(seal(command(), KEY), "cmd", 0.0, NOW_US) == Refused("no_key")


def test_what_the_key_signed_for_something_else_is_no_command(tmp_path: Path) -> None:
    body = body_of(command())
    data = msgpack.packb({"v": 1, "b": body, "g": KEY.sign(body)})
    assert gate(tmp_path).judge(data, "cmd", 0.0, NOW_US) == Refused("bad_signature")


def test_a_body_that_is_not_in_the_one_canonical_form_is_refused() -> None:
    value = msgpack.unpackb(body_of(command()))
    backwards = dict(reversed(value.items()))
    assert read_body(canonical(backwards)) == command()
    for body in (msgpack.packb(backwards), body_of(command()).replace(b"\xa3seq\x05", b"\xa3seq\xcc\x05")):
        with pytest.raises(BadCommand, match="canonical"):
            read_body(body)


@pytest.mark.parametrize("change", [{"seq": True}, {"seq": -1}, {"args": []}, {"site": ""}, {"more": 1}])
def test_a_body_with_a_value_of_another_type_is_malformed(change: dict[str, Any]) -> None:
    value = msgpack.unpackb(body_of(command())) | change
    with pytest.raises(BadCommand, match="malformed"):
        read_body(canonical(value))


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_noise_is_a_bad_command_and_nothing_else(data: bytes) -> None:
    for read in (unseal, read_body, unpack_answer):
        with pytest.raises(BadCommand):
            read(data)
    with contextlib.suppress(BadCommand):
        assert read_chunk(data) is None


def test_one_bit_changed_anywhere_is_never_obeyed(tmp_path: Path) -> None:
    sealed, dice = seal(command(), KEY), random.Random(3)
    for n in range(600):
        spoilt = bytearray(sealed)
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
        told = gate(tmp_path / str(n % 4)).judge(bytes(spoilt), "cmd", 0.0, NOW_US)
        assert isinstance(told, Refused)
        assert told.command is None


def test_a_flood_is_not_even_looked_at(tmp_path: Path) -> None:
    district = gate(tmp_path)
    codes = [code(district.judge(seal(command(n), OTHER), "cmd", 0.0, NOW_US)) for n in range(1, 200)]
    assert codes.count("bad_signature") == AT_ONCE
    assert codes.count("flood") == 199 - AT_ONCE
    assert code(district.judge(seal(command(), KEY), "cmd", 1.0, NOW_US)) == "taken", "a second later"


def test_numbers_survive_a_restart_and_a_spoilt_file_begins_a_memory_that_obeys_nothing_old(
    tmp_path: Path,
) -> None:
    path = tmp_path / "taken.json"
    gate(tmp_path).judge(seal(command(9), KEY), "cmd", 0.0, NOW_US)
    assert code(gate(tmp_path).judge(seal(command(9), KEY), "cmd", 0.0, NOW_US)) == "replay"
    assert code(gate(tmp_path).judge(seal(command(8), KEY), "cmd", 0.0, NOW_US)) == "replay"
    path.write_text("{")
    later = CommandMemory(path)
    assert (later.highest, later.since_us) == (0, None)
    new = Gate(SITE, public_key(public_text(KEY)), later)
    new.clock(NOW_US + 5)
    assert code(new.judge(seal(command(9), KEY), "cmd", 0.0, NOW_US + 5)) == "new_memory"


def test_a_disk_that_cannot_be_written_takes_no_number(tmp_path: Path) -> None:
    memory = CommandMemory(tmp_path / "folder" / "taken.json")
    memory.begin(NOW_US)
    (tmp_path / "folder" / "taken.part").mkdir()
    with pytest.raises(OSError, match="directory"):
        memory.take(4)
    assert memory.highest == 0


def test_the_answers_of_the_last_commands_are_remembered(tmp_path: Path) -> None:
    memory = CommandMemory(tmp_path / "taken.json")
    memory.begin(NOW_US)
    for seq in range(1, REMEMBERED + 3):
        memory.take(seq)
        memory.answered(seq, "done", "ok")
    again = CommandMemory(tmp_path / "taken.json")
    assert again.answer(2) is None
    assert again.answer(REMEMBERED + 2) == ("done", "ok")


def test_refusals_of_strangers_are_audited_once_a_minute_with_their_count() -> None:
    records: list[dict[str, Any]] = []
    bulk = Bulk(records.append)
    for n in range(500):
        bulk.refused("bad_signature", n / 10, NOW_US)
    bulk.due(49.9, NOW_US)
    bulk.due(60.0, NOW_US)
    assert [record["n"] for record in records] == [1, 499]
    assert [fault for record in records for fault in faults(record)] == []


def test_a_bucket_gives_so_much_a_second_and_so_much_at_once() -> None:
    bucket = Bucket(10.0, 5.0, 0.0)
    assert [bucket.take(1.0, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(1.0, 0.2) for _ in range(3)] == [True, True, False]


def test_a_lease_gives_more_for_its_time_and_is_gone_when_it_is_not_renewed() -> None:
    leases = Leases(1.0)
    leases.grant({"kinds": ["objs"], "hz": 10, "seconds": 60, "frames": True}, 100.0)
    assert (leases.rates(159.9).objs_hz, leases.rates(159.9).event_hz, leases.rates(159.9).frames) == (
        10.0,
        1.0,
        True,
    )
    assert leases.rates(160.0) == Leases(1.0).rates(0.0)
    assert not leases.leased


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"kinds": ["objs"], "hz": 11, "seconds": 60},
        {"kinds": ["objs"], "hz": 1.5, "seconds": 60},
        {"kinds": ["objs"], "hz": 5, "seconds": LONGEST_S + 1},
        {"kinds": ["video"], "hz": 5, "seconds": 60},
        {"kinds": "objs", "hz": 5, "seconds": 60},
        {"kinds": ["objs"] * 4, "hz": 5, "seconds": 60},
        {"kinds": ["objs"], "hz": 5, "seconds": 60, "where": "abroad"},
        {"kinds": ["objs"], "hz": 5, "seconds": 60, "frames": 1},
        {"kinds": [["objs"]], "hz": 5, "seconds": 60},
    ],
)
def test_a_lease_of_anything_else_is_refused(args: dict[str, Any]) -> None:
    with pytest.raises(BadCommand, match="bad_args"):
        Leases(1.0).grant(args, 0.0)


def offer_of(data: bytes, chunk: int = 1000, **changes: Any) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {"name": "map.geojson", "size": len(data), "sha256": digest, "chunk": chunk} | changes


def send(staging: Staging, seq: int, data: bytes, size: int = 1000) -> dict[str, Any] | None:
    staged = None
    for n in range(0, len(data), size):
        staged = staging.chunk(Chunk(seq, n // size, data[n : n + size]), 0.0)
    return staged


def test_a_file_of_many_chunks_is_staged_byte_for_byte_and_described(tmp_path: Path) -> None:
    data, staging = random.Random(1).randbytes(2500), Staging(tmp_path)
    assert staging.offer(5, "map", offer_of(data), 0.0) is None
    staged = send(staging, 5, data)
    assert staged is not None
    assert staged["size"] == 2500
    (path,) = (tmp_path / "map").glob("*-map.geojson")
    assert path.read_bytes() == data
    assert staging.under_way is None


def test_a_chunk_out_of_order_changes_nothing_and_a_file_that_is_another_is_thrown_away(
    tmp_path: Path,
) -> None:
    data, staging = bytes(2500), Staging(tmp_path)
    staging.offer(5, "map", offer_of(data), 0.0)
    staging.chunk(Chunk(5, 0, data[:1000]), 0.0)
    for index in (0, 2):
        with pytest.raises(BadCommand, match="out_of_order"):
            staging.chunk(Chunk(5, index, data[:1000]), 0.0)
    staging.chunk(Chunk(5, 1, b"x" * 1000), 0.0)
    with pytest.raises(BadCommand, match="hash"):
        staging.chunk(Chunk(5, 2, data[:500]), 0.0)
    assert list((tmp_path / "map").iterdir()) == []
    with pytest.raises(BadCommand, match="no_offer"):
        staging.chunk(Chunk(5, 0, b""), 0.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": "../../etc/passwd"}, "bad_args"),
        ({"name": ".hidden"}, "bad_args"),
        ({"name": 5}, "bad_args"),
        ({"sha256": "A" * 64}, "bad_args"),
        ({"size": 0}, "bad_args"),
        ({"size": True}, "bad_args"),
        ({"chunk": 1 << 20}, "bad_args"),
        ({"size": 1 << 40}, "too_large"),
        ({"apply": True}, "bad_args"),
    ],
)
def test_an_offer_that_asks_for_too_much_is_refused(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadCommand, match=reason):
        Staging(tmp_path).offer(5, "map", offer_of(b"x") | change, 0.0)
    assert not list(tmp_path.rglob("*.part"))


def test_an_offer_that_does_not_fit_on_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging_module, "SPARE", 1 << 60)
    with pytest.raises(BadCommand, match="no_space"):
        Staging(tmp_path).offer(5, "model", offer_of(b"x"), 0.0)


def test_a_chunk_of_a_wrong_size_ends_the_offer(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.offer(5, "map", offer_of(bytes(2500)), 0.0)
    with pytest.raises(BadCommand, match="bad_chunk"):
        staging.chunk(Chunk(5, 0, bytes(999)), 0.0)
    assert staging.under_way is None


def test_an_offer_whose_chunks_stop_is_given_up_and_a_restart_leaves_no_rest(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.offer(5, "map", offer_of(bytes(2500)), 0.0)
    assert staging.silent(SILENT_S - 1) is None
    assert staging.silent(SILENT_S) == 5
    staging.offer(6, "map", offer_of(bytes(2500)), 0.0)
    assert list(tmp_path.rglob("*.part"))
    Staging(tmp_path)
    assert not list(tmp_path.rglob("*.part"))


def test_only_the_newest_staged_files_are_kept(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    for n in range(KEPT + 2):
        staging.offer(n + 1, "map", offer_of(bytes([n]) * 10), 0.0)
        assert send(staging, n + 1, bytes([n]) * 10) is not None
    assert len(list((tmp_path / "map").glob("*.geojson"))) == KEPT


def test_chunks_and_answers_survive_the_way() -> None:
    assert read_chunk(pack_chunk(Chunk(5, 2, b"abc"))) == Chunk(5, 2, b"abc")
    assert read_chunk(seal(command(), KEY)) is None
    answer = Answer(5, "refused", "replay", NOW_US, {"result": "done", "code": "ok"})
    assert unpack_answer(pack_answer(answer)) == answer
    assert SIGNED_AS.endswith(b"\0")
