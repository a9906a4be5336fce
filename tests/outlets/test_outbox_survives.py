"""What the outbox outlives: deaths at every point, power cuts, damage, other disks, full disks, clocks."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import pytest

from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.outbox_file import ASIDE, FRAME_BYTES, aside_bytes
from rsu_agent.outlets.outbox_lane import Lane, read_lane
from rsu_agent.outlets.outbox_seal import Row, records_of
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.ports.chaos_point import VARIABLE
from rsu_agent.ports.envelope import Ack

QUOTA = 8 << 20
BIRTH = {"ver": "1.2.3", "cfg": "ab" * 32}


def rows(count: int, size: int = 300) -> list[Row]:
    return [
        Row(Shelf.LOG, "phase", (msgpack.packb({"k": "phase", "n": n, "x": "y" * size}),))
        for n in range(count)
    ]


def all_records(outbox: Outbox, lane: str) -> list[dict[str, Any]]:
    return [record for _, records in outbox.after(lane, 0, 100_000) for record in records]


def births(folder: Path) -> dict[str, dict[str, Any]]:
    """Start once; the last birth of each lane."""
    outbox = Outbox(folder, QUOTA, site="s", birth=BIRTH)
    told = {lane: [r for r in all_records(outbox, lane) if r["k"] == "birth"][-1] for lane in ("hi", "lo")}
    outbox.close()
    return told


def test_every_start_begins_with_a_birth_that_tells_versions_and_the_epoch(tmp_path: Path) -> None:
    first, second = births(tmp_path), births(tmp_path)
    for lane in ("hi", "lo"):
        told = first[lane]
        assert (told["why"], told["pe"], told["pq"], told["l"]) == ("new", None, None, lane)
        assert told.items() >= BIRTH.items()
        assert second[lane]["why"] == "start"
        assert second[lane]["e"] == told["e"]
    outbox = Outbox(tmp_path, QUOTA)
    assert [record["k"] for record in all_records(outbox, "hi")] == ["birth", "birth"]
    outbox.close()


def test_a_lost_file_begins_a_new_epoch_that_knows_the_one_before(tmp_path: Path) -> None:
    before = births(tmp_path)
    for path in tmp_path.glob("lo.sqlite*"):
        if not path.name.endswith(".epoch"):
            path.unlink()
    after = births(tmp_path)
    assert after["hi"]["e"] == before["hi"]["e"]
    assert after["lo"]["e"] != before["lo"]["e"]
    assert (after["lo"]["why"], after["lo"]["pe"], after["lo"]["pq"]) == ("new", before["lo"]["e"], None)


def test_a_replaced_disk_is_another_epoch_and_nobody_knows_the_one_before(tmp_path: Path) -> None:
    before = births(tmp_path / "old")
    after = births(tmp_path / "new")
    assert {told["e"] for told in before.values()}.isdisjoint(told["e"] for told in after.values())
    assert [told["pe"] for told in after.values()] == [None, None]


def test_a_file_of_another_disk_in_its_place_is_told_with_the_epoch_before(tmp_path: Path) -> None:
    here, other = births(tmp_path / "here"), births(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "lo.sqlite", tmp_path / "here" / "lo.sqlite")
    told = births(tmp_path / "here")["lo"]
    assert (told["e"], told["pe"]) == (other["lo"]["e"], here["lo"]["e"])


def test_what_another_crossing_has_filled_is_neither_sent_as_ours_nor_forgotten(tmp_path: Path) -> None:
    old = Outbox(tmp_path, QUOTA, site="site-1", birth={"ver": "1"})
    old.append({"k": "event", "n": 1}, "hi").wait(10)
    epoch, last = old.epoch("hi"), old.last("hi")
    old.close()
    same = Outbox(tmp_path, QUOTA, site="site-1")
    assert same.epoch("hi") == epoch
    same.close()
    moved = Outbox(tmp_path, QUOTA, site="site-2", birth={"ver": "1"})
    assert moved.epoch("hi") != epoch
    [(_, [birth])] = moved.after("hi", 0, 10)
    assert (birth["why"], birth["pe"], birth["pq"]) == ("site", epoch, last)
    moved.close()
    assert Path(f"{tmp_path}/hi.sqlite{ASIDE}").exists(), "kept for whoever wants to look"


def test_what_is_set_aside_counts_in_the_share_and_is_not_kept_when_it_is_large(tmp_path: Path) -> None:
    for size, kept in ((20_000, True), (80_000, False)):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "hi.sqlite").write_bytes(b"x" * size)
        lane = Lane(folder / "hi.sqlite", 256 << 10, "site-1")
        assert lane.begun.why == "damaged"
        assert aside_bytes(folder / "hi.sqlite") == (size if kept else 0)
        with_it, without = lane.room_bytes, Lane(folder / "other.sqlite", 256 << 10, "site-1").room_bytes
        assert (without - with_it >= size // 2) is kept, "less of it for the file, and for its -wal"
        lane.close()


@pytest.mark.parametrize("damage", ["head", "pages", "noise", "cut"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begins(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    lane = Lane(tmp_path / "lo.sqlite", QUOTA)
    lane.append(rows(300))
    epoch = lane.epoch
    lane.close()
    path = tmp_path / "lo.sqlite"
    data = bytearray(path.read_bytes())
    match damage:
        case "head":
            data[:100] = bytes(100)
        case "pages":
            for at in range(6 * 4096, len(data), 8192):
                data[at : at + 4096] = bytes(4096)
        case "noise":
            data = bytearray(os.urandom(40_000))
        case _:
            data = data[: len(data) // 2]
    path.write_bytes(data)
    told = births(tmp_path)["lo"]
    assert (told["why"], told["pe"]) == ("damaged", epoch)
    assert told["pq"] in (None, 300)
    assert told["e"] != epoch
    assert Path(f"{path}{ASIDE}").read_bytes() == data, "kept for whoever wants to look"
    assert "set aside" in caplog.text


def test_a_step_of_the_clock_changes_neither_order_nor_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane, numbers = Lane(tmp_path / "lo.sqlite", QUOTA, "s"), []
    for stamp in (10**18, 1, 2 * 10**18, 5):
        monkeypatch.setattr("rsu_agent.outlets.outbox_lane.time.time_ns", lambda stamp=stamp: stamp)
        numbers += lane.append(rows(1))
    assert numbers == [seq for seq, _ in lane.after(0, 10)] == [1, 2, 3, 4]
    lane.acknowledge(2, [])
    assert [seq for seq, _ in lane.after(0, 10)] == [3, 4]
    lane.close()


WRITER = """
import sys
from pathlib import Path
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.ports.chaos_point import chaos_point
from rsu_agent.ports.envelope import Ack
outbox, said = Outbox(Path(sys.argv[1]), 8 << 20, site="s"), open(sys.argv[2], "a", buffering=1)
for n in range(int(sys.argv[3]), int(sys.argv[3]) + 400):
    receipt = outbox.append({"k": "event", "n": n}, "hi")
    receipt.wait(20)
    said.write(f"{n}\\n")
    if n % 5 == 0:
        outbox.acknowledge(Ack(outbox.epoch("hi"), "hi", 0, ((outbox.last("hi"), outbox.last("hi")),)))
        said.write(f"{-n}\\n")
