"""How a kind of record is declared: fields with type, unit and meaning, lane, purpose and retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["int", "float", "text", "bool", "counts", "texts", "ints", "objects"]
UTC_US = "UTC us"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record.

    holds: its type; counts: map of names to whole numbers; texts, ints: lists. always False: it may be
    absent. null: it may be null, which says "not measured". one_of: the only values. low, high: bounds, both
    allowed. of: the fields of each of `objects`.
    """

    key: str
    holds: Type
    meaning: str
    zh: str
    unit: str | None = None
    always: bool = True
    null: bool = False
    one_of: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    of: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. lane: `hi`, `lo`, or `live` (never stored). writer: the module that makes it.

    edge_days, district_days: how long it is kept at most; the edge deletes earlier, on acknowledgement.
    edge_days None: until then, however long.
    version: rises when a field is added; none is ever taken away or given another meaning.
    """

    kind: str
    lane: str
    purpose: str
    zh: str
    writer: str
    edge_days: int | None
    district_days: int
    fields: tuple[Field, ...]
    version: int = 1


def when(meaning: str = "when", zh: str = "时刻") -> Field:
    """The record's time."""
    return Field("t", "int", meaning, zh, UTC_US, low=0)


def lane(meaning: str = "entry lane of the crossing file", zh: str = "路口文件中的进口车道") -> Field:
    """The lane that a record is about."""
    return Field("ln", "int", meaning, zh, low=0, high=255)
