"""What the tests of the command line share: running rsu as a person does, and an agent that answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil.answering_socket import answering_socket

RSU = [sys.executable, "-P", "-m", "rsu_agent.cli.main"]
GENEROUS_S = 60.0
GOOD: dict[str, Any] = {
    "site": "virtual-12",
    "signal": {"control": "local", "plan": 1, "stage": 2, "age_s": 0.1, "end_error_p95_s": 0.1},
    "spat": {"valid": True, "reason": None, "sent": 12},
    "users": 3,
    "radio": {"sent": 12, "failed": 0},
    "uplink": {"backlog": 0, "acked": 9, "connected": True},
    "clock": {"bound_ms": 2.0, "source": "chrony", "trusted": True},
    "devices": [{"device": "controller", "kind": "controller", "state": "ok", "reason": "", "detail": ""}],
    "hazards": [],
}


def rsu(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, away from a terminal."""
    env = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **environ}
    command = [*RSU, *map(str, arguments)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=GENEROUS_S, check=False)


def one_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The object that stands alone on stdout, on one line."""
    assert done.stdout.endswith("\n"), done
    assert done.stdout.count("\n") == 1, done.stdout
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


@contextmanager
def agent(path: Path, answer: bytes | dict[str, Any], status: int = 200) -> Iterator[Path]:
    """An agent's control socket that gives every caller the same answer."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    server = answering_socket(path, lambda: body, status)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def deaf_agent(path: Path) -> Iterator[socket.socket]:
    """A socket that takes callers and never says a word."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(4)
        yield listener
