"""Records of a minute added up to a quarter of an hour: sums, extremes, means weighted by what they rest on.

A rolled record says in `sq` which numbers of its lane and epoch it stands for: where one of them has arrived
all the same, its counts are in both.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

QUARTER_US = 900_000_000
Record = dict[str, Any]
Fold = Callable[[str, list[Record]], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """How records of a kind are added: by what they are told apart, and what becomes of each field."""

    apart: tuple[str, ...]
    folds: dict[str, Fold]


def rolled(numbered: Iterable[tuple[int, Record]]) -> list[Record]:
    """(number, record) of kinds in RULES, as records of quarters, in order of time."""
    heaps: dict[tuple[Any, ...], list[tuple[int, Record]]] = defaultdict(list)
    for number, record in numbered:
        apart = tuple(record.get(key) for key in RULES[record["k"]].apart)
        heaps[record["t"] // QUARTER_US, record["k"], *apart].append((number, record))
    made = [_added(heap) for heap in heaps.values()]
    return sorted(made, key=lambda record: (record["t"], record["k"]))


def _added(heap: list[tuple[int, Record]]) -> Record:
    first, records = heap[0][1], [record for _, record in heap]
    rule, numbers = RULES[first["k"]], [number for number, _ in heap]
    made: Record = {"k": first["k"], "t": first["t"] // QUARTER_US * QUARTER_US}
    made |= {key: first[key] for key in rule.apart}
    for key, fold in rule.folds.items():
        having = [record for record in records if key in record]
        if having:
            made[key] = fold(key, having)
    return made | {"sq": [min(numbers), max(numbers)]}


def _total(key: str, records: list[Record]) -> Any:
    return sum(record[key] for record in records)


def _counts(key: str, records: list[Record]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for record in records:
        total.update(record[key])
    return dict(total)


def _extreme(pick: Callable[[list[Any]], Any]) -> Fold:
    def fold(key: str, records: list[Record]) -> Any:
        known = [record[key] for record in records if record[key] is not None]
        return pick(known) if known else None

    return fold


def _mean(by: str) -> Fold:
    """Weighted by a count, a map of counts or a length of time; null where nothing was measured."""

    def fold(key: str, records: list[Record]) -> float | None:
        known = [(record[key], _weight(record.get(by))) for record in records if record[key] is not None]
        weight = sum(share for _, share in known)
        if not weight:
            return None
        return float(round(sum(value * share for value, share in known) / weight, 4))

    return fold


def _weight(value: Any) -> float:
    return float(sum(value.values()) if isinstance(value, dict) else value or 0)


_least, _most = _extreme(min), _extreme(max)
_MEASURED = {"dl": _mean("dn"), "dn": _total, "st": _mean("dn"), "ss": _mean("dn")}

RULES: dict[str, Rule] = {
    "flow": Rule(
        ("ln",),
        {
            "d": _total,
            "n": _counts,
            "v": _mean("n"),
            "o": _mean("d"),
            "h": _mean("n"),
            "hm": _least,
            **_MEASURED,
            "df": _mean("dn"),
            "du": _total,
            "mv": _counts,
            "rt": _counts,
        },
    ),
    "move": Rule(("ln", "to"), {"n": _counts, "v": _mean("n"), "h": _mean("n"), **_MEASURED}),
    "queue": Rule(("ln",), {"d": _total, "n": _most, "m": _most, "w": _total, "gn": _most, "gm": _most}),
    "walk": Rule(("cw",), {"d": _total, "n": _counts, "rt": _counts}),
}
