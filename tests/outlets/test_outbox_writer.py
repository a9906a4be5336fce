"""The outbox's writer thread: what it commits together, what it gives up, and how it fails."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.outlets import outbox as outbox_module
from rsu_agent.outlets.hand_over import COMMIT_RECORDS
from rsu_agent.outlets.outbox import MOST_HELD, Outbox, OutboxBroken, Windows, read_numbers
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.ports.envelope import Ack

QUOTA = 8 << 20


def until(true: Any, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)


def test_records_of_the_low_lane_that_come_together_share_a_row(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    for n in range(COMMIT_RECORDS):
        assert outbox.append({"k": "phase", "n": n}, "lo")
    until(lambda: outbox.settled)
    rows = outbox.after("lo", 0, 1000)
    outbox.close()
    assert [record["n"] for _, records in rows for record in records] == list(range(COMMIT_RECORDS))
    assert len(rows) < COMMIT_RECORDS


def test_a_trickle_of_records_does_not_put_off_the_commit(tmp_path: Path) -> None:
    """Records that came every few milliseconds used to lengthen the wait up to 64 of them."""
    commits: list[list[int]] = []
    outbox = Outbox(tmp_path, QUOTA, commits.append)
    number = 0
    while not commits:
        number += 1
        assert number < COMMIT_RECORDS, "the first commit waited for a full batch"
        outbox.append({"k": "phase"}, "lo", number)
        time.sleep(0.03)
    outbox.close()


def test_a_record_of_the_high_lane_takes_those_before_it_to_disk_at_once(tmp_path: Path) -> None:
    commits: list[list[int]] = []
    outbox = Outbox(tmp_path, QUOTA, commits.append)
    outbox.append({"k": "phase"}, "lo", 1)
    outbox.append({"k": "event"}, "hi", 2)
    until(lambda: len(commits) == 2)
    outbox.close()
    assert sorted(commits) == [[1], [2]]


def test_closing_commits_what_was_handed_over(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    for n in range(500):
        assert outbox.append({"k": "phase", "n": n}, "lo" if n % 7 else "hi")
    outbox.close()
    again = Outbox(tmp_path, QUOTA)
    stored = [r["n"] for lane in ("hi", "lo") for _, records in again.after(lane, 0, 1000) for r in records]
    again.close()
    assert sorted(stored) == list(range(500))


def test_a_locked_file_costs_no_row_and_ends_the_process_that_cannot_store(tmp_path: Path) -> None:
    """Only a full lane may give up rows: any other trouble of the database used to cost 200 of them."""
    outbox = Outbox(tmp_path, QUOTA)
    outbox.append({"k": "event"}, "hi")
    until(lambda: outbox.settled)
    with sqlite3.connect(tmp_path / "hi.sqlite", isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        outbox.append({"k": "event"}, "hi")
        until(lambda: not outbox._thread.is_alive())
        holder.execute("ROLLBACK")
    with pytest.raises(OutboxBroken, match="locked"):
        outbox.append({"k": "event"}, "hi")
    numbers = read_numbers(tmp_path)["hi"]
    assert (numbers["queued"], numbers["dropped"]) == (1, 0)


def test_what_arrives_faster_than_the_disk_takes_it_is_refused_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "HAND_OVER", 100)
    told, go_on = threading.Event(), threading.Event()

    def committed(_tags: list[int]) -> None:
        told.set()
        go_on.wait()

    outbox = Outbox(tmp_path, QUOTA, committed)
    outbox.append({"k": "event"}, "hi")
    assert told.wait(30)
    taken = 0
    while outbox.append({"k": "event"}, "hi"):
        taken += 1
    assert (taken, outbox.overflowed) == (100, 1)
    go_on.set()
    outbox.close()
    assert read_numbers(tmp_path)["hi"]["produced"] == 1 + taken


@pytest.mark.parametrize("epoch_off", [1, -1])
def test_an_acknowledgement_for_another_disk_deletes_nothing(tmp_path: Path, epoch_off: int) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    outbox.append({"k": "event"}, "hi")
    until(lambda: outbox.settled)
    assert outbox.acknowledge(Ack(outbox.epoch("hi") + epoch_off, "hi", 100)) == 0
    assert outbox.acknowledge(Ack(outbox.epoch("hi"), "no lane", 100)) == 0
    assert outbox.acknowledge(Ack(outbox.epoch("hi"), "hi", 100)) == 1
    outbox.close()


def test_records_wait_on_disk_for_company_and_share_an_envelope_a_shelf(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA, site="s", windows=Windows(live_s=0.3, away_s=600.0))
    for n in range(5):
        outbox.append({"k": "phase" if n % 2 else "hb", "n": n}, "lo").wait(20)
    assert (outbox.held, outbox.last("lo")) == (5, 0)
    assert outbox.record_numbers()["lo"]["produced"] == outbox.record_numbers()["lo"]["queued"] == 5
    outbox.listened_to(True)
    until(lambda: outbox.last("lo") == 2)
    assert [[r["n"] for r in records] for _, records in outbox.after("lo", 0, 9)] == [[0, 2, 4], [1, 3]]
    outbox.append({"k": "phase", "n": 9}, "lo").wait(20)
    until(lambda: outbox.last("lo") == 3)
    assert outbox.record_numbers()["lo"]["queued"] == 6
    outbox.close()


def test_what_waits_is_sealed_at_the_end_at_the_next_start_and_when_much_waits(tmp_path: Path) -> None:
    forever = Windows(600.0, 600.0)
    outbox = Outbox(tmp_path, QUOTA, site="s", windows=forever)
    outbox.append({"k": "phase", "n": 1}, "lo").wait(20)
    outbox.close()
    assert read_numbers(tmp_path)["lo"]["queued"] == 1
    lane = Lane(tmp_path / "lo.sqlite", QUOTA, "s")
    lane.hold([("phase", b"\x81\xa1k\xa5phase")])  # and a kill
    lane.close()
    outbox = Outbox(tmp_path, QUOTA, site="s", windows=forever)
    assert outbox.last("lo") == 2
    for n in range(MOST_HELD):
        receipt = outbox.append({"k": "phase", "n": n}, "lo")
    receipt.wait(20)
    until(lambda: outbox.last("lo") > 2)
    outbox.close()
