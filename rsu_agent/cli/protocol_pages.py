"""docs/protocol made from the table of kinds: JSON Schemas, the page of records, the data-flow manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsu_agent.outlets.kinds.field import Field, Kind
from rsu_agent.outlets.kinds.schema import json_schema
from rsu_agent.outlets.summary_kinds import KINDS, LIVE

MADE = "<!-- made by `make generate` from rsu_agent/outlets/kinds: do not edit -->\n"
HEAD = """# Records

Every kind of record that leaves a crossing, with every field: this page is the **data-flow manifest** in
words, and [manifest.json](manifest.json) the same as data. A JSON Schema of each kind lies in
[schemas](schemas).

- A record is a map with short keys. `k` names its kind.
- Kinds and fields are only ever added; a reader ignores those that it does not know. `version` rises
  with a field.
- No kind has a field that could hold a picture, a number plate, a face or the identity of a person.
- Retention: the edge keeps a record until the district has acknowledged it, and never longer than the
  days named; the district deletes it after its days. Live kinds are stored at neither end.
- Times are UTC in microseconds since 1970. `null` says "not measured", never 0.
"""
LANES = {"hi": "high lane", "lo": "low lane", "live": "live, never stored"}


def protocol_files(folder: Path) -> dict[Path, str]:
    """Every generated file of docs/protocol."""
    texts = {folder / "records.md": records_page(), folder / "manifest.json": as_json(manifest())}
    for kind in (*KINDS, *LIVE):
        texts[folder / "schemas" / f"{file_name(kind)}.json"] = as_json(json_schema(kind))
    return texts


def file_name(kind: Kind) -> str:
    """Of its schema, without the ending."""
    return f"live.{kind.kind}" if kind.lane == "live" else kind.kind


def manifest() -> list[dict[str, Any]]:
    """One entry a field: kind, field, purpose, retention."""
    return [
        {
            "kind": kind.kind,
            "field": field.key,
            "holds": holds(field),
            "meaning": field.meaning,
            "zh": field.zh,
            "purpose": kind.purpose,
            "lane": kind.lane,
            "retention_days": {"edge": kind.edge_days, "district": kind.district_days},
        }
        for kind in (*KINDS, *LIVE)
        for field in _all(kind.fields)
    ]


def records_page() -> str:
    """Every kind with its fields."""
    return MADE + HEAD + "\n" + _overview() + "".join(map(_section, (*KINDS, *LIVE)))


def holds(field: Field) -> str:
    """The type in words."""
    text = {"counts": "map of names to int", "texts": "list of text", "ints": "list of int"}.get(
        field.holds, "list of maps" if field.holds == "objects" else field.holds
    )
    text += f", {field.unit}" if field.unit else ""
    text += f": {', '.join(map(str, field.one_of))}" if field.one_of else ""
    if field.low is not None and field.high is not None:
        text += f" {field.low:g}..{field.high:g}"
    return text + (" or null" if field.null else "")


def _overview() -> str:
    rows = [
        f"| [`{kind.kind}`](#{kind.kind}) | {LANES[kind.lane]} | {kind.version} | {kind.purpose} "
        f"| {'until acknowledged' if kind.edge_days is None else kind.edge_days} | {kind.district_days} |\n"
        for kind in (*KINDS, *LIVE)
    ]
    head = "| kind | lane | version | purpose | edge, days | district, days |\n|---|---|---|---|---|---|\n"
    return head + "".join(rows)


def _section(kind: Kind) -> str:
    lines = [
        f"\n## `{kind.kind}`\n\n{kind.purpose[0].upper()}{kind.purpose[1:]}. {kind.zh}。\n",
        f"Lane: {LANES[kind.lane]}. Version {kind.version}. Made by `{kind.writer}.py`.\n",
        "| field | holds | meaning | 含义 | present |\n|---|---|---|---|---|",
    ]
    lines += [_row(field, "") for field in kind.fields]
    lines += [_row(inner, f"{field.key}[].") for field in kind.fields for inner in field.of]
    return "\n".join(lines) + "\n"


def _row(field: Field, before: str) -> str:
    present = "always" if field.always else "sometimes"
    return f"| `{before}{field.key}` | {holds(field)} | {field.meaning} | {field.zh} | {present} |"


def _all(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.of)


def as_json(value: Any) -> str:
    """As it stands in a file."""
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
