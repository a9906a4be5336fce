"""Making room in a full lane: roll up, then give up by kind, and say so in the same transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgpack

from rsu_agent.outlets.outbox_lane import Lane, Stored
from rsu_agent.outlets.outbox_seal import MOST_RECORDS, Row, records_of
from rsu_agent.outlets.outbox_shelves import GIVEN_UP, Shelf
from rsu_agent.outlets.rollup import rolled

ROLL_ROWS = 240  # four hours of minutes
WORTH = 4  # records must become so many times fewer: a quarter is not made of every two minutes
MERGED_ROWS, MERGED_LEAST = 64, 8  # gap rows that become one
DROP_ROWS = 200
DROP_BYTES = (
    256 << 10
)  # ... or so much, whichever is less: a lane of large rows loses no more than a small one's


def make_room(lane: Lane, name: str, sent: int) -> str | None:
    """Free a piece of the file; `rolled_up`, `full`, or None when nothing may go.

    sent: the highest number that may have reached the district. What may be there already is not rolled up:
    its counts would be there twice.
    """
    if _merge_gaps(lane, name):
        return "merged"
    if name == "hi":
        return _drop(lane, name, None)
    if _roll_up(lane, name, sent):
        return "rolled_up"
    return next((why for shelf in GIVEN_UP if (why := _drop(lane, name, shelf))), None)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers as runs [first, last] without a hole."""
    return joined((number, number) for number in numbers)


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges [first, last] in any order as ascending ones with a hole between any two."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return found


def gap_row(lane: str, gone: Sequence[tuple[int, int]], why: str, kinds: Iterable[str]) -> Row:
    """One gap record a run, so that from, to and n of each are exact: what lies between two is still here."""
    at_us, named = time.time_ns() // 1000, "+".join(sorted(set(kinds)))
    records = [
        {
            "k": "gap",
            "t": at_us,
            "l": lane,
            "from": low,
            "to": high,
            "n": high - low + 1,
            "why": why,
            "kd": named,
        }
        for low, high in gone
    ]
    return Row(Shelf.KEPT, "gap", tuple(msgpack.packb(record) for record in records))


def _roll_up(lane: Lane, name: str, sent: int) -> bool:
    rows = lane.oldest(Shelf.FLOW, ROLL_ROWS, after=sent)
    numbered = list(_records(rows))
    quarters = rolled(numbered)
    if not numbered or len(quarters) * WORTH > len(numbered):
        return False
    gone = runs(row.seq for row in rows)
    made = [_packed(quarters[at : at + MOST_RECORDS]) for at in range(0, len(quarters), MOST_RECORDS)]
    lane.replace(gone, "rolled", [*made, gap_row(name, gone, "rolled_up", (row.kind for row in rows))])
    return True


def _records(rows: Iterable[Stored]) -> Iterator[tuple[int, dict[str, Any]]]:
    for row in rows:
        yield from ((row.seq, record) for record in records_of(row.body))


def _packed(records: Sequence[dict[str, Any]]) -> Row:
    kinds = "+".join(sorted({record["k"] for record in records}))
    return Row(Shelf.ROLLED, kinds, tuple(msgpack.packb(record) for record in records))


def _merge_gaps(lane: Lane, name: str) -> bool:
    """Gap records of a lane that lives from hand to mouth would fill it: many become few, all declared."""
    rows = [row for row in lane.oldest(Shelf.KEPT, MERGED_ROWS) if row.kind == "gap"]
    told = {row.seq: records_of(row.body) for row in rows}
    told = {seq: gaps for seq, gaps in told.items() if all(gap["why"] == "full" for gap in gaps)}
    gaps = [gap for row in told.values() for gap in row]
    if len(told) < MERGED_LEAST:
        return False
    lost = joined([*((gap["from"], gap["to"]) for gap in gaps), *((seq, seq) for seq in told)])
    if len(lost) * WORTH > len(gaps):
        return False
    kinds = [kind for gap in gaps for kind in gap["kd"].split("+")]
    lane.replace(runs(told), "dropped", [gap_row(name, lost, "full", kinds)])
    return True


def _drop(lane: Lane, name: str, shelf: Shelf | None) -> str | None:
    rows = lane.oldest(shelf, DROP_ROWS)
    if not rows:
        return None
    size, most = 0, 0
    for row in rows:
        if most and size + len(row.body) > DROP_BYTES:
            break
        size, most = size + len(row.body), most + 1
    gone = runs(row.seq for row in rows[:most])
    lane.replace(gone, "dropped", [gap_row(name, gone, "full", (row.kind for row in rows[:most]))])
    return "full"
