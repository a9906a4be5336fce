"""Rows that are older than their kinds may be kept leave a lane, and are declared.

Age counts only where the clock could be trusted twice: when the row was sealed (its envelope tells a bound)
and now (the caller's word). A clock that jumps ahead deletes nothing by itself: it is not trusted then.
"""

from __future__ import annotations

from rsu_agent.outlets.outbox_lane import Lane, Stored
from rsu_agent.outlets.outbox_room import gap_row, joined
from rsu_agent.outlets.outbox_seal import is_bare, records_of
from rsu_agent.outlets.summary_kinds import BY_NAME
from rsu_agent.ports.envelope import unpack_map

AT_ONCE = 200  # rows of one transaction
DAY_US = 86_400_000_000
DAYS_OF_OTHERS = 30  # of kinds that are not in the table


def let_go_of_old(lane: Lane, name: str, now_us: int) -> int:
    """Drop the lane's oldest rows that are past their days, so many at once; how many went.

    Only call under a trusted clock. What a gap record declares is declared anew by the one in its place.
    """
    rows = [row for row in lane.lowest(AT_ONCE) if _is_past(row, now_us)]
    if not rows:
        return 0
    gone = joined((row.seq, row.seq) for row in rows)
    told = [record for row in rows if row.kind == "gap" for record in records_of(row.body)]
    lost = joined([*gone, *((record["from"], record["to"]) for record in told)])
    lane.replace(gone, "dropped", [gap_row(name, lost, "age", (row.kind for row in rows))])
    return len(rows)


def days_of(kind: str) -> int:
    """How long a row is kept at most: of several kinds in it the shortest."""
    named = (BY_NAME.get(each) for each in kind.split("+"))
    return min(DAYS_OF_OTHERS if each is None else each.edge_days for each in named)


def _is_past(row: Stored, now_us: int) -> bool:
    if is_bare(row.body):
        return False
    head = unpack_map(row.body)
    trusted, sealed_us = head.get("c") is not None, head.get("t")
    return trusted and isinstance(sealed_us, int) and now_us - sealed_us > days_of(row.kind) * DAY_US
