"""A full lane: what is rolled up, what goes first, what is said about it; sums of a quarter of an hour."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_room import gap_row, joined, make_room
from rsu_agent.outlets.outbox_seal import Row, grouped, records_of
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.outlets.rollup import QUARTER_US, RULES, rolled

QUOTA = 8 << 20
MINUTE_US = 60_000_000
T0 = 1_790_000_100_000_000 // QUARTER_US * QUARTER_US


def flow(minute: int, lane: int = 1, **changed: Any) -> dict[str, Any]:
    made = {
        "k": "flow",
        "t": T0 + minute * MINUTE_US,
        "d": 60.0,
        "ln": lane,
        "n": {"car": 2},
        "v": 10.0,
        "o": 0.1,
    }
    rest = {"h": 2.0, "hm": 1.5, "dl": 5.0, "df": 60.0, "dn": 2, "du": 0, "st": 0.5, "ss": 0.5}
    return made | rest | {"mv": {"left": 1}, "rt": {"green": 2}} | changed


def packed(*records: dict[str, Any]) -> list[Row]:
    return grouped([(record["k"], msgpack.packb(record)) for record in records], alone=False)


def held(lane: Lane) -> list[dict[str, Any]]:
    return [record for _, body in lane.after(0, 100_000) for record in records_of(body)]


def test_minutes_become_a_quarter_with_sums_extremes_and_weighted_means() -> None:
    one = flow(0, n={"car": 3, "bus": 1}, v=8.0, hm=1.1, dl=10.0, dn=4, o=0.2)
    other = flow(14, n={"car": 1}, v=4.0, hm=None, dl=None, dn=0, st=None, ss=None, d=30.0, o=0.5)
    (told,) = rolled([(7, one), (21, other)])
    assert (told["t"], told["d"], told["ln"], told["sq"]) == (T0, 90.0, 1, [7, 21])
    assert told["n"] == {"car": 4, "bus": 1}
    assert told["v"] == pytest.approx((8.0 * 4 + 4.0 * 1) / 5)
    assert told["o"] == pytest.approx((0.2 * 60 + 0.5 * 30) / 90)
    assert (told["hm"], told["dl"], told["dn"], told["st"]) == (1.1, 10.0, 4, 0.5)
    assert (told["mv"], told["rt"]) == ({"left": 2}, {"green": 4})


def test_where_nothing_was_measured_the_quarter_says_so_too() -> None:
    empty = {
        "n": {},
        "v": None,
        "h": None,
        "hm": None,
        "dl": None,
        "df": None,
        "dn": 0,
        "st": None,
        "ss": None,
    }
    (told,) = rolled([(1, flow(0, **empty)), (2, flow(1, **empty))])
    assert [told[key] for key in ("v", "h", "hm", "dl", "df", "st", "ss")] == [None] * 7
    assert told["n"] == {}


def test_queues_keep_their_longest_and_walks_their_sums() -> None:
    queues = [
        {"k": "queue", "t": T0 + n, "d": 300.0, "ln": 2, "n": n, "m": 7.0 * n, "w": 299.0} for n in (1, 5)
    ]
    queues[0] |= {"gn": 4, "gm": 20.0}
    walks = [{"k": "walk", "t": T0, "d": 60.0, "cw": 3, "n": {"adult": 2}, "rt": {"red": 1}}] * 2
    told = rolled(enumerate([*queues, *walks], 1))
    queue, walk = sorted(told, key=lambda record: record["k"])
    assert (queue["n"], queue["m"], queue["d"], queue["w"]) == (5, 35.0, 600.0, 598.0)
    assert (queue["gn"], queue["gm"]) == (4, 20.0), "absent in one: the other's"
    assert (walk["n"], walk["rt"], walk["d"], walk["sq"]) == ({"adult": 4}, {"red": 2}, 120.0, [3, 4])


MINUTES = st.lists(
    st.tuples(st.integers(0, 120), st.integers(1, 3), st.integers(0, 9)), min_size=1, max_size=60
)


@given(MINUTES)
def test_no_count_is_lost_or_made_by_rolling_up(minutes: list[tuple[int, int, int]]) -> None:
    records = [flow(minute, lane, n={"car": cars}) for minute, lane, cars in minutes]
    told = rolled(enumerate(records, 1))
    assert sum(record["n"].get("car", 0) for record in told) == sum(cars for _, _, cars in minutes)
    assert sum(record["d"] for record in told) == 60.0 * len(minutes)
    assert len({(record["t"], record["ln"]) for record in told}) == len(told)
    assert all(record.keys() - {"sq"} == flow(0).keys() for record in told)


def test_a_full_low_lane_rolls_up_then_gives_up_by_kind_and_keeps_what_tells_of_it(tmp_path: Path) -> None:
    lane = Lane(tmp_path / "lo.sqlite", QUOTA, "s")
    for minute in range(30):
        lane.append(
            packed(*(flow(minute, n) for n in range(1, 5)), {"k": "hb", "t": minute}, {"k": "phase", "t": 1})
        )
    done = []
    while (why := make_room(lane, "lo", sent=0)) is not None:
        done.append((why, {record["k"] for record in held(lane)}))
    assert [why for why, _ in done] == ["rolled_up", "full", "full", "full"]
    assert done[0][1] == {"flow", "hb", "phase", "gap"}
    assert done[1][1] == {"flow", "phase", "gap"}, "what the next one replaces goes first"
    assert done[2][1] == {"phase", "gap"}
    assert done[3][1] == {"gap"}, "what tells of loss stays"
    gaps = held(lane)
    assert {gap["kd"] for gap in gaps if gap["why"] == "rolled_up"} == {"flow"}
    assert sum(gap["n"] for gap in gaps if gap["why"] == "rolled_up") == lane.numbers().rolled == 30
    assert sum(gap["n"] for gap in gaps if gap["why"] == "full") == lane.numbers().dropped
    assert all(gap["n"] == gap["to"] - gap["from"] + 1 for gap in gaps)
    lane.close()


def test_a_rolled_quarter_names_the_numbers_it_stands_for_under_a_number_of_its_own(tmp_path: Path) -> None:
    lane = Lane(tmp_path / "lo.sqlite", QUOTA, "s")
    numbers = [lane.append(packed(flow(minute)))[0] for minute in range(15)]
    assert make_room(lane, "lo", sent=0) == "rolled_up"
    quarter, gap = held(lane)
    assert (quarter["sq"], quarter["n"]) == ([1, 15], {"car": 30})
    assert (gap["from"], gap["to"], gap["n"], gap["why"]) == (1, 15, 15, "rolled_up")
    assert [seq for seq, _ in lane.after(0, 9)] == [16, 17]
    assert numbers == list(range(1, 16))
    lane.close()


def test_minutes_that_may_have_reached_the_district_are_not_rolled_up(tmp_path: Path) -> None:
    lane = Lane(tmp_path / "lo.sqlite", QUOTA, "s")
    for minute in range(30):
        lane.append(packed(flow(minute)))
    assert make_room(lane, "lo", sent=15) == "rolled_up"
    assert [record["sq"] for record in held(lane) if "sq" in record] == [[16, 30]]
    assert [seq for seq, _ in lane.after(0, 15)] == list(range(1, 16))
    lane.close()


def test_many_gap_records_become_few_and_declare_the_same_and_themselves(tmp_path: Path) -> None:
    lane = Lane(tmp_path / "hi.sqlite", QUOTA, "s")
    for _ in range(12):
        seq = lane.append([Row(Shelf.LOG, "event", (b"\x81\xa1k\xa5event",))])[0]
        lane.replace([(seq, seq)], "dropped", [gap_row("hi", [(seq, seq)], "full", ["event"])])
    assert make_room(lane, "hi", sent=0) == "merged"
    (gap,) = held(lane)
    assert (gap["from"], gap["to"], gap["n"], gap["kd"]) == (1, 24, 24, "event")
    assert lane.numbers().dropped == 24
    assert make_room(lane, "hi", sent=0) is None
    lane.close()


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=30))
def test_joined_ranges_hold_the_same_numbers_with_holes_between(pairs: list[tuple[int, int]]) -> None:
    ranges = [(low, low + more) for low, more in pairs]
    told = joined(ranges)
    numbers = [n for low, high in told for n in range(low, high + 1)]
    assert numbers == sorted({n for low, high in ranges for n in range(low, high + 1)})
    assert all(high + 1 < later for (_, high), (later, _) in pairwise(told))


def test_every_kind_that_is_rolled_up_has_a_rule() -> None:
    from rsu_agent.outlets.outbox_shelves import shelf_of
    from rsu_agent.outlets.summary_kinds import LANE_OF

    assert {kind for kind in LANE_OF if shelf_of(kind) is Shelf.FLOW} <= RULES.keys()
    assert {kind for kind in RULES if shelf_of(kind) is not Shelf.FLOW} == set()
