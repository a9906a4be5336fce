"""A kind's JSON Schema, and the same check without one: quick enough for the producer's own tests."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from rsu_agent.outlets.kinds.field import Field, Kind

DRAFT = "https://json-schema.org/draft/2020-12/schema"
LARGEST = (1 << 63) - 1
JSON_TYPE: dict[str, dict[str, Any]] = {
    "int": {"type": "integer", "minimum": -LARGEST - 1, "maximum": LARGEST},
    "float": {"type": "number"},
    "text": {"type": "string"},
    "bool": {"type": "boolean"},
    "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
    "texts": {"type": "array", "items": {"type": "string"}},
    "ints": {"type": "array", "items": {"type": "integer"}},
}


def json_schema(kind: Kind) -> dict[str, Any]:
    """The schema that a producer keeps. A reader ignores fields it does not know: `version` only rises."""
    body = _object(kind.fields)
    body["properties"] = {"k": {"const": kind.kind}, **body["properties"]}
    body["required"] = ["k", *body["required"]]
    return {
        "$schema": DRAFT,
        "$id": f"rsu:{kind.kind}:{kind.version}",
        "title": kind.kind,
        "description": kind.purpose,
        "x-zh": kind.zh,
        "x-lane": kind.lane,
        "x-version": kind.version,
        "x-retention-days": {"edge": kind.edge_days, "district": kind.district_days},
        **body,
    }


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.key: _property(field) for field in fields},
        "required": [field.key for field in fields if field.always],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {"description": field.meaning, "x-zh": field.zh}
    if field.unit:
        told["x-unit"] = field.unit
    if field.holds == "objects":
        return {**told, "type": "array", "items": _object(field.of)}
    value = dict(JSON_TYPE[field.holds])
    if field.one_of:
        value["enum"] = [str(word) for word in field.one_of] + [None] * field.null
    if field.low is not None:
        value["minimum"] = field.low
    if field.high is not None:
        value["maximum"] = field.high
    if field.null:
        value["type"] = [value["type"], "null"]
    return told | value


def conforms(record: dict[str, Any], kind: Kind) -> Iterator[str]:
    """What of a record is not as declared."""
    yield from _fields({key: value for key, value in record.items() if key != "k"}, kind.fields)


def _fields(value: Any, fields: tuple[Field, ...]) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{value!r} is no map"
        return
    declared = {field.key: field for field in fields}
    yield from (f"{key}: not declared" for key in value.keys() - declared.keys())
    yield from (f"{key}: missing" for key, field in declared.items() if field.always and key not in value)
    for key, field in declared.items():
        if key in value and not (field.null and value[key] is None):
            yield from (f"{key}: {fault}" for fault in _value(value[key], field))


def _value(value: Any, field: Field) -> Iterator[str]:
    if field.holds == "objects":
        if not isinstance(value, list):
            yield "no list"
            return
        for item in value:
            yield from _fields(item, field.of)
        return
    if not _holds(value, field.holds):
        yield f"{value!r} is no {field.holds}"
        return
    if field.one_of and value not in field.one_of:
        yield f"{value!r} is none of {', '.join(field.one_of)}"
    if isinstance(value, (int, float)):
        low, high = field.low, field.high
        if (low is not None and value < low) or (high is not None and value > high):
            yield f"{value} is out of bounds"


def _holds(value: Any, holds: str) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    match holds:
        case "int":
            return whole and -LARGEST - 1 <= value <= LARGEST
        case "float":
            return whole or (isinstance(value, float) and math.isfinite(value))
        case "text":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "counts":
            return isinstance(value, dict) and all(
                isinstance(key, str) and isinstance(count, int) and count >= 0 for key, count in value.items()
            )
        case "texts":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case _:
            return isinstance(value, list) and all(_holds(item, "int") for item in value)
