"""Which fault strikes when: every line fault of facts/controllers 10, drawn by seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from hil.devices.gbt20999_front import Manners

# fault -> (shortest, longest) seconds
FAULTS: dict[str, tuple[float, float]] = {
    "garbage": (0.5, 3.0),
    "truncate": (0.5, 3.0),
    "no_end": (0.5, 3.0),
    "doubled_start": (0.5, 3.0),
    "bad_check": (0.5, 3.0),
    "cut_in_escape": (0.5, 3.0),
    "flood": (0.5, 3.0),
    "merge": (0.5, 3.0),
    "echo": (0.5, 3.0),
    "silence": (0.05, 2.5),
    "long_silence": (10.0, 10.0),
    "unplug": (0.1, 3.0),
    "replaced": (0.5, 3.0),  # another unit in the cabinet: its number is another one
}
RARE = {"long_silence": 0.1}  # ten seconds a time
REST_S = (0.4, 2.0)  # between valid again and the next fault


@dataclass(frozen=True)
class Line:
    """One kind of installation. recover_s: valid again so long after the first good frame at the latest."""

    name: str
    manners: Manners
    recover_s: float = 3.0


LINES = (
    Line("115200 with traps", Manners()),
    Line("115200 without traps, slow to reply", Manners(traps=False, reply_delay_s=(0.005, 0.05))),
    Line("57600 with traps, the reply echoes the serial", Manners(baud=57600, serials="echo")),
    Line("9600 with traps", Manners(baud=9600), recover_s=15.0),
)


def shares(count: int) -> list[int]:
    """How many of the faults strike each line."""
    each, rest = divmod(count, len(LINES))
    return [each + (at < rest) for at in range(len(LINES))]


@dataclass(frozen=True)
class Episode:
    """One fault, its length, and the rest after it (s)."""

    fault: str
    lasts_s: float
    rest_s: float


def draws(count: int, seed: str) -> Iterator[Episode]:
    """Every fault once before any twice, the rare ones less often."""
    dice = random.Random(seed)
    pool: list[str] = []
    for _ in range(count):
        while not pool:
            pool = [fault for fault in FAULTS if dice.random() < RARE.get(fault, 1.0)]
            dice.shuffle(pool)
        fault = pool.pop()
        yield Episode(fault, dice.uniform(*FAULTS[fault]), dice.uniform(*REST_S))
