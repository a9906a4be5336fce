"""Run time of the generated codecs: bits, open types, and finding which field of a value is at fault."""

from __future__ import annotations

from typing import Any

MOST_ADDITIONS = 64  # a "normally small number" in its short form (X.691 11.6)


class Malformed(ValueError):
    """A value that cannot be encoded, or bytes that are no message. `path` names the field."""

    def __init__(self, path: str = "", reason: str = "") -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def read_bits(data: bytes, at: int, width: int) -> int:
    """`width` bits from bit `at`; `data` carries zero bytes beyond its end."""
    end = at + width
    return int.from_bytes(data[at >> 3 : (end + 7) >> 3], "big") >> (-end & 7) & ((1 << width) - 1)


def small(data: bytes, at: int) -> tuple[int, int]:
    """A normally small number and the position after it."""
    if read_bits(data, at, 1):
        raise Malformed("extension", "number beyond 63")
    return read_bits(data, at + 1, 6), at + 7


def length(data: bytes, at: int) -> tuple[int, int]:
    """A length determinant (X.691 11.9) and the position after it; fragments are refused."""
    first = read_bits(data, at, 8)
    if first < 0x80:
        return first, at + 8
    if first < 0xC0:
        return read_bits(data, at, 16) & 0x3FFF, at + 16
    raise Malformed("extension", "fragmented")


def _octets(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = length(data, at)
    if at + 8 * size > 8 * len(data):
        raise Malformed("extension", f"{size} bytes announced, fewer follow")
    return read_bits(data, at, 8 * size).to_bytes(size, "big"), at + 8 * size


def skip_additions(data: bytes, at: int) -> int:
    """Position after the extension additions of a SEQUENCE, skipped by their lengths (X.691 19.7-19.9)."""
    count, at = small(data, at)
    present = read_bits(data, at, count + 1)
    at += count + 1
    for _ in range(present.bit_count()):
        _, at = _octets(data, at)
    return at


def open_type(data: bytes, at: int) -> tuple[int, bytes, int]:
    """(number, raw bytes, position after) of an unknown alternative of a CHOICE."""
    number, at = small(data, at)
    raw, at = _octets(data, at)
    return number, raw, at


def put_open(number: int, raw: bytes) -> tuple[int, int]:
    """(integer, bits) of an unknown alternative handed over raw."""
    size = len(raw)
    if not 0 <= number < MOST_ADDITIONS or size >= 0x4000:
        raise Malformed
    head, width = (size, 8) if size < 0x80 else (0x8000 | size, 16)
    a = (1 << 7 | number) << width | head
    return a << 8 * size | int.from_bytes(raw, "big"), 8 + width + 8 * size


def bit_tail(data: bytes, at: int, size: int) -> tuple[tuple[bytes, int], int]:
    """A BIT STRING with an extensible size."""
    if read_bits(data, at, 1):
        size, at = length(data, at + 1)
        at -= 1
    if at + 1 + size > 8 * len(data):
        raise Malformed("bit string", "ends too early")
    value = read_bits(data, at + 1, size) << (-size & 7)
    return (value.to_bytes((size + 7) // 8, "big"), size), at + 1 + size


def explain(schema: dict[str, Any], name: str, value: Any, error: Exception) -> Malformed:
    """Which field of `value` cannot be encoded, by walking the schema."""
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
    return (
        None if kind.low <= value <= kind.high else Malformed(path, f"{value} not in {kind.low}..{kind.high}")
    )


def _enumerated(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    return None if value in kind.names else Malformed(path, f"{value!r} is none of {', '.join(kind.names)}")


def _bit_string(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    good = isinstance(value, tuple) and len(value) == 2 and value[1] == kind.size
    good = good and isinstance(value[0], bytes) and len(value[0]) == (kind.size + 7) // 8
    return None if good else Malformed(path, f"must be (bytes, {kind.size})")


def _octet_string(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, (bytes, bytearray)):
        return Malformed(path, f"{value!r} is no byte string")
    good = kind.low <= len(value) <= kind.high
    return None if good else Malformed(path, f"{len(value)} bytes not in {kind.low}..{kind.high}")


def _ia5_string(_schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, str) or not value.isascii():
        return Malformed(path, f"{value!r} is no ASCII text")
    good = kind.low <= len(value) <= kind.high
    return None if good else Malformed(path, f"{len(value)} characters not in {kind.low}..{kind.high}")


def _sequence_of(schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, (list, tuple)):
        return Malformed(path, "is no list")
    if not kind.low <= len(value) <= kind.high:
        return Malformed(path, f"{len(value)} items not in {kind.low}..{kind.high}")
    faults = (_fault(schema, kind.item, item, f"{path}[{i}]") for i, item in enumerate(value))
    return next(filter(None, faults), None)


def _sequence(schema: Any, kind: Any, value: Any, path: str) -> Malformed | None:
    if not isinstance(value, dict):
        return Malformed(path, "is no mapping")
    names = {field.name for field in kind.fields}
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
            return _fault(schema, field.type, value[1], f"{path}.{field.name}")
    return Malformed(path, f"{value[0]!r} is no alternative")


CHECKS: dict[str, Any] = {
    "Integer": _integer,
    "Enumerated": _enumerated,
    "BitString": _bit_string,
    "OctetString": _octet_string,
    "Ia5String": _ia5_string,
    "SequenceOf": _sequence_of,
    "Sequence": _sequence,
    "Choice": _choice,
}
