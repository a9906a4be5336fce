"""Finds which field of a value cannot be encoded, by walking the schema beside the value."""

from __future__ import annotations

from typing import Any


class Malformed(ValueError):
    """A value that cannot be encoded, or bytes that are no message. `path` names the field."""

    def __init__(self, path: str = "", reason: str = "") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def explain(schema: dict[str, Any], name: str, value: Any, error: Exception) -> Malformed:
    """The fault of a value of the type `name`, with the path of its field: `SPAT.intersections[0].status`."""
    fault = _fault(schema, schema[name], value, name)
    return fault or Malformed(name, f"cannot be encoded ({type(error).__name__}: {error})")


def _fault(schema: dict[str, Any], kind: Any, value: Any, path: str) -> Malformed | None:
    while type(kind).__name__ == "Reference":
        kind = schema[kind.name]
    fault: Malformed | None = CHECKS[type(kind).__name__](schema, kind, value, path)
    return fault


def _integer(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, int):
        return Malformed(path, f"{value!r} is no whole number")
    good = kind.extensible or kind.low <= value <= kind.high
    return None if good else Malformed(path, f"{value} not in {kind.low}..{kind.high}")


def _boolean(_schema: Any, _kind: Any, value: Any, path: str) -> Malformed | None:
    return None if isinstance(value, bool) else Malformed(path, f"{value!r} is neither True nor False")


def _enumerated(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    names = kind.names + kind.later
    if value in names or (kind.extensible and str(value).startswith("ext:")):
        return None
    return Malformed(path, f"{value!r} is none of {', '.join(names)}")


def _bit_string(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    good = isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], bytes)
    good = good and (kind.extensible or kind.low <= value[1] <= kind.high)
    good = good and len(value[0]) == (value[1] + 7) // 8
    sizes = f"{kind.low}" if kind.low == kind.high else f"{kind.low}..{kind.high}"
    return None if good else Malformed(path, f"must be (bytes, {sizes})")


def _octet_string(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, (bytes, bytearray)):
        return Malformed(path, f"{value!r} is no byte string")
    good = kind.low <= len(value) <= kind.high
    return None if good else Malformed(path, f"{len(value)} bytes not in {kind.low}..{kind.high}")


def _text(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, str) or (kind.kind == "IA5String" and not value.isascii()):
        return Malformed(path, f"{value!r} is no {'ASCII ' if kind.kind == 'IA5String' else ''}text")
    if kind.kind == "NumericString" and not set(value) <= set(" 0123456789"):
        return Malformed(path, f"{value!r} has other characters than digits and spaces")
    good = kind.low <= len(value) <= kind.high
    return None if good else Malformed(path, f"{len(value)} characters not in {kind.low}..{kind.high}")


def _open_type(_schema: Any, _kind: Any, value: Any, path: str) -> Malformed | None:
    return None if isinstance(value, bytes) else Malformed(path, f"{value!r} is no byte string")


def _sequence_of(schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, (list, tuple)):
        return Malformed(path, "is no list")
    if not kind.extensible and not kind.low <= len(value) <= kind.high:
        return Malformed(path, f"{len(value)} items not in {kind.low}..{kind.high}")
    faults = (_fault(schema, kind.item, item, f"{path}[{i}]") for i, item in enumerate(value))
    return next(filter(None, faults), None)


def _sequence(schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, dict):
        return Malformed(path, "is no mapping")
    names = {field.name for field in kind.fields} | ({"..."} if kind.extensible else set())
    for name in value:
        if name not in names:
            return Malformed(f"{path}.{name}", "no such field")
    for field in kind.fields:
        if field.name not in value:
            if not field.optional:
                return Malformed(f"{path}.{field.name}", "is missing")
            continue
        fault = _fault(schema, field.type, value[field.name], f"{path}.{field.name}")
        if fault:
            return fault
    return None


def _choice(schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, tuple) or len(value) != 2:
        return Malformed(path, "must be (name, value)")
    for field in kind.fields:
        if field.name == value[0]:
            top = "." not in path and type(field.type).__name__ == "Reference"
            return _fault(schema, field.type, value[1], field.type.name if top else f"{path}.{field.name}")
    return Malformed(path, f"{value[0]!r} is no alternative")


CHECKS: dict[str, Any] = {
    "Integer": _integer,
    "Boolean": _boolean,
    "Enumerated": _enumerated,
    "BitString": _bit_string,
    "OctetString": _octet_string,
    "Text": _text,
    "OpenType": _open_type,
    "SequenceOf": _sequence_of,
    "Sequence": _sequence,
    "Choice": _choice,
}
