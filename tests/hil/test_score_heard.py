"""Vehicles that send BSMs, scored in RSMs: logs made by hand, so that each figure is known beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hil.devices.vehicle_codec import _frame_type
from hil.score.heard import Entry, Sender, cycles_of, heard_figures, score_heard, senders
from hil.score.tracks import TruthUsers, truth_users
from hil.truth import TruthLog
from hil.world.make_crossing import to_lonlat

T0, SECONDS = 100.0, 10.0
ID, OTHER, GHOST = ("01" * 8, "02" * 8, "ff" * 8)
FIRST = {"lie": False, "again": False}


def row(number: int, x: float, y: float) -> dict[str, Any]:
    return {"id": number, "cls": "car", "x": x, "y": y, "vx": 0.0, "vy": 0.0, "seen": {}}


def road(*users: dict[str, Any], until_s: float = SECONDS + 1) -> TruthUsers:
    """The same users twenty times a second."""
    return truth_users(
        [{"t": T0 + n / 20, "users": list(users)} for n in range(round(until_s * 20))], set(), set()
    )


def bsms(number: int | None, sender: str, *, to_s: float = SECONDS, **more: Any) -> list[dict[str, Any]]:
    """What the log says of a sender, once a second from T0 on."""
    place = {"x": 0.0, "y": 0.0, **more}
    return [{"t": T0 + n, "user": number, "id": sender, **FIRST, **place} for n in range(round(to_s))]


def said(x: float, y: float = 0.0, number: str | None = None, source: str = "integrated") -> dict[str, Any]:
    return {"x_m": x, "y_m": y, "id": number, "source": source}


def figures(
    truth: TruthUsers, sent: list[dict[str, Any]], *entries: dict[str, Any], to_s: float = SECONDS
) -> dict[str, Any]:
    """Of the same entries ten times a second."""
    times = [T0 + n / 10 for n in range(round(to_s * 10))]
    cycles = [(t, [Entry(**entry, at_s=t) for entry in entries]) for t in times]
    return score_heard(cycles, senders(sent), truth, T0, T0 + to_s)


def test_an_entry_counts_three_seconds_after_the_first_bsm_and_carries_the_id_or_not() -> None:
    truth = road(row(1, 0, 0), row(2, 20, 0))
    with_id = figures(truth, bsms(1, ID), said(0.5, number=ID), said(20))
    assert with_id == {
        "id_share": 1.0, "id_entries": 70, "wrong_ids": 0, "v2x_alone": 0, "ghost_entries": 0
    }  # fmt: skip
    assert figures(truth, bsms(1, ID), said(0.5), said(20))["id_share"] == 0.0
    assert figures(truth, bsms(1, ID), said(0.5, number=OTHER))["id_share"] == 0.0
    both = figures(truth, bsms(1, ID) + bsms(2, OTHER), said(0.5, number=ID), said(20))
    assert (both["id_share"], both["id_entries"]) == (0.5, 140)


def test_who_is_far_from_its_entry_or_has_no_entry_is_not_counted() -> None:
    truth = road(row(1, 0, 0))
    assert figures(truth, bsms(1, ID), said(2.3, number=ID))["id_entries"] == 0
    assert figures(truth, bsms(1, ID), said(1.9, number=ID))["id_share"] == 1.0
    assert figures(truth, bsms(1, ID))["id_share"] is None


def test_a_neighbours_entry_is_not_the_senders() -> None:
    truth = road(row(1, 0, 0), row(2, 2.2, 0))
    found = figures(truth, bsms(1, ID), said(0.3, number=ID), said(1.9))
    assert (found["id_share"], found["id_entries"]) == (1.0, 70), "1.9 m away, but the other one's"


def test_who_has_fallen_silent_or_has_lied_is_no_longer_owed_its_id() -> None:
    truth = road(row(1, 0, 0))
    silent = figures(truth, bsms(1, ID, to_s=5), said(0))
    assert silent["id_entries"] == pytest.approx(25, abs=1), "from 3 s to 1.5 s after the last"
    lied = [{**entry, "lie": entry["t"] in (T0 + 6, T0 + 7)} for entry in bsms(1, ID)]
    assert figures(truth, lied, said(0))["id_entries"] == pytest.approx(30, abs=1)
    again = [{**entry, "again": True} for entry in bsms(1, ID)]
    assert figures(truth, again, said(0))["id_entries"] == 0, "old messages are nobody's"


def test_an_id_four_metres_from_its_vehicle_is_wrong_and_so_is_one_that_nobody_sends() -> None:
    truth = road(row(1, 0, 0), row(2, 6, 0))
    sent = bsms(1, ID)
    assert figures(truth, sent, said(3.9, number=ID))["wrong_ids"] == 0
    assert figures(truth, sent, said(4.1, number=ID))["wrong_ids"] == 100
    assert figures(truth, sent, said(6, number=ID))["wrong_ids"] == 100, "another vehicle's body"
    assert figures(truth, sent, said(0, number=OTHER))["wrong_ids"] == 100
    assert figures(truth, sent, said(0))["wrong_ids"] == 0


def test_the_id_of_a_vehicle_that_has_left_may_stay_for_a_second() -> None:
    rows = [{"t": T0 + n / 20, "users": [row(1, 0, 0)] if n < 100 else []} for n in range(220)]
    found = figures(truth_users(rows, set(), set()), bsms(1, ID, to_s=5), said(0, number=ID))
    assert found["wrong_ids"] == pytest.approx(40, abs=2), "gone after 5 s, wrong from 6 s on"


def test_what_rests_on_a_bsm_alone_is_counted_and_a_ghost_may_be_nothing_else() -> None:
    truth, ghost = road(row(1, 30, 0)), bsms(None, GHOST)
    marked = figures(truth, ghost, said(0.4, number=GHOST, source="v2x"))
    assert (marked["v2x_alone"], marked["ghost_entries"], marked["wrong_ids"]) == (100, 0, 0)
    assert figures(truth, ghost, said(0.4, number=GHOST, source="video"))["ghost_entries"] == 100
    assert figures(truth, ghost, said(0.4))["ghost_entries"] == 100, "made without an id"
    assert figures(truth, ghost, said(9.0, number=GHOST))["ghost_entries"] == 100, "its id elsewhere"
    assert figures(truth, ghost, said(9.0))["ghost_entries"] == 0, "false, but not the ghost's"


def test_a_true_vehicle_where_the_ghost_stands_is_no_ghost() -> None:
    found = figures(road(row(1, 1.0, 0)), bsms(None, GHOST), said(0.5))
    assert found["ghost_entries"] == 0
    assert figures(road(row(1, 30, 0)), bsms(None, GHOST, to_s=3), said(0))["ghost_entries"] == (
        pytest.approx(35, abs=1)
    ), "while it was sent"


def test_without_any_rsm_nothing_was_measured_and_with_the_rsu_alone_something_was() -> None:
    truth = road(row(1, 0, 0))
    nothing = score_heard([], senders(bsms(1, ID)), truth, T0, T0 + SECONDS)
    assert nothing == dict.fromkeys(nothing)
    empty = figures(truth, bsms(1, ID))
    assert (empty["id_share"], empty["wrong_ids"], empty["v2x_alone"]) == (None, 0, 0)
    outside = score_heard([(T0 - 1, [])], {}, truth, T0, T0 + SECONDS)
    assert outside["v2x_alone"] is None


def test_a_sender_is_on_air_from_its_first_message_to_a_second_and_a_half_after_its_last() -> None:
    sender = Sender(1, 0.0, 0.0, [10.0, 11.0])
    assert [sender.sending(t) for t in (9.9, 10.0, 12.4, 12.6)] == [False, True, True, False]


def participant(x: float, y: float, **more: Any) -> dict[str, Any]:
    lon, lat = to_lonlat((x, y))
    return {
        "ptcType": "motor", "ptcId": 7, "source": "integrated", "secMark": 30_000,
        "pos": {"offsetLL": ("abs", {"lon": round(lon * 1e7), "lat": round(lat * 1e7)})},
        "posConfidence": {"pos": "k9"}, "speed": 0, "heading": 0, "size": {"width": 180, "length": 450},
        **more
    }  # fmt: skip


def rsm(*people: dict[str, Any]) -> dict[str, Any]:
    origin = {"lat": 226_900_000, "long": 1_143_400_000}
    rsu = participant(0, 0, ptcType="rsu", ptcId=0, source="selfinfo")
    return {"msgCnt": 1, "id": bytes(8), "refPos": origin, "participants": [rsu, *people]}


def test_parts_that_arrive_together_are_one_cycle_without_the_rsu() -> None:
    first = rsm(participant(3, 4, id=bytes.fromhex(ID), source="v2x"))
    cycles = cycles_of([(30.02, first), (30.03, rsm(participant(1, 1))), (30.12, rsm())], 0.0)
    assert [(t, len(entries)) for t, entries in cycles] == [(30.02, 2), (30.12, 0)]
    entry = cycles[0][1][0]
    assert (entry.x_m, entry.y_m) == pytest.approx((3, 4), abs=0.02)
    assert (entry.id, entry.source, entry.at_s) == (ID, "v2x", 30.0)
    assert cycles[0][1][1].id is None


def test_a_runs_logs_give_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logs' own words, and bytes on air: the scored seconds begin in the middle of a minute of UTC."""
    monkeypatch.setattr("hil.score.heard.clock_offset_s", lambda: 30.0 - T0 % 60)
    world, air, radio = (TruthLog(tmp_path, name) for name in ("world", "vehicle", "talkers"))
    for n in range(200):
        world.write("users", T0 + n / 20, users=[row(1, 3.0, 4.0)])
    for n in range(10):
        radio.write("bsm", T0 + n, user=1, id=ID, x=3.0, y=4.0, **FIRST)
    people = [
        participant(3, 4.5, id=bytes.fromhex(ID)),
        participant(30, 0, id=bytes.fromhex(ID), source="v2x"),
    ]
    for n in range(100):
        mark = (30_000 + n * 100) % 60_000
        _frame_type().set_val(("rsmFrame", rsm(*({**each, "secMark": mark} for each in people))))
        air.write("air", T0 + n / 10 + 0.03, hex=_frame_type().to_uper().hex())
    air.write("air", T0 + 5, hex="2fff")
    air.write("air", T0 + 5.01, hex="")
    found = heard_figures(tmp_path, T0, T0 + SECONDS)
    assert found == {
        "id_share": 1.0, "id_entries": 70, "wrong_ids": 0, "v2x_alone": 100, "ghost_entries": 0
    }  # fmt: skip
