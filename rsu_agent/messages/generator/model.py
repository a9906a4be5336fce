"""The model of a schema: the few kinds of type that the road's message sets are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Integer:
    """Constrained whole number: value - low in `bits` bits."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """Width on the wire (X.691 11.5.6)."""
        return (self.high - self.low).bit_length()


@dataclass(frozen=True, slots=True)
class Enumerated:
    """Names in the order of their numbers; index over the root values."""

    names: tuple[str, ...]
    extensible: bool

    @property
    def bits(self) -> int:
        """Width of the index."""
        return (len(self.names) - 1).bit_length()


@dataclass(frozen=True, slots=True)
class BitString:
    """Fixed size; value (bytes, size)."""

    size: int
    extensible: bool
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OctetString:
    """low == high: no length on the wire."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Ia5String:
    """Seven bits a character."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class SequenceOf:
    """A list with its bounds."""

    low: int
    high: int
    item: Type


@dataclass(frozen=True, slots=True)
class Field:
    """One component."""

    name: str
    type: Type
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """A structure."""

    fields: tuple[Field, ...]
    extensible: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    fields: tuple[Field, ...]
    extensible: bool

    @property
    def bits(self) -> int:
        """Width of the index."""
        return (len(self.fields) - 1).bit_length()


@dataclass(frozen=True, slots=True)
class Reference:
    """A type named elsewhere."""

    name: str


Type = Integer | Enumerated | BitString | OctetString | Ia5String | SequenceOf | Sequence | Choice | Reference
Schema = dict[str, Type]
