"""Statements for the leaves: whole numbers, enumerations, bit and octet strings, text."""

from __future__ import annotations

from rsu_agent.messages.generator.model import (
    BitString,
    Enumerated,
    Ia5String,
    Integer,
    OctetString,
    Reference,
    Schema,
    Type,
)


def resolve(kind: Type, schema: Schema) -> Type:
    """The type behind names."""
    while isinstance(kind, Reference):
        kind = schema[kind.name]
    return kind


def fixed_width(kind: Type) -> int | None:
    """Bits of a leaf whose width is always the same, else None."""
    match kind:
        case Integer():
            return kind.bits
        case Enumerated(extensible=False):
            return kind.bits
        case BitString(extensible=False):
            return kind.size
        case OctetString(low=low, high=high) if low == high:
            return 8 * low
    return None


def leaf_encode(kind: Type, value: str, indent: str) -> list[str]:
    """Append a leaf to (a, n)."""
    match kind:
        case Integer(low=low, high=high):
            shown = f"x - {low}" if low > 0 else f"x + {-low}" if low else "x"
            body = [f"x = {value}", f"if not {low} <= x <= {high}:", "    raise Malformed"]
            body += [f"a = a << {kind.bits} | {shown}", f"n += {kind.bits}"]
        case Enumerated(names=names, extensible=extensible):
            width = kind.bits + extensible
            table = {name: index for index, name in enumerate(names)}
            body = [f"a = a << {width} | {table!r}[{value}]", f"n += {width}"]
        case BitString(size=size, extensible=extensible):
            drop = -size & 7
            body = [
                f"x, y = {value}",
                f"if y != {size} or len(x) != {(size + 7) // 8}:",
                "    raise Malformed",
            ]
            body += [
                f"a = a << {size + extensible} | int.from_bytes(x, 'big') >> {drop}",
                f"n += {size + extensible}",
            ]
        case OctetString(low=low, high=high):
            width = (high - low).bit_length()
            body = [
                f"x = bytes({value})",
                "y = len(x)",
                f"if not {low} <= y <= {high}:",
                "    raise Malformed",
            ]
            if width:
                body += [f"a = a << {width} | y - {low}", f"n += {width}"]
            body += ["a = a << 8 * y | int.from_bytes(x, 'big')", "n += 8 * y"]
        case Ia5String(low=low, high=high):
            width = (high - low).bit_length()
            body = [f"x = {value}.encode('ascii')", "y = len(x)", f"if not {low} <= y <= {high}:"]
            body += ["    raise Malformed", f"a = a << {width} | y - {low}", f"n += {width} + 7 * y"]
            body += ["for y in x:", "    a = a << 7 | y"]
        case _:
            raise TypeError(f"{kind} is no leaf")
    return [indent + line for line in body]


def leaf_decode(kind: Type, target: str, indent: str, raw: str | None = None) -> list[str]:
    """Read a leaf into `target`; `raw` is an expression of its bits when they have been read already."""
    width = fixed_width(kind)
    body: list[str] = []
    if width is not None and raw is None:
        body = [f"x = read_bits(b, p, {width})", f"p += {width}"]
        raw = "x"
    match kind:
        case Integer(low=low, high=high):
            body += [f"x = {_shifted(raw, low)}", *_check(kind), f"{target} = x"]
        case Enumerated(names=names, extensible=False):
            body += [f"x = {raw}", *_known(names), f"{target} = {names!r}[x]"]
        case Enumerated(names=names):
            body += ["if read_bits(b, p, 1):", "    x, p = small(b, p + 1)", f"    {target} = f'ext:{{x}}'"]
            body += ["else:", f"    x = read_bits(b, p + 1, {kind.bits})", f"    p += {kind.bits + 1}"]
            body += [f"    {line}" for line in _known(names)] + [f"    {target} = {names!r}[x]"]
        case BitString(size=size, extensible=False):
            body += [f"{target} = (({raw}) << {-size & 7}).to_bytes({(size + 7) // 8}, 'big'), {size}"]
        case BitString(size=size):
            body += [f"{target}, p = bit_tail(b, p, {size})"]
        case OctetString(low=low, high=high) if low == high:
            body += [f"{target} = ({raw}).to_bytes({low}, 'big')"]
        case OctetString(low=low, high=high):
            body += _length(low, high)
            body += [f"{target} = read_bits(b, p, 8 * x).to_bytes(x, 'big')", "p += 8 * x"]
        case Ia5String(low=low, high=high):
            body += _length(low, high)
            body += [f"{target} = ''.join(chr(read_bits(b, p + 7 * i, 7)) for i in range(x))", "p += 7 * x"]
        case _:
            raise TypeError(f"{kind} is no leaf")
    return [indent + line for line in body]


def _shifted(raw: str | None, low: int) -> str:
    if not low:
        return f"{raw}"
    return f"({raw}) {'+' if low > 0 else '-'} {abs(low)}"


def _check(kind: Integer) -> list[str]:
    """A range that does not fill its bits must be checked."""
    if kind.high - kind.low + 1 == 1 << kind.bits:
        return []
    return [
        f"if x > {kind.high}:",
        f"    raise Malformed('integer', f'{{x}} not in {kind.low}..{kind.high}')",
    ]


def _known(names: tuple[str, ...]) -> list[str]:
    if len(names) & (len(names) - 1) == 0:
        return []
    return [f"if x >= {len(names)}:", "    raise Malformed('enumeration', f'no value {x}')"]


def _length(low: int, high: int) -> list[str]:
    width = (high - low).bit_length()
    lines = [f"x = read_bits(b, p, {width}) + {low}", f"p += {width}"]
    return [*lines, f"if x > {high}:", "    raise Malformed('length', f'{x}')"]
