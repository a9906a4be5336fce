"""The district's process itself, started as an operator starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.web.made_up import until


@dataclass(frozen=True)
class Receiving:
    """A running district. `port`: of its broker; `api`: address of its page."""

    process: subprocess.Popen[bytes]
    port: int
    api: str


@contextmanager
def district(folder: Path, database: str, *options: Any, point: str = "") -> Iterator[Receiving]:
    """`python -m rsu_agent.district.main`, until it says that it is ready. point: where it kills itself."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "rsu_agent.district.main", "--database", database, "--ready", str(ready)]
    environment = os.environ | {"RSU_CHAOS_POINT": point}
    process = subprocess.Popen([*command, "--api-port", "0", *map(str, options)], env=environment)
    try:
        until(ready.exists, lambda: process.poll() is None)
        told = json.loads(ready.read_text())
        yield Receiving(process, told["port"], told["api"])
    finally:
        process.terminate()
        process.wait(30)
