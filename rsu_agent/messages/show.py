"""Values of messages for people and for JSON: bits by their names, numbers with their meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rsu_agent.messages.generator import model as m

Line = tuple[int, str, str]  # depth, name, text


def _scaled(
    factor: float, unit: str, unavailable: int | None = None, digits: int = 2
) -> Callable[[int], str]:
    def text(value: int) -> str:
        return "unavailable" if value == unavailable else f"{value * factor:.{digits}f} {unit}"

    return text


def _minute(value: int) -> str:
    if value >= 527_040:
        return "invalid"
    day, minute = divmod(value, 1440)
    return f"day {day + 1} of the year, {minute // 60:02}:{minute % 60:02} UTC"


def _mark(value: int) -> str:
    return "unknown" if value > 36_000 else f"{value / 10:.1f} s"


MEANINGS: dict[str, Callable[[int], str]] = {
    "Latitude": _scaled(1e-7, "°", 900_000_001, 7),
    "Longitude": _scaled(1e-7, "°", 1_800_000_001, 7),
    "Elevation": _scaled(0.1, "m", -4096, 1),
    "Speed": _scaled(0.02, "m/s", 8191),
    "Velocity": _scaled(0.02, "m/s", 8191),
    "Heading": _scaled(0.0125, "°", 28_800),
    "LaneWidth": _scaled(0.01, "m"),
    "DSecond": _scaled(0.001, "s of the minute", 65_535, 3),
    "MinuteOfTheYear": _minute,
    "TimeMark": _mark,
    "Confidence": _scaled(0.5, "%", None, 1),
    "Radius": _scaled(0.1, "m", None, 1),
    "VehicleWidth": _scaled(0.01, "m", 0),
    "VehicleLength": _scaled(0.01, "m", 0),
    "VehicleHeight": _scaled(0.05, "m", 0),
}


def plain(kind: m.Type, value: Any, schema: Mapping[str, m.Type]) -> Any:
    """The value as JSON has it: choices as {name: value}, set bits by name, bytes in hex."""
    resolved = m.resolve(kind, schema)
    match resolved:
        case m.Sequence(fields=fields):
            known = {f.name: plain(f.type, value[f.name], schema) for f in fields if f.name in value}
            more = {"...": [raw and raw.hex() for raw in value["..."]]} if "..." in value else {}
            return known | more
        case m.Choice(fields=fields):
            field = next((f for f in fields if f.name == value[0]), None)
            return {value[0]: plain(field.type, value[1], schema) if field else value[1].hex()}
        case m.SequenceOf(item=item):
            return [plain(item, one, schema) for one in value]
        case m.BitString():
            return bit_names(resolved, value)
    return value.hex() if isinstance(value, bytes) else value


def bit_names(kind: m.BitString, value: tuple[bytes, int]) -> list[str]:
    """The names of the set bits; a bit without a name is told by its number."""
    raw, size = value
    bits = int.from_bytes(raw, "big") >> (-size & 7)
    numbers = [at for at in range(size) if bits >> (size - 1 - at) & 1]
    return [kind.names[at] if at < len(kind.names) else str(at) for at in numbers]


def lines(
    name: str, kind: m.Type, value: Any, schema: Mapping[str, m.Type], depth: int = 0
) -> Iterator[Line]:
    """The tree of a value, a line each, with units and meanings."""
    resolved = m.resolve(kind, schema)
    match resolved:
        case m.Sequence(fields=fields):
            yield depth, name, ""
            for field in fields:
                if field.name in value:
                    yield from lines(field.name, field.type, value[field.name], schema, depth + 1)
            if "..." in value:
                yield depth + 1, "...", f"{len(value['...'])} additions of a later version"
        case m.Choice(fields=fields):
            field_or_none = next((f for f in fields if f.name == value[0]), None)
            if field_or_none is None:
                yield depth, name, f"{value[0]} {value[1].hex()}"
            else:
                yield from lines(f"{name}: {value[0]}", field_or_none.type, value[1], schema, depth)
        case m.SequenceOf(item=item):
            yield depth, name, f"{len(value)} items"
            for index, one in enumerate(value):
                yield from lines(f"[{index}]", item, one, schema, depth + 1)
        case m.BitString():
            yield depth, name, ", ".join(bit_names(resolved, value)) or "none set"
        case _:
            yield depth, name, _leaf(kind, value)


def _leaf(kind: m.Type, value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    meaning = MEANINGS.get(kind.name) if isinstance(kind, m.Reference) else None
    return str(value) if meaning is None else f"{value}  ({meaning(value)})"
