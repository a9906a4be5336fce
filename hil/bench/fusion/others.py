"""Peers over the same measurements; there are none where hil.bench.peers is not."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from hil.bench.fusion.result import Result


def _module() -> Any:
    try:
        return importlib.import_module("hil.bench.peers.track")
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith("hil.bench.peers"):
            raise
        return None


def names() -> tuple[str, ...]:
    """Which peers there are."""
    module = _module()
    return tuple(module.NAMES) if module else ()


def track(name: str, feed: Path) -> Result:
    """A peer's result over a file of measurements, kept beside it. Raises RigFailure."""
    module, out = _module(), feed.with_name(f"{feed.stem}-{name}.out.npz")
    module.track(name, feed.absolute(), out.absolute())
    return Result.load(out)
