"""NTCIP 1202 objects that are read, below asc = 1.3.6.1.4.1.1206.4.2.1 (facts/controllers 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.ntcip1202.ber import Oid

ASC: Oid = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1)
UPTIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)

FLASH_STATUS = (*ASC, 3, 6, 0)
PATTERN = (*ASC, 4, 10, 0)
PREEMPTS = tuple((*ASC, 6, 2, 1, 16, number) for number in range(1, 5))

# Columns of the phase table
WALK, PED_CLEAR, MIN_GREEN, MAX_GREEN, YELLOW, RED_CLEAR, CONCURRENCY = 2, 3, 4, 6, 8, 9, 23
COLUMNS = (WALK, PED_CLEAR, MIN_GREEN, MAX_GREEN, YELLOW, RED_CLEAR, CONCURRENCY)
TENTHS = frozenset({YELLOW, RED_CLEAR})


def phase_item(column: int, phase: int) -> Oid:
    """An entry of the phase table."""
    return (*ASC, 1, 2, 1, column, phase)


@dataclass(frozen=True, slots=True)
class Bank:
    """Three objects that together tell the colours of eight outputs; first: the lowest one's number."""

    kind: str
    first: int
    stop: Oid
    warn: Oid
    go: Oid

    @property
    def oids(self) -> tuple[Oid, Oid, Oid]:
        """What is asked for in one message, so that the three belong together."""
        return self.stop, self.warn, self.go


def _status(table: tuple[int, ...], columns: tuple[int, int, int], group: int) -> tuple[Oid, Oid, Oid]:
    stop, warn, go = ((*ASC, *table, column, group) for column in columns)
    return stop, warn, go


BANKS = tuple(
    Bank(kind, 8 * group - 7, *_status(table, columns, group))
    for kind, table, columns in (
        ("phase", (1, 4, 1), (2, 3, 4)),
        ("ped", (1, 4, 1), (5, 6, 7)),
        ("overlap", (9, 4, 1), (2, 3, 4)),  # recalled: switched off by itself where it does not exist
    )
    for group in (1, 2)
)