"""


@pytest.mark.parametrize("point", ["append:40", "append:1", "commit:40", "commit:1", "delete:1", "delete:20"])
def test_a_kill_at_a_named_point_costs_nothing_that_a_receipt_was_given_for(
    tmp_path: Path, point: str
) -> None:
    said, first = tmp_path / "said", 1
    for _ in range(2):
        env = {**os.environ, VARIABLE: point}
        command = [sys.executable, "-c", WRITER, str(tmp_path / "box"), str(said), str(first)]
        assert subprocess.run(command, env=env, check=False, timeout=60).returncode == -9
        first += 1000
    told = {int(line) for line in said.read_text().split()}
    outbox = Outbox(tmp_path / "box", QUOTA)
    held = {record["n"] for record in all_records(outbox, "hi")}
    numbers = outbox.numbers()["hi"]
    outbox.close()
    promised = {n for n in told if n > 0 and -n not in told}
    assert {n for n in promised - held if n % 5} == set()
    assert len(promised - held) <= 2, "only a row whose deletion was under way may be gone"
    assert numbers["produced"] == numbers["acknowledged"] + numbers["queued"]
    assert read_lane(tmp_path / "box" / "hi.sqlite")[0].queued == len(held)


def test_a_power_cut_after_any_synced_write_leaves_a_whole_number_of_commits(tmp_path: Path) -> None:
    """Every state of the disk that synchronous=FULL lets a cut leave while the -wal file grows.

    The -wal file is appended to and synced once a commit, the database itself does not change until a
    checkpoint: so the states are the prefixes of the -wal file, cut between frames and within them. A commit
    whose sync had returned must be there, whole; what came after must be absent, whole.
    """
    path, work = tmp_path / "lo.sqlite", tmp_path / "cut"
    lane, ends = Lane(path, 64 << 20, "s"), [(0, 0, 0)]
    wal = Path(f"{path}-wal")
    ends[0] = wal.stat().st_size, 0, 0
    for n in range(1, 25):
        lane.append(rows(1 + n % 4, 100 * n))
        if n % 6 == 0:
            ends.append((wal.stat().st_size, lane.numbers().produced, lane.numbers().queued))
            lane.acknowledge(n // 2, [])
        ends.append((wal.stat().st_size, lane.numbers().produced, lane.numbers().queued))
    database, written = path.read_bytes(), wal.read_bytes()
    lane.close()
    assert all(later[0] > earlier[0] for earlier, later in pairwise(ends)), "each commit is a longer file"
    cuts = range(ends[0][0], len(written) + 1, FRAME_BYTES)
    for cut in [at + torn for at in cuts for torn in (0, 24 + 2048) if at + torn <= len(written)]:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / path.name).write_bytes(database)
        (work / wal.name).write_bytes(written[:cut])
        synced = [end for end in ends if end[0] <= cut][-1]
        after = Lane(work / path.name, 64 << 20, "s")
        numbers = after.numbers()
        assert (numbers.produced, numbers.queued) == synced[1:]
        assert after.recounted()[0] == numbers.queued
        assert after.begun.why == "start"
        assert after.append(rows(1)) == [numbers.produced + 1]
        after.close()


@pytest.mark.parametrize("quota", [1 << 20, 4 << 20])
def test_database_and_wal_file_together_keep_the_quota(tmp_path: Path, quota: int) -> None:
    outbox, most = Outbox(tmp_path, quota, site="s"), 0
    for n in range(3 * quota // 1000):
        receipt = outbox.append({"k": "phase", "n": n, "x": os.urandom(500).hex()}, "lo" if n % 8 else "hi")
        if n % 200 == 0:
            receipt.wait(20)
            most = max(
                most, sum(file.stat().st_size for file in tmp_path.iterdir() if file.suffix != ".sqlite-shm")
            )
    outbox.close()
    assert quota // 2 < most <= quota
    for lane in read_numbers(tmp_path).values():
        assert lane["dropped"] > 0


NO_ROOM = """
import os, sys, time
from pathlib import Path
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.receipt import NotStored
folder = Path(sys.argv[1])
outbox = Outbox(folder / "box", 64 << 20, site="s")
stored = 0
ballast = open(folder / "ballast", "wb")
try:
    while True:
        ballast.write(os.urandom(4096)); ballast.flush()
        if stored < 40:
            outbox.append({"k": "event", "n": stored, "x": "y" * 500}, "hi").wait(20); stored += 1
