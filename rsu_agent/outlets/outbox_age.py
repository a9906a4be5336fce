"""Rows that are older than their kinds may be kept leave a lane, and are declared.

Age counts only where the clock could be trusted twice: when the row was sealed (its envelope tells a bound)
and now (outbox_clock). A clock that jumps deletes nothing.
"""

from __future__ import annotations

from typing import Any

from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_room import gap_row, joined
from rsu_agent.outlets.outbox_seal import is_bare, records_of
from rsu_agent.outlets.summary_kinds import BY_NAME
from rsu_agent.ports.envelope import BadEnvelope, unpack_map

AT_ONCE = 200  # rows of one transaction
DAY_US = 86_400_000_000
DAYS_OF_OTHERS = 30  # of kinds that are not in the table


def let_go_of_old(lane: Lane, name: str, now_us: int, after: int = 0) -> tuple[int, int]:
    """Drop what is past its days among the next rows of a lane: (how many went, where to go on; 0: all seen).

    Only call under a trusted clock. What a gap record declares is declared anew by the one in its place; what
    else tells of loss, or that there was none, stays until it is acknowledged.
    """
    seen = lane.lowest(AT_ONCE, after)
    rows = [row for row in seen if _is_past(row.kind, row.body, now_us)]
    if rows:
        gone = joined((row.seq, row.seq) for row in rows)
        told = [record for row in rows if row.kind == "gap" for record in records_of(row.body)]
        lost = joined([*gone, *((record["from"], record["to"]) for record in told)])
        lane.replace(gone, "dropped", [gap_row(name, lost, "age", (row.kind for row in rows))])
    return len(rows), seen[-1].seq if len(seen) == AT_ONCE else 0


def forget_dead(lane: Lane, now_us: int) -> int:
    """What the receiver has refused is kept to be looked at, no longer than anything; it stays counted."""
    past = []
    for seq, body in lane.dead():
        records = _head(body).get("r")
        records = records if isinstance(records, list) else []
        kinds = {record.get("k") for record in records if isinstance(record, dict)}
        past += [seq] if _is_past("+".join(map(str, kinds)), body, now_us) else []
    lane.forget_dead(past)
    return len(past)


def days_of(kind: str) -> int | None:
    """How long a row is kept at most: of several kinds in it the shortest. None: until it is acknowledged."""
    named = [
        DAYS_OF_OTHERS if (known := BY_NAME.get(each)) is None else known.edge_days
        for each in kind.split("+")
    ]
    return min((days for days in named if days is not None), default=None)


def _is_past(kind: str, body: bytes, now_us: int) -> bool:
    head, days = _head(body), days_of(kind)
    trusted, sealed_us = head.get("c") is not None, head.get("t")
    if days is None or not trusted or not isinstance(sealed_us, int):
        return False
    return now_us - sealed_us > days * DAY_US


def _head(body: bytes) -> dict[str, Any]:
    """The envelope; nothing of what is none yet, or has rotted on the disk: it has no age."""
    if is_bare(body):
        return {}
    try:
        return unpack_map(body)
    except BadEnvelope:
        return {}
