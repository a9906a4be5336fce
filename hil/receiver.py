"""The district's receiver as a process of its own, beside a broker that can hold what many poles send."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from hil.mosquitto import ANYBODY
from hil.processes import RigFailure

QUEUES = ANYBODY + "max_queued_messages 100000\nmax_inflight_messages 1000\n"
LOOK_S = 0.05
ENDS_S = 20.0


@contextmanager
def receiver(database: str, port: int, folder: Path) -> Iterator[psutil.Process]:
    """While the context lasts; database: an SQLite file or postgresql://... Raises RigFailure."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "rsu_agent.district.main", "--database", database, "--ready", str(ready)]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    with (folder / "receiver.log").open("w") as log:
        process = subprocess.Popen([*command, *where], stderr=log)
    try:
        while not ready.exists():
            if process.poll() is not None:
                raise RigFailure((folder / "receiver.log").read_text()[-2000:])
            time.sleep(LOOK_S)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(ENDS_S)


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system)
