"""Parquet for analysis: a folder a kind, a file a day (UTC), the fields of the record as columns."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rsu_agent.district.facts import as_json
from rsu_agent.district.reading import Fact, Reader
from rsu_agent.outlets.summary_kinds import KINDS

COMMON = (
    ("site", pa.string()),
    ("t", pa.timestamp("us", "UTC")),
    ("stored", pa.timestamp("us", "UTC")),
    ("epoch", pa.int64()),
    ("lane", pa.string()),
    ("seq", pa.int64()),
    ("place", pa.int32()),
)
TYPES: dict[
    str, tuple[Any, tuple[type, ...]]
] = {  # how a field's description begins -> column, Python's types
    "ints": (pa.string(), (list,)),  # lists and maps as JSON
    "texts": (pa.string(), (list,)),
    "objects": (pa.string(), (list,)),
    "counts": (pa.string(), (dict,)),
    "bool": (pa.bool_(), (bool,)),
    "int": (pa.int64(), (int,)),
    "float": (pa.float64(), (int, float)),
    "text": (pa.string(), (str,)),
    "`": (pa.string(), (str,)),
    "map": (pa.string(), (dict,)),
}
REST = "more"  # JSON of fields that the manifest does not know, or not of this type
INT64, EXACT = 1 << 63, 1 << 53  # whole numbers that a column holds exactly


def columns_of(kind: str) -> list[tuple[str, Any, tuple[type, ...]]]:
    """(field, column type, Python types) of a kind's own columns; none of a kind that nobody here knows."""
    found = next((entry.fields for entry in KINDS if entry.kind == kind), ())
    named = [(field.key, _column(field.holds)) for field in found]
    taken = {name for name, _ in COMMON} | {REST}
    return [(key, *of) for key, of in named if of is not None and key not in taken]


def _column(holds: str) -> tuple[Any, tuple[type, ...]] | None:
    return next((column for word, column in TYPES.items() if holds.startswith(word)), None)


def table_of_facts(kind: str, facts: Sequence[Fact]) -> pa.Table:
    """Rows of one kind; no value is dropped, one that does not fit its column is in `more`."""
    columns = columns_of(kind)
    rows: list[dict[str, Any]] = []
    for fact in facts:
        rest = {key: value for key, value in fact.body.items() if key != "k"}
        if rest.get("t") == fact.t_us:
            del rest["t"]
        row: dict[str, Any] = {
            "site": fact.site, "t": fact.t_us, "stored": fact.stored_us,
            "epoch": fact.epoch, "lane": fact.lane, "seq": fact.seq, "place": fact.place,
        }  # fmt: skip
        for key, _, types in columns:
            value = rest.get(key)
            if value is None or _fits(value, types):
                rest.pop(key, None)
                row[key] = as_json(value) if isinstance(value, (dict, list)) else value
        row[REST] = as_json(rest) if rest else None
        rows.append(row)
    schema = pa.schema([*COMMON, *((key, kind_) for key, kind_, _ in columns), (REST, pa.string())])
    return pa.Table.from_pylist(rows, schema=schema)


def _fits(value: Any, types: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return types == (bool,)
    if not isinstance(value, types):
        return False
    most = EXACT if float in types else INT64
    return not isinstance(value, int) or -most <= value < most


async def export(
    reader: Reader, out: Path, first: date, last: date, only: Iterable[str] = ()
) -> AsyncIterator[tuple[int, int, int]]:
    """Write the days; yields (days and tables done, of how many, rows so far). Files appear when whole."""
    days = await _to_write(reader, first, last)
    wanted, rows = frozenset(only), 0
    for done, (table, day) in enumerate(days):
        yield done, len(days), rows
        with contextlib.ExitStack() as files:
            writers: dict[str, pq.ParquetWriter] = {}
            async for facts in reader.facts(table, day):
                for kind in sorted({fact.kind for fact in facts}):
                    if wanted and kind not in wanted:
                        continue
                    made = table_of_facts(kind, [fact for fact in facts if fact.kind == kind])
                    if kind not in writers:
                        writers[kind] = files.enter_context(_file(out / _safe(kind), day, made.schema))
                    writers[kind].write_table(made)
                    rows += made.num_rows
    yield len(days), len(days), rows


async def _to_write(reader: Reader, first: date, last: date) -> list[tuple[str, date]]:
    return sorted((table, day) for table, day in await reader.days() if first <= day <= last)


@contextlib.contextmanager
def _file(folder: Path, day: date, schema: pa.Schema) -> Any:
    """A writer whose file takes its name only when all of it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{day}.half"
    with pq.ParquetWriter(half, schema, compression="zstd") as writer:
        yield writer
    half.replace(folder / f"{day}.parquet")


def _safe(kind: str) -> str:
    """A folder's name; a kind comes from outside."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in kind)[:64] or "_"
