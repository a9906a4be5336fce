"""Wire tables: frozen dataclasses whose annotations are the layout."""

from __future__ import annotations

import dataclasses
import struct
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

U8 = Annotated[int, "B"]
I8 = Annotated[int, "b"]
U16 = Annotated[int, "H"]
I16 = Annotated[int, "h"]
U32 = Annotated[int, "I"]
I32 = Annotated[int, "i"]
U64 = Annotated[int, "Q"]
F32 = Annotated[float, "f"]

Row = TypeVar("Row")


class TooShort(ValueError):
    """Fewer bytes than the row needs; the text names row, offset and size."""


class Layout(Generic[Row]):
    """Reads and writes one row type. Fields without gaps, in the order of the dataclass.

    Field types are the names above or `Annotated[bytes, "4s"]` with any code of `struct`.
    """

    def __init__(self, row: type[Row], order: Literal["<", ">"]) -> None:
        hints = get_type_hints(row, include_extras=True)
        self._row = row
        self._names = [field.name for field in dataclasses.fields(row)]  # type: ignore[arg-type]
        self._struct = struct.Struct(order + "".join(_code(row, name, hints[name]) for name in self._names))
        self.size = self._struct.size

    def read(self, data: bytes | bytearray | memoryview, offset: int = 0) -> Row:
        """The row at this offset. Raises TooShort."""
        if len(data) - offset < self.size:
            raise TooShort(
                f"{self._row.__name__} at byte {offset} needs {self.size}, has {len(data) - offset}"
            )
        return self._row(*self._struct.unpack_from(data, offset))

    def read_all(self, data: bytes | bytearray | memoryview) -> list[Row]:
        """As many rows as the bytes are exactly. Raises TooShort for a rest."""
        if len(data) % self.size:
            raise TooShort(f"{len(data)} bytes are no whole number of {self._row.__name__} of {self.size}")
        return [self._row(*values) for values in self._struct.iter_unpack(data)]

    def write(self, row: Row) -> bytes:
        """The row's bytes. Raises struct.error for a value out of range."""
        return self._struct.pack(*(getattr(row, name) for name in self._names))


def _code(row: type[Any], name: str, hint: Any) -> str:
    codes = [item for item in getattr(hint, "__metadata__", ()) if isinstance(item, str)]
    if len(codes) != 1:
        raise TypeError(f"{row.__name__}.{name}: the annotation must carry one layout code")
    return codes[0]
