"""Reads the ETSI modules that pycrate ships into schema text. Development only: no pole runs pycrate."""

from __future__ import annotations

from typing import Any

ALL_BITS = {"TimeMark": "0..65535"}  # editions differ in its range, not in its bits: the set checks it
STRUCTURES = ("SEQUENCE", "CHOICE", "SEQUENCE OF")
TEXTS = ("IA5String", "NumericString", "UTF8String")


def schema_text(module: str, tops: list[Any], origin: str) -> str:
    """One module with every type that the tops reach. Raises ValueError on a kind the subset lacks."""
    types: dict[str, str] = {}
    for top in tops:
        _reference(top, top._name, types)
    head = f"-- {origin}\n-- Written by `make generate`; do not edit.\n"
    body = "\n\n".join(f"{name} ::= {text}" for name, text in types.items())
    return f"{head}{module} DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n\n{body}\n\nEND\n"


def _reference(kind: Any, name: str, types: dict[str, str]) -> str:
    """The name of a type, added to the types if it is new; a leaf narrowed in its place is written out."""
    if kind._typeref is not None:
        name = kind._typeref.called[1]
    if name not in types:
        types[name] = ""  # its place: before what it is made of
        types[name] = _text(kind, name, types)
    elif kind.TYPE not in STRUCTURES and (own := _text(kind, name, types)) != types[name]:
        return own
    return name


def _text(kind: Any, name: str, types: dict[str, str]) -> str:
    match kind.TYPE:
        case "SEQUENCE" | "CHOICE":
            return _fields(kind, name, types)
        case "SEQUENCE OF":
            return f"SEQUENCE {_size(kind)} OF {_component(kind._cont, f'{name}-item', types)}"
        case "INTEGER":
            more = ", ..." if kind._const_val.ext is not None else ""
            return f"INTEGER ({ALL_BITS.get(name) or _range(kind._const_val)}{more})"
        case "ENUMERATED":
            return _enumerated(kind)
        case "BIT STRING":
            named = ", ".join(f"{bit}({at})" for bit, at in (kind._cont or {}).items())
            return f"BIT STRING {{ {named} }} {_size(kind)}" if named else f"BIT STRING {_size(kind)}"
        case "OCTET STRING":
            return f"OCTET STRING {_size(kind)}"
        case "BOOLEAN":
            return "BOOLEAN"
        case "OPEN_TYPE":
            return "OCTET STRING"  # the same bits: a length and the bytes
        case text if text in TEXTS:
            return f"{text} {_size(kind)}"
    raise ValueError(f"{name}: {kind.TYPE} is outside the subset")


def _component(kind: Any, name: str, types: dict[str, str]) -> str:
    """A named type's name; what has none is written out, or named after its place if it has parts."""
    if kind.TYPE == "SEQUENCE OF" and kind._cont.TYPE == "SEQUENCE" and "regExtValue" in kind._cont._cont:
        types.setdefault("RegionalExtensions", "SEQUENCE (SIZE(1..4)) OF RegionalExtension")
        _extension(kind._cont, types)
        return "RegionalExtensions"
    if kind._typeref is not None or kind.TYPE in STRUCTURES:
        return _reference(kind, name, types)
    return _text(kind, name, types)


def _extension(kind: Any, types: dict[str, str]) -> None:
    number = _range(kind._cont["regionId"]._const_val)
    types.setdefault(
        "RegionalExtension",
        f"SEQUENCE {{\n    regionId INTEGER ({number}),\n    regExtValue OCTET STRING\n}}",
    )


def _fields(kind: Any, name: str, types: dict[str, str]) -> str:
    lines = []
    for field, part in kind._cont.items():
        if field in (kind._ext or []):
            raise ValueError(f"{name}.{field}: an addition that is known is outside the subset")
        line = f"    {field} {_component(part, f'{name}-{field}', types)}"
        if part._def is not None:
            line += f" DEFAULT {part._def}"
        lines.append(line + (" OPTIONAL" if part._opt else ""))
    if kind._ext is not None:
        lines.append("    ...")
    return f"{kind.TYPE} {{\n" + ",\n".join(lines) + "\n}"


def _enumerated(kind: Any) -> str:
    root = [f"{value}({kind._cont[value]})" for value in kind._root]
    if kind._ext is not None:
        root += ["...", *(f"{value}({kind._cont[value]})" for value in kind._ext)]
    return f"ENUMERATED {{ {', '.join(root)} }}"


def _range(constraint: Any) -> str:
    part = constraint.root[0]
    return f"{part}..{part}" if isinstance(part, int) else f"{part.lb}..{part.ub}"


def _size(kind: Any) -> str:
    part = kind._const_sz.root[0]
    size = str(part) if isinstance(part, int) else f"{part.lb}..{part.ub}"
    return f"(SIZE({size}, ...))" if kind._const_sz.ext is not None else f"(SIZE({size}))"