except OSError:
    pass
for n in range(stored, 3000):
    receipt = outbox.append({"k": "event", "n": n, "x": os.urandom(300).hex()}, "hi")
    try:
        receipt.wait(0.5 if outbox.trouble == "disk" else 20)
    except TimeoutError:
        break
trouble = outbox.trouble
os.unlink(folder / "ballast"); ballast.close()
receipt.wait(20)
last = outbox.append({"k": "event", "n": -1}, "hi"); last.wait(20)
numbers = outbox.numbers()["hi"]
declared = sum(r["n"] for _, rs in outbox.after("hi", 0, 10**6) for r in rs if r["k"] == "gap")
held = [r["n"] for _, rs in outbox.after("hi", 0, 10**6) for r in rs if r["k"] == "event"]
outbox.close()
print(trouble, numbers["produced"], numbers["queued"], numbers["dropped"], declared, held[-1], n)
"""


def test_a_full_disk_costs_only_what_is_declared_and_is_outlived(tmp_path: Path) -> None:
    """A real ENOSPC: a file system of 3 MB in a mount namespace, filled by somebody else."""
    mount = f'mount -t tmpfs -o size=3m none {tmp_path} && exec {sys.executable} -c "$0" {tmp_path}'
    command = ["unshare", "-rm", "sh", "-c", mount, NO_ROOM]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no mount namespace can be made here: unshare -rm fails")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    trouble, *counts = ended.stdout.split()
    produced, queued, dropped, declared, last, reached = map(int, counts)
    assert trouble in ("dropping_hi", "disk"), "it is told"
    assert produced == queued + dropped
    assert declared == dropped
    assert last == -1, "with room again, records come in as before"
    assert reached > 40


def test_an_acknowledgement_by_the_writer_is_one_transaction_for_many_words(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA, site="s")
    for n in range(50):
        receipt = outbox.append({"k": "event", "n": n}, "hi")
    receipt.wait(20)
    for seq in range(1, 40):
        refused = ((40, "x"),) if seq == 39 else ()
        outbox.acknowledge_soon(Ack(outbox.epoch("hi"), "hi", seq, ((45, 45),), refused))
    outbox.close()
    numbers = read_numbers(tmp_path)["hi"]
    assert (numbers["acknowledged"], numbers["dead"], numbers["queued"]) == (40, 1, 9)


def test_a_file_of_the_first_layout_is_taken_over_with_its_rows_and_numbers(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "lo.sqlite") as db:
        db.executescript(
            "CREATE TABLE queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, "
            "kind TEXT NOT NULL, body BLOB NOT NULL);"
            "CREATE TABLE dead (seq INTEGER PRIMARY KEY, code TEXT NOT NULL, body BLOB NOT NULL);"
            "CREATE TABLE counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
            "INSERT INTO counts VALUES ('epoch', 77), ('acknowledged', 1)"
        )
        for n in range(4):
            db.execute(
                "INSERT INTO queue (kind, body) VALUES ('phase', ?)",
                (msgpack.packb([{"k": "phase", "n": n}]),),
            )
        db.execute("DELETE FROM queue WHERE seq = 1")
    db.close()
    lane = Lane(tmp_path / "lo.sqlite", QUOTA, "s")
    numbers = lane.numbers()
    assert (lane.epoch, numbers.produced, numbers.acknowledged, numbers.queued) == (77, 4, 1, 3)
    assert [records_of(body)[0]["n"] for _, body in lane.after(0, 9)] == [1, 2, 3]
    assert lane.append(rows(1)) == [5]
    lane.close()
