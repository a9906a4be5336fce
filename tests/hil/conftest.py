"""What the rig's tests share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder of its own with a name short enough for the rig's sockets."""
    with tempfile.TemporaryDirectory(prefix="rsu", dir="/tmp") as folder:
        yield Path(folder)
