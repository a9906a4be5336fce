"""Folders for databases, of which the newest few live; in memory where the machine has such a place."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from functools import cache
from pathlib import Path

KEPT = 4  # one reader is alive at a time: a million of them would fill any memory
_folders: deque[Path] = deque()


@cache
def _root() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="rsu-fuzz-", dir=memory if memory.is_dir() else None)


def folder() -> Path:
    """A new folder each time; those before the last few are gone."""
    _folders.append(Path(tempfile.mkdtemp(dir=_root().name)))
    while len(_folders) > KEPT:
        shutil.rmtree(_folders.popleft(), ignore_errors=True)
    return _folders[-1]
