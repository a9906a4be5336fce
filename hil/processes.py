"""The rig's child processes: started, waited for until ready, started again when killed, ended by id."""

from __future__ import annotations

import contextlib
import ctypes
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_S = 60.0  # the first start compiles byte code and the vehicle's decoder
STOP_S = 10.0
POLL_S = 0.05
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LIBC = ctypes.CDLL(None)


class RigFailure(Exception):
    """A virtual device did not come up; says which and shows the end of its log."""


@dataclass
class Child:
    """One process: `ready` is the file it writes once it is up (None: nothing to wait for)."""

    name: str
    command: list[str]
    ready: Path | None
    again: bool = True
    process: subprocess.Popen[bytes] | None = None
    ends: list[int] = field(default_factory=list)


class Processes:
    """Starts and ends children; their output goes to files in `logs`."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._logs.mkdir(parents=True, exist_ok=True)
        self.children: dict[str, Child] = {}

    def start(self, name: str, command: list[str], ready: Path | None = None, *, again: bool = True) -> Child:
        """Start a process under a name."""
        child = Child(name, command, ready, again)
        self.children[name] = child
        self._spawn(child)
        return child

    def module(self, name: str, module: str, *arguments: str, ready: Path | None = None) -> Child:
        """Start `python -m module arguments`."""
        return self.start(name, [sys.executable, "-m", module, *arguments], ready)

    def wait_ready(self, *names: str) -> None:
        """Until all of these are up. Raises RigFailure."""
        deadline = time.monotonic() + READY_S
        for name in names:
            child = self.children[name]
            while child.ready is not None and not _filled(child.ready):
                if child.process is not None and child.process.poll() is not None:
                    raise RigFailure(
                        f"{name} ended with status {child.process.returncode}\n{self.tail(name)}"
                    )
                if time.monotonic() > deadline:
                    raise RigFailure(f"{name} is not ready after {READY_S:g} s\n{self.tail(name)}")
                time.sleep(POLL_S)

    def look(self) -> list[str]:
        """Start again what has ended unexpectedly; names of those."""
        ended = []
        for child in self.children.values():
            if child.process is not None and child.again and (status := child.process.poll()) is not None:
                child.ends.append(status)
                ended.append(child.name)
                if child.ready is not None:
                    child.ready.unlink(missing_ok=True)
                self._spawn(child)
        return ended

    def stop(self, *names: str) -> None:
        """End these (all when none is named), in the order given, cleanly if they can."""
        chosen = [self.children[name] for name in names or list(self.children)[::-1] if name in self.children]
        for child in chosen:
            child.again = False
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for child in chosen:
            if child.process is None:
                continue
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def tail(self, name: str, lines: int = 12) -> str:
        """The end of a process's log."""
        path = self._logs / f"{name}.log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def told(self, name: str) -> dict[str, Any]:
        """What a process said in its ready file."""
        ready = self.children[name].ready
        value: dict[str, Any] = json.loads(ready.read_text()) if ready else {}
        return value

    def _spawn(self, child: Child) -> None:
        with (self._logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(
                child.command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=end_with_the_parent,
            )


def end_with_the_parent() -> None:
    """In a child: asks the kernel for a SIGTERM when its parent is gone without having ended it (Linux)."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """A closed terminal and a SIGTERM end a verb as Ctrl-C does: with everything it started."""
    ends = (signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.signal(number, signal.default_int_handler) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
