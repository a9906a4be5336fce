"""However `rsu demo` ends, nothing that it started goes on: Ctrl-C, a closed terminal, SIGTERM, SIGKILL."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LONG_S = 120.0


def mentioning(word: str) -> list[int]:
    """Processes whose command line has this word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(path.parent.name))
    return found


def started(process: subprocess.Popen[str]) -> Path:
    """The run's folder, once everything is up: the last of what the demo says about where to look."""
    assert process.stdout is not None
    for line in process.stdout:
        if "--run " in line:
            return Path(line.split("--run ")[1].strip())
    raise AssertionError("the demo ended before it was up")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_after_the_demo(by: signal.Signals, short_path: Path) -> None:
    command = [sys.executable, "-m", "rsu_agent.cli.main", "demo", "--page-port", "0"]
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(short_path), "HOME": str(short_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        run_dir = started(process)
        assert len(mentioning(str(run_dir))) >= 12
        process.send_signal(by)
        status = process.wait(LONG_S)
    deadline = time.monotonic() + LONG_S
    while (left := mentioning(str(run_dir))) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    if by is not signal.SIGKILL:
        assert (status, list(short_path.glob("rsu-demo-*"))) == (0, []), "ended as asked, nothing left behind"
