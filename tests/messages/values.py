"""Random values of a schema's types, and the same values as each referee wants them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from rsu_agent.messages.generator import model as m

FULL_SHARE = 0.005  # lists that are as long as they may be
MOST_ITEMS = 4  # else
DEEP = 7  # below it lists are short: a full list of full lists is no message


def draw(kind: m.Type, schema: Mapping[str, m.Type], dice: random.Random, depth: int = 0) -> Any:
    """A value of a type."""
    kind = m.resolve(kind, schema)
    match kind:
        case m.Integer(low=low, high=high):
            return dice.choice([low, high, dice.randint(low, high), dice.randint(low, high)])
        case m.Boolean():
            return dice.random() < 0.5
        case m.Enumerated(names=names, later=later):
            return dice.choice(names + later)
        case m.BitString(low=low, high=high):
            size = dice.randint(low, high)
            return (dice.getrandbits(size) << (-size & 7)).to_bytes((size + 7) // 8, "big"), size
        case m.OctetString(low=low, high=high):
            return dice.randbytes(dice.randint(low, min(high, low + 40)))
        case m.Text():
            return text(kind, dice)
        case m.OpenType():
            return dice.randbytes(dice.choice([1, 2, 5, 130]))
        case m.SequenceOf():
            return [draw(kind.item, schema, dice, depth + 1) for _ in range(items(kind, dice, depth))]
        case m.Sequence(fields=fields):
            share = dice.choice([0.3, 0.5, 0.9])
            kept = [f for f in fields if not f.optional or dice.random() < share]
            return {f.name: draw(f.type, schema, dice, depth + 1) for f in kept}
        case m.Choice(fields=fields):
            field = dice.choice(fields)
            return field.name, draw(field.type, schema, dice, depth + 1)
    raise TypeError(kind)


def items(kind: m.SequenceOf, dice: random.Random, depth: int) -> int:
    """How many items a list gets."""
    if depth < DEEP and dice.random() < FULL_SHARE:
        return kind.high
    return dice.randint(kind.low, max(kind.low, min(kind.high, MOST_ITEMS if depth < DEEP else 1)))


def text(kind: m.Text, dice: random.Random) -> str:
    """Text within its bounds, of the characters that its kind may have."""
    size = dice.choice([kind.low, dice.randint(kind.low, min(kind.high, kind.low + 9)), kind.high])
    letters = {"IA5String": "".join(map(chr, range(32, 127))), "NumericString": "0123456789 "}
    return "".join(dice.choices(letters.get(kind.kind, "abcé路口"), k=size))


def for_pycrate(kind: m.Type, value: Any, schema: Mapping[str, m.Type]) -> Any:
    """The same value as pycrate takes it: bit strings as (number, size), open types wrapped."""
    kind = m.resolve(kind, schema)
    match kind:
        case m.BitString():
            return int.from_bytes(value[0], "big") >> (-value[1] & 7), value[1]
        case m.OpenType():
            return "_unk_004", value
        case m.SequenceOf(item=item):
            return [for_pycrate(item, one, schema) for one in value]
        case m.Sequence(fields=fields):
            return {f.name: for_pycrate(f.type, value[f.name], schema) for f in fields if f.name in value}
        case m.Choice(fields=fields):
            field = next(f for f in fields if f.name == value[0])
            return field.name, for_pycrate(field.type, value[1], schema)
    return value
