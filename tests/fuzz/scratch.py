"""A folder for databases that lives as long as the process; in memory where the machine has such a place."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path


@cache
def _root() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="rsu-fuzz-", dir=memory if memory.is_dir() else None)


def folder() -> Path:
    """A new folder each time."""
    return Path(tempfile.mkdtemp(dir=_root().name))
