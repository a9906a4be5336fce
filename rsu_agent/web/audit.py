"""Who did what on the page and when: lines that are only ever added, for half a year and longer."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from rsu_agent.web.accounts import owned_as

FILE, BEFORE = "audit.jsonl", "audit.1.jsonl"
MOST_BYTES = 8 << 20  # some 60,000 lines; then the file before it goes


class Audit:
    """The file in `folder`. Raises OSError: what cannot be written down is not done."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, who: str, what: str, **more: Any) -> None:
        """One line, on disk when this returns."""
        path = self._folder / FILE
        if path.exists() and path.stat().st_size > MOST_BYTES:
            path.replace(self._folder / BEFORE)
        line = json.dumps({"utc_s": round(time.time(), 3), "who": who, "what": what, **more})
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        owned_as(self._folder, path)

    def lines(self, most: int) -> list[dict[str, Any]]:
        """The newest, the oldest of them first."""
        told: list[dict[str, Any]] = []
        for name in (BEFORE, FILE):
            path = self._folder / name
            if path.exists():
                told += [line for text in path.read_text().splitlines() if (line := _line(text)) is not None]
        return told[-most:]


def _line(text: str) -> dict[str, Any] | None:
    try:
        told = json.loads(text)
    except ValueError:  # the power went while it was written
        return None
    return told if isinstance(told, dict) else None
