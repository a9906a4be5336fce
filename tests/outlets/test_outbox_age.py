"""What has been kept as long as it may goes, declared; an untrusted clock makes nothing old."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from rsu_agent.outlets import outbox as outbox_module
from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.outbox_age import DAY_US, days_of, forget_dead, let_go_of_old
from rsu_agent.outlets.outbox_clock import HOLD_S
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_room import gap_row
from rsu_agent.outlets.outbox_seal import grouped, records_of
from rsu_agent.ports.envelope import unpack_envelope
from tests.web.made_up import until

NOW_US = time.time_ns() // 1000
SITE = "site-1"


def lane_of(folder: Path, kinds: list[str], clock_s: float | None = 0.01) -> Lane:
    lane = Lane(folder / "lo.sqlite", 1 << 20, SITE)
    lane.clock.told(clock_s)
    for kind in kinds:
        lane.append(grouped([(kind, b"\x81\xa1k" + bytes([0xA0 + len(kind)]) + kind.encode())], alone=True))
    return lane


def held(lane: Lane) -> list[dict[str, Any]]:
    return [record for _, body in lane.after(0, 100) for record in records_of(body)]


def test_days_are_those_of_the_table_and_of_several_kinds_the_shortest() -> None:
    kinds = ("flow", "audit", "audit+flow", "of-tomorrow", "birth", "birth+flow")
    assert [days_of(kind) for kind in kinds] == [30, 180, 30, 30, None, 30]


def test_what_is_past_its_days_goes_and_is_declared(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["flow", "audit", "phase"])
    assert let_go_of_old(lane, "lo", NOW_US + 29 * DAY_US) == (0, 0)
    assert let_go_of_old(lane, "lo", NOW_US + 31 * DAY_US) == (2, 0)
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
    assert let_go_of_old(lane, "lo", NOW_US + 31 * DAY_US) == (2, 0)
    [gap] = held(lane)
    assert (gap["from"], gap["to"], gap["n"], gap["why"]) == (1, 3, 3, "age")
    lane.close()


def test_what_was_written_under_an_untrusted_clock_has_no_age(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["flow", "flow"], clock_s=None)
    assert let_go_of_old(lane, "lo", NOW_US + 3650 * DAY_US) == (0, 0)
    lane.close()


def test_many_go_piece_by_piece_and_what_may_stay_longer_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = lane_of(tmp_path, ["audit"] * 250 + ["hb"] * 350)
    Hands(monkeypatch).days = 40
    at_us, after, counts = NOW_US + 40 * DAY_US, 0, []
    while not counts or after:
        gone, after = let_go_of_old(lane, "lo", at_us, after)
        counts.append(gone)
    assert counts == [0, 150, 200, 0]
    assert {row.kind for row in lane.lowest(1000)} == {"audit", "gap"}
    assert lane.numbers().dropped == 350
    lane.close()


def test_what_tells_of_loss_and_has_no_number_stays_until_it_is_acknowledged(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["birth", "lost", "flow"])
    assert let_go_of_old(lane, "lo", NOW_US + 365 * DAY_US) == (1, 0)
    assert [record["k"] for record in held(lane)] == ["birth", "lost", "gap"]
    lane.close()


def test_what_was_refused_is_not_kept_longer_than_anything_and_stays_counted(tmp_path: Path) -> None:
    lane = lane_of(tmp_path, ["flow", "audit"])
    lane.bury([(1, "invalid"), (2, "invalid")])
    assert forget_dead(lane, NOW_US + 29 * DAY_US) == 0
    assert forget_dead(lane, NOW_US + 31 * DAY_US) == 1
    assert [seq for seq, _ in lane.dead()] == [2]
    assert lane.numbers().dead == 2
    lane.close()


@pytest.mark.parametrize("rotten", [b"\x89\xa1", b"\x28\xb5\x2f\xfd\0", b"\xc1", b"\x81\xa1r\x07"])
def test_what_has_rotted_on_the_disk_has_no_age_and_stops_nobody(tmp_path: Path, rotten: bytes) -> None:
    lane = lane_of(tmp_path, ["flow"] * 3)
    lane._db.execute("UPDATE queue SET body = ? WHERE seq < 3", (rotten,))
    lane.bury([(1, "unreadable")])
    assert forget_dead(lane, NOW_US + 31 * DAY_US) == 0
    assert let_go_of_old(lane, "lo", NOW_US + 31 * DAY_US) == (1, 0)
    assert [row.kind for row in lane.lowest(9)] == ["flow", "gap"]
    lane.close()


class Hands:
    """Clocks that a test turns: UTC in days, monotonic in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.days, self.later_s = 0.0, 0.0
        real_ns, real_s = time.time_ns, time.monotonic
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + round(self.days * DAY_US * 1000))
        monkeypatch.setattr(time, "monotonic", lambda: real_s() + self.later_s)

    def pass_s(self, seconds: float) -> None:
        self.later_s += seconds
        self.days += seconds / 86_400


def written(outbox: Outbox) -> None:
    """The writer has been at work."""
    outbox.append({"k": "event", "t": NOW_US}, "hi").wait(10)


def test_a_real_age_is_an_age_once_no_step_can_hide_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(monkeypatch)
    for day in (0, 20, 40):
        outbox = Outbox(tmp_path, 1 << 20, site=SITE)
        outbox.clock_told(0.02)
        written(outbox)
        assert outbox.numbers()["hi"]["dropped"] == 0, "the start may have followed on a step"
        hands.pass_s(HOLD_S)
        outbox.clock_told(0.02)
        written(outbox)
        if day == 40:
            until(lambda: outbox.numbers()["hi"]["dropped"] == 2)  # noqa: B023
            assert outbox.trouble == "dropping_hi"
        outbox.close()
        hands.pass_s(20 * 86_400)
    assert read_numbers(tmp_path)["hi"]["dropped"] == 2


@pytest.mark.parametrize("bound_s", [0.02, None])
@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumps_deletes_nothing_be_it_trusted_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, years: int, bound_s: float | None
) -> None:
    """Ten years back, and what is written then would be ten years old as soon as the clock is right again."""
    monkeypatch.setattr(outbox_module, "AGE_EVERY_S", 0.0)
    hands = Hands(monkeypatch)
    outbox = Outbox(tmp_path, 1 << 20, site=SITE)
    outbox.clock_told(0.02)
    hands.pass_s(HOLD_S)
    written(outbox)
    for days in (years * 365, 0):
        hands.days = days
        outbox.clock_told(bound_s)
        for _ in range(3):
            written(outbox)
    bounds = [unpack_envelope(body).clock_bound_s for _, body in outbox.envelopes("hi", 0, 10, SITE)]
    assert bounds == [0.02] + [None] * 6
    hands.pass_s(HOLD_S)
    outbox.clock_told(0.02)
    written(outbox)
    outbox.close()
    assert read_numbers(tmp_path)["hi"] | {"epoch": 0} == {
        "epoch": 0,
        "produced": 8,
        "queued": 8,
        "acknowledged": 0,
        "dropped": 0,
        "dead": 0,
        "rolled": 0,
    }
