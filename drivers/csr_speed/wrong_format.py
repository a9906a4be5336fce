"""The trap of a mode without framing: bytes of another format read as believable speeds."""

from __future__ import annotations

import re
from collections import deque

from drivers.csr_speed.reader import Format
from drivers.csr_speed.wire import WAYS

LOOKED_BYTES = 24
PATTERNS: dict[Format, re.Pattern[bytes]] = {
    "ascii": re.compile(rb"(?:[+*-][0-9]{3}){3}"),
    "two_bytes": re.compile(b"(?:[" + bytes(WAYS) + b"][\x00\x05-\xf0]){4}"),
    "byte": re.compile(b"[\x00\x05-\x29\x3a-\xf0]{16}"),  # none of ASCII's signs and digits
}


class WrongFormat:
    """Looks at the last bytes of a line that was opened as one format."""

    def __init__(self, form: Format) -> None:
        self._others = {name: pattern for name, pattern in PATTERNS.items() if name != form}
        self._tail: deque[int] = deque(maxlen=LOOKED_BYTES)

    def see(self, data: bytes) -> Format | None:
        """The format that these bytes are in, where it is surely another one."""
        self._tail.extend(data[-LOOKED_BYTES:])
        tail = bytes(self._tail)
        found = next((name for name, pattern in self._others.items() if pattern.search(tail)), None)
        if found is not None:
            self._tail.clear()  # so that the same bytes are not counted twice
        return found
