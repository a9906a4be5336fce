"""How wide a type can be on the wire, and so what is written out in place and what is a function."""

from __future__ import annotations

from rsu_agent.messages.generator.model import (
    BitString,
    Boolean,
    Choice,
    Enumerated,
    Integer,
    OctetString,
    Reference,
    Schema,
    Sequence,
    SequenceOf,
    Type,
    resolve,
)

INLINE_LEAVES = 8  # a structure of at most so many leaves is written out where it is used
INLINE_ONCE_LEAVES = 24  # and one of so many if that is one place
WINDOW_BITS = 480  # at most so many bits are read from the message at once


def fixed_bits(kind: Type, schema: Schema) -> int | None:
    """Bits of a leaf whose width never changes, else None."""
    match resolve(kind, schema):
        case Integer(extensible=False) as number:
            return number.bits
        case Boolean():
            return 1
        case Enumerated(extensible=False) as names:
            return names.bits
        case BitString(low=low, high=high, extensible=False) if low == high:
            return low
        case OctetString(low=low, high=high) if low == high:
            return 8 * low
    return None


def most_bits(kind: Type, schema: Schema) -> int | None:
    """The most bits a type can take without extensions; None: it has lists, text or open types in it."""
    kind = resolve(kind, schema)
    match kind:
        case Enumerated(extensible=True) | Integer(extensible=True):
            return kind.bits + 1
        case BitString(low=low, high=high, extensible=True) if low == high:
            return low + 1
        case Sequence(extensible=False):
            widths = [most_bits(field.type, schema) for field in kind.fields]
            return None if None in widths else sum(w for w in widths if w is not None) + len(kind.optional)
        case Choice(extensible=False):
            widths = [most_bits(field.type, schema) for field in kind.fields]
            return None if None in widths else max(w for w in widths if w is not None) + kind.bits
    return fixed_bits(kind, schema)


def inlined(kind: Type, schema: Schema) -> bool:
    """Whether a type is written out where it is used: leaves with fixed places and small plain structures."""
    once = isinstance(kind, Reference) and kind.name in schema.used_once
    most = INLINE_ONCE_LEAVES if once else INLINE_LEAVES
    return most_bits(kind, schema) is not None and leaves(kind, schema) <= most


def has_function(kind: Reference, schema: Schema) -> bool:
    """Whether a named type has an encoder and a decoder of its own."""
    return isinstance(schema[kind.name], (Sequence, Choice, SequenceOf)) and not inlined(kind, schema)


def leaves(kind: Type, schema: Schema) -> int:
    """How many leaves a structure without lists has."""
    kind = resolve(kind, schema)
    if isinstance(kind, (Sequence, Choice)):
        return sum(leaves(field.type, schema) for field in kind.fields)
    return 1


def windows(kinds: list[Type], schema: Schema) -> list[tuple[list[int], int]]:
    """Runs of components read from one window: (their indices, bits); 0 bits: one that reads for itself."""
    runs: list[tuple[list[int], int]] = []
    for index, kind in enumerate(kinds):
        width = most_bits(kind, schema) if inlined(kind, schema) else None
        if width is None:
            runs.append(([index], 0))
        elif runs and runs[-1][1] and runs[-1][1] + width <= WINDOW_BITS:
            runs[-1] = ([*runs[-1][0], index], runs[-1][1] + width)
        else:
            runs.append(([index], max(1, width)))
    return runs
