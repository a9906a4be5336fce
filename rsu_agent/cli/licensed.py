"""Messages of SAE J2735 whose text may not be passed on, read with the operator's own licensed files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rsu_agent.settings.language import say
from rsu_agent.wire.uper import Malformed


class SchemaFault(ValueError):
    """Files that are no ASN.1 or lack a type; says which."""


class Licensed:
    """A schema compiled at run time by asn1tools. Raises ImportError without it, OSError, SchemaFault."""

    def __init__(self, files: list[Path]) -> None:
        import asn1tools

        self._files = ", ".join(path.name for path in files)
        text = "\n".join(path.read_text(encoding="utf-8") for path in files)
        try:
            self._types = asn1tools.compile_string(text, "uper")
        except (asn1tools.CompileError, asn1tools.ParseError) as error:
            raise SchemaFault(f"{self._files}: {error}") from None
        self._fault = asn1tools.DecodeError

    def read(self, name: str, body: bytes) -> Any:
        """The message as JSON has it. Raises Malformed."""
        if name not in self._types.types:
            raise Malformed(name, say("{files} has no type of that name", files=self._files))
        try:
            return _plain(self._types.decode(name, body))
        except (self._fault, IndexError, ValueError, OverflowError) as error:
            raise Malformed(name, f"{type(error).__name__}: {error}") from None


def indented(value: Any) -> str:
    """A value for people, without knowing its types."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case (bytes() as raw, int() as size):
            return {"bits": f"{int.from_bytes(raw, 'big') >> (-size & 7):0{size}b}"}
        case (str() as name, one):
            return {name: _plain(one)}
        case bytes():
            return value.hex()
    return value
