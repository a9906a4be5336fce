"""What has been kept as long as it may goes, declared; an untrusted clock makes nothing old."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.outlets import outbox as outbox_module
from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.outbox_age import DAY_US, days_of, let_go_of_old
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_room import gap_row
from rsu_agent.outlets.outbox_seal import grouped, records_of
from rsu_agent.ports.envelope import unpack_envelope
from tests.web.made_up import until

NOW_US = time.time_ns() // 1000
SITE = "site-1"


def lane_of(folder: Path, kinds: list[str], clock_s: float | None = 0.01) -> Lane:
    lane = Lane(folder / "lo.sqlite", 1 << 20, SITE)
    lane.clock_s = clock_s
    for kind in kinds:
        lane.append(grouped([(kind, b"\x81\xa1k" + bytes([0xA0 + len(kind)]) + kind.encode())], alone=True))
    return lane


def held(lane: Lane) -> list[dict[str, Any]]:
    return [record for _, body in lane.after(0, 100) for record in records_of(body)]


def test_days_are_those_of_the_table_and_of_several_kinds_the_shortest() -> None:
    assert (days_of("flow"), days_of("audit"), days_of("audit+flow"), days_of("of-tomorrow")) == (
        30,
        180,
        30,
        30,
    )


def test_what_is_past_its_days_goes_and_is_declared(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["flow", "audit", "phase"])
    assert let_go_of_old(lane, "lo", NOW_US + 29 * DAY_US) == 0
    assert let_go_of_old(lane, "lo", NOW_US + 31 * DAY_US) == 2
    assert [record["k"] for record in held(lane)] == ["audit", "gap", "gap"]
    gaps = held(lane)[1:]
    assert [(gap["from"], gap["to"], gap["why"], gap["kd"]) for gap in gaps] == [
        (1, 1, "age", "flow+phase"),
        (3, 3, "age", "flow+phase"),
    ]
    numbers = lane.numbers()
    assert (numbers.produced, numbers.queued, numbers.dropped) == (4, 2, 2)
    lane.close()


def test_what_a_gap_declared_is_declared_anew_when_the_gap_goes(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["phase", "phase"])
    lane.replace([(1, 1)], "dropped", [gap_row("lo", [(1, 1)], "full", ["phase"])])
    assert let_go_of_old(lane, "lo", NOW_US + 31 * DAY_US) == 2
    [gap] = held(lane)
    assert (gap["from"], gap["to"], gap["n"], gap["why"]) == (1, 3, 3, "age")
    lane.close()


def test_what_was_written_under_an_untrusted_clock_has_no_age(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["flow", "flow"], clock_s=None)
    assert let_go_of_old(lane, "lo", NOW_US + 3650 * DAY_US) == 0
    lane.close()


def test_many_go_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lane = lane_of(tmp_path, ["hb"] * 450)
    monkeypatch.setattr(time, "time_ns", lambda: (NOW_US + 40 * DAY_US) * 1000)
    counts = [let_go_of_old(lane, "lo", NOW_US + 40 * DAY_US) for _ in range(4)]
    assert counts == [200, 200, 50, 0]
    lane.close()


@pytest.mark.parametrize("trusted", [True, False])
def test_a_clock_that_jumps_ten_years_ahead_deletes_only_where_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    monkeypatch.setattr(outbox_module, "AGE_EVERY_S", 0.0)
    outbox = Outbox(tmp_path, 1 << 20, site=SITE)
    outbox.clock_told(0.02)
    outbox.append({"k": "event", "t": NOW_US}, "hi").wait(10)
    [(_, payload)] = outbox.envelopes("hi", 0, 10, SITE)
    assert unpack_envelope(payload).clock_bound_s == 0.02
    outbox.clock_told(0.02 if trusted else None)
    real_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real_ns() + 3650 * DAY_US * 1000)
    outbox.append({"k": "event", "t": NOW_US}, "hi").wait(10)  # the writer has been at work
    if trusted:
        until(lambda: outbox.numbers()["hi"]["dropped"] == 1)
        assert outbox.trouble == "dropping_hi"
    outbox.close()
    assert read_numbers(tmp_path)["hi"]["dropped"] == trusted
