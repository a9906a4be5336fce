"""Receipts: they resolve on commit, fail with a word, and what is not committed is measured."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import anyio
import pytest

from rsu_agent.outlets import outbox as outbox_module
from rsu_agent.outlets import outbox_metrics
from rsu_agent.outlets.hand_over import COMMIT_S, DELETE_S, HandOver, Job
from rsu_agent.outlets.outbox import LARGEST_RECORD, Outbox, OutboxBroken, read_numbers
from rsu_agent.outlets.receipt import NotStored, Receipt
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import Ack

QUOTA = 8 << 20


def test_a_receipt_carries_the_tag_and_resolves_when_the_record_is_on_disk(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    receipts = [outbox.append({"k": "phase", "n": n}, "lo", n) for n in range(3)]
    for receipt in receipts:
        receipt.wait(20)
        assert receipt.committed
        assert receipt
    assert [receipt.tag for receipt in receipts] == [0, 1, 2]
    assert read_numbers(tmp_path)["lo"]["produced"] == 1, "read by another connection"
    outbox.close()


@pytest.mark.anyio
async def test_a_receipt_can_be_awaited_and_giving_up_harms_nobody(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    with anyio.move_on_after(0):
        await outbox.append({"k": "phase"}, "lo")
    with anyio.fail_after(20):
        await outbox.append({"k": "phase"}, "lo")
    assert outbox.record_numbers()["lo"]["produced"] == 2
    outbox.close()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"no": "kind"}, "refused"),
        ({"k": "x", "v": object()}, "refused"),
        ({"k": "x", "v": 1 << 70}, "refused"),
        ({"k": "x", "v": "y" * (LARGEST_RECORD + 1)}, "too_big"),
    ],
)
def test_what_can_never_be_stored_fails_at_once_and_stops_nobody(
    tmp_path: Path, record: dict[str, object], reason: str
) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    receipt = outbox.append(record, "hi")
    assert not receipt
    assert receipt.reason == reason
    with pytest.raises(NotStored, match=reason):
        receipt.wait()
    outbox.append({"k": "event"}, "hi").wait(20)
    assert outbox.counters[reason] == 1
    outbox.close()


def test_a_record_larger_than_its_lane_fails_and_the_next_one_is_stored(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1 << 20)
    large = outbox.append({"k": "event", "x": "y" * 100_000}, "hi")
    with pytest.raises(NotStored, match="full"):
        large.wait(20)
    outbox.append({"k": "event"}, "hi").wait(20)
    outbox.close()


def test_receipts_of_an_outbox_that_breaks_fail_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = Outbox(tmp_path, QUOTA)

    def damaged(*_args: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(outbox._lanes["hi"], "append", damaged)
    receipt = outbox.append({"k": "event"}, "hi")
    with pytest.raises(NotStored, match="broken"):
        receipt.wait(20)
    with pytest.raises(OutboxBroken, match="gone"):
        outbox.append({"k": "event"}, "hi")
    outbox.close()


def test_handing_over_waits_for_no_disk(tmp_path: Path) -> None:
    """The writer is held up for as long as the test wants: producers do not notice."""
    told, go_on, took_s = threading.Event(), threading.Event(), list[float]()

    def committed(_tags: list[int]) -> None:
        told.set()
        go_on.wait()

    outbox = Outbox(tmp_path, QUOTA, committed)
    outbox.append({"k": "event"}, "hi")
    assert told.wait(20)
    with outbox._lock:  # as while a transaction is being synced
        for n in range(2000):
            began_s = time.thread_time()
            assert outbox.append({"k": "event", "n": n}, "hi")
            took_s.append(time.thread_time() - began_s)
    go_on.set()
    outbox.close()
    assert sorted(took_s)[int(0.99 * len(took_s))] < 0.005


def test_what_a_kill_would_cost_is_measured_and_below_the_window(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    for n in range(10):
        receipt = outbox.append({"k": "phase", "n": n}, "lo")
    receipt.wait(20)
    outbox.append({"k": "event"}, "hi").wait(20)
    worst = outbox.uncommitted_max()
    outbox.close()
    assert 1 <= worst["lo"]["records"] <= 10
    assert worst["lo"]["ms"] >= COMMIT_S * 1e3
    assert worst["hi"]["records"] == 1
    assert 2 * COMMIT_S <= 0.2, "half of the window is left for the disk"


def test_a_hand_over_is_due_when_the_first_is_old_many_wait_or_one_is_urgent() -> None:
    hand_over, now_s = HandOver(1000), time.monotonic()

    def job(lane: str, handed_s: float) -> Job:
        return Job(lane, "x", b"", Receipt(), handed_s)

    assert hand_over._due_s() == float("inf")
    hand_over.put(job("lo", now_s))
    assert hand_over._due_s() == pytest.approx(now_s + COMMIT_S)
    hand_over.heard(Ack(1, "lo", 1))
    hand_over.heard(Ack(1, "lo", 2))
    hand_over.put(job("hi", now_s))
    work = hand_over.take()
    assert work is not None
    assert [len(work.jobs), [ack.contiguous for ack in work.words]] == [2, [2]]
    hand_over.put_back(work.jobs)
    assert not hand_over.empty
    assert hand_over._due_s() > time.monotonic() + 0.5, "after a refusal the disk gets a rest"
    assert DELETE_S < 0.5


def test_the_metrics_tell_the_sum_by_lane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "HAND_OVER", 4)
    outbox = Outbox(tmp_path, QUOTA, site="s")
    for n in range(3):
        outbox.append({"k": "phase", "n": n}, "lo").wait(20)
    outbox.acknowledge(Ack(outbox.epoch("lo"), "lo", 1))
    uplink = Uplink(outbox, None, "p", "s", SystemClock())  # type: ignore[arg-type]
    outbox_metrics.tell(outbox, uplink)

    def told(what: str) -> float:
        return outbox_metrics.RECORDS.labels("lo", what)._value.get()

    assert [told(what) for what in outbox_metrics.WHAT] == [3, 1, 2, 0, 0, 0]
    assert outbox_metrics.STATE.labels("starting")._value.get() == 1
    assert outbox_metrics.WELL._value.get() == 1
    assert outbox_metrics.UNCOMMITTED_S.labels("lo")._value.get() > 0
    outbox.close()
