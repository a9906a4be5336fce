"""Which records share an envelope of the outbox, and which go first when it is full."""

from __future__ import annotations

from enum import IntEnum


class Shelf(IntEnum):
    """In the order in which a full low lane gives them up; KEPT never."""

    STATUS = 0  # what the next one of its kind replaces
    ROLLED = 1  # quarters of an hour, made of what follows
    FLOW = 2  # counts of an interval: rolled up to a quarter of an hour before any is given up
    LOG = 3  # what happened, and every kind not named here
    KEPT = 4  # what tells of loss


GIVEN_UP = (Shelf.STATUS, Shelf.ROLLED, Shelf.FLOW, Shelf.LOG)

_SHELF_OF = {
    **dict.fromkeys(("hb", "health", "run", "clock", "spatq", "mapq"), Shelf.STATUS),
    **dict.fromkeys(("flow", "move", "queue", "walk"), Shelf.FLOW),
    **dict.fromkeys(("gap", "birth", "lost"), Shelf.KEPT),
}


def shelf_of(kind: str) -> Shelf:
    """Where records of a kind stand."""
    return _SHELF_OF.get(kind, Shelf.LOG)
