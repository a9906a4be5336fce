"""The model of a schema: the few kinds of type that the road's message sets are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Integer:
    """Constrained whole number: value - low in `bits` bits.

    extensible: any other number is lawful too, with a length in front.
    """

    low: int
    high: int
    extensible: bool = False

    @property
    def bits(self) -> int:
        """Width on the wire (X.691 11.5.6)."""
        return (self.high - self.low).bit_length()


@dataclass(frozen=True, slots=True)
class Boolean:
    """One bit."""


@dataclass(frozen=True, slots=True)
class Enumerated:
    """Names in the order of their numbers; index over the root values. later: names after the marker."""

    names: tuple[str, ...]
    extensible: bool = False
    later: tuple[str, ...] = ()

    @property
    def bits(self) -> int:
        """Width of the index."""
        return (len(self.names) - 1).bit_length()


@dataclass(frozen=True, slots=True)
class BitString:
    """Value (bytes, size); low == high: no length on the wire. Bit 0 is the first on the wire."""

    low: int
    high: int
    extensible: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OctetString:
    """low == high: no length on the wire."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Text:
    """IA5String (7 bits a character), NumericString (4 bits), UTF8String (bytes behind their length)."""

    kind: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class OpenType:
    """Bytes with their length: what they mean hangs on a number beside them."""


@dataclass(frozen=True, slots=True)
class SequenceOf:
    """A list with its bounds; extensible: a longer list is lawful, with another length in front."""

    low: int
    high: int
    item: Type
    extensible: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One component. A DEFAULT counts as optional: what was sent stays visible, what was not is absent."""

    name: str
    type: Type
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A structure. Additions beyond an extension marker are kept as raw bytes under the key `...`."""

    fields: tuple[Field, ...]
    extensible: bool = False

    @property
    def optional(self) -> tuple[Field, ...]:
        """The fields with a presence bit, in wire order."""
        return tuple(field for field in self.fields if field.optional)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: (name, value). An unknown one is ('ext:3', raw bytes)."""

    fields: tuple[Field, ...]
    extensible: bool = False

    @property
    def bits(self) -> int:
        """Width of the index."""
        return (len(self.fields) - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Reference:
    """A type named elsewhere."""

    name: str


Leaf = Integer | Boolean | Enumerated | BitString | OctetString | Text | OpenType
Type = Leaf | SequenceOf | Sequence | Choice | Reference


class Schema(dict[str, Type]):
    """Types by name, in the order of their text."""

    @cached_property
    def used_once(self) -> frozenset[str]:
        """The types that are named in one place only."""
        uses = Counter(name for kind in self.values() for name in _named_in(kind))
        return frozenset(name for name, count in uses.items() if count == 1)


def _named_in(kind: Type) -> Iterator[str]:
    match kind:
        case Reference(name=name):
            yield name
        case Sequence(fields=fields) | Choice(fields=fields):
            for field in fields:
                yield from _named_in(field.type)
        case SequenceOf(item=item):
            yield from _named_in(item)


def resolve(kind: Type, schema: Mapping[str, Type]) -> Type:
    """The type behind names."""
    while isinstance(kind, Reference):
        kind = schema[kind.name]
    return kind
