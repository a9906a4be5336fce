"""What the producer was told is committed, what the outbox gave numbers to, what the district holds."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import asyncpg

from rsu_agent.district.facts import KEEP_DAYS
from rsu_agent.district.reading import is_postgres

Lane = tuple[int, str]  # (epoch, lane)
Number = tuple[int, str, int]  # of a record: (life, lane, n)


@dataclass(frozen=True, slots=True)
class Held:
    """The district's tables: numbers of envelopes, records with how often each stands there, holes."""

    envelopes: Mapping[Lane, Counter[int]]
    records: Counter[Number]
    holes: Mapping[Lane, set[int]]


def held_of(envelopes: Iterable[Any], bodies: Iterable[tuple[int, str, Any]]) -> Held:
    """envelopes: (epoch, lane, seq); bodies: (epoch, lane, JSON text) of all `chaos` and `gap` records."""
    numbers: dict[Lane, Counter[int]] = {}
    holes: dict[Lane, set[int]] = {}
    for epoch, lane, seq in envelopes:
        numbers.setdefault((epoch, lane), Counter())[seq] += 1
    records: Counter[Number] = Counter()
    for epoch, lane, body in bodies:
        record = json.loads(body)
        if record["k"] == "gap":
            holes.setdefault((epoch, lane), set()).update(range(record["from"], record["to"] + 1))
        else:
            records[record["life"], record["lane"], record["n"]] += 1
    return Held(numbers, records, holes)


def read_held(*databases: str) -> Held:
    """From an SQLite file, a PostgreSQL, or several of them."""
    envelopes: dict[Lane, Counter[int]] = {}
    holes: dict[Lane, set[int]] = {}
    records: Counter[Number] = Counter()
    for held in map(_read_one, databases):
        for lane, counts in held.envelopes.items():
            envelopes.setdefault(lane, Counter()).update(counts)
        for lane, numbers in held.holes.items():
            holes.setdefault(lane, set()).update(numbers)
        records.update(held.records)
    return Held(envelopes, records, holes)


def _read_one(database: str) -> Held:
    if is_postgres(database):
        return anyio.run(_read_postgres, database)
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        rows = "SELECT epoch, lane, body FROM record WHERE kind IN ('chaos', 'gap')"
        return held_of(db.execute("SELECT epoch, lane, seq FROM envelope"), db.execute(rows))


async def _read_postgres(database: str) -> Held:
    db = await asyncpg.connect(database)
    try:
        tables = " UNION ALL ".join(
            f"SELECT epoch, lane, body::text FROM {table} WHERE kind IN ('chaos', 'gap')"
            for table in KEEP_DAYS
        )
        return held_of(await db.fetch("SELECT epoch, lane, seq FROM envelope"), await db.fetch(tables))
    finally:
        await db.close()


def read_notes(folder: Path) -> dict[int, dict[str, Any]]:
    """life -> its note; a life that ended before its first batch has none."""
    texts = {int(path.stem.split("-")[1]): path.read_text() for path in folder.glob("life-*.json")}
    return {life: json.loads(text) for life, text in sorted(texts.items()) if text}


def compared(
    notes: Mapping[int, Mapping[str, Any]], numbers: Mapping[str, Mapping[str, int]], held: Held
) -> dict[str, Any]:
    """The figures. `uncommitted_max`: per lane, the most records and milliseconds that a kill could cost."""
    committed = {
        (life, lane, n)
        for life, note in notes.items()
        for lane, last in note["committed"].items()
        for n in range(1, last + 1)
    }
    given = {(told["epoch"], lane): set(range(1, told["produced"] + 1)) for lane, told in numbers.items()}
    there = {
        lane: set(held.envelopes.get(lane, ())) | held.holes.get(lane, set())
        for lane in {*given, *held.envelopes}
    }
    twice = sum(count - 1 for lane in held.envelopes.values() for count in lane.values())
    return {
        "envelopes": sum(map(len, given.values())),
        "committed": len(committed),
        "stored": sum(map(len, held.envelopes.values())),
        "lost": len(committed - held.records.keys()),
        "duplicates": twice + sum(count - 1 for count in held.records.values()),
        "undeclared_gaps": sum(len(every - there[lane]) for lane, every in given.items()),
        "strange": sum(len(found - given.get(lane, set())) for lane, found in there.items()),
        "given_up": sum(told["dropped"] + told["dead"] for told in numbers.values()),
        "uncommitted_max": _worst(notes.values()),
    }


def _worst(notes: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    worst: dict[str, dict[str, float]] = {}
    for note in notes:
        for lane, told in note["worst"].items():
            known = worst.setdefault(lane, dict.fromkeys(told, 0))
            worst[lane] = {what: max(known[what], value) for what, value in told.items()}
    return worst
