"""What the codes mean, a table for each dialect (facts/radars 2.1, 2.4 and 2.5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rsu_agent.world.road_user import UserClass

# Upper bounds of the standard deviation, m, m/s or m/s2; code 31 is invalid
SD = (
    0.005, 0.006, 0.008, 0.011, 0.014, 0.018, 0.023, 0.029, 0.038, 0.049, 0.063,
    0.081, 0.105, 0.135, 0.174, 0.224, 0.288, 0.371, 0.478, 0.616, 0.794,
    1.023, 1.317, 1.697, 2.187, 2.817, 3.630, 4.676, 6.025, 7.762, 10.0,
)  # fmt: skip
STEP_SD_M = 0.2 / math.sqrt(12)  # a place is told in steps of 0.2 m
# The middle of what the code says: below 25, 50, 75, 90, 99, 99.9 per cent, and up to 100. Code 0 is invalid
EXISTS = {1: 0.125, 2: 0.375, 3: 0.625, 4: 0.825, 5: 0.945, 6: 0.9945, 7: 0.9995}

DELETED, DELETED_FOR_MERGE, NEW, NEW_FROM_MERGE, PREDICTED = 0, 4, 1, 5, 3
GONE = frozenset({DELETED, DELETED_FOR_MERGE})
BEGUN = frozenset({NEW, NEW_FROM_MERGE})
UNAMBIGUOUS = 3

# 0 is a point, 6 a wide object and 7 reserved: they name no kind. 3 is disputed: see `class_3`
KINDS: Mapping[int, UserClass] = {
    1: UserClass.CAR,
    2: UserClass.TRUCK,
    4: UserClass.MOTORCYCLE,
    5: UserClass.BICYCLE,
}
DISPUTED_KIND = 3
# bits 4 and 3 of byte 6 of 0x60B by NanoRadar model; the MR72 tells a sector there
KINDS_OF_BITS: Mapping[str, Mapping[int, UserClass]] = {"mr76": {1: UserClass.CAR}}


@dataclass(frozen=True, slots=True)
class Dialect:
    """message_bytes None: as the layout says. side_left: whether a positive side is the left one."""

    message_bytes: int | None
    side_left: bool


DIALECTS = {
    "ars40x": Dialect(message_bytes=None, side_left=True),
    "nanoradar": Dialect(message_bytes=8, side_left=False),
}


def sd_m(code: int | None) -> float | None:
    """The standard deviation of a place, the step of its field included; None: not told."""
    if code is None or code >= len(SD):
        return None
    return math.hypot(SD[code], STEP_SD_M)
