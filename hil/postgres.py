"""A PostgreSQL of our own: in a temporary folder, run by an ordinary user, on a unix socket, fsync on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
INITDB = shutil.which("initdb") or next(
    (str(b / "initdb") for b in BINARIES[::-1] if (b / "initdb").exists()), None
)
MISSING = "postgresql is not installed (make tools)"
STARTS_S = 60


@contextmanager
def cluster() -> Iterator[str]:
    """The address of a fresh, empty cluster; initdb and the server refuse root, so another user runs them."""
    assert INITDB
    folder = Path(tempfile.mkdtemp(prefix="rsu-pg-"))
    user = _user()
    if user:
        shutil.chown(folder, user)
    data, binaries = folder / "data", Path(INITDB).parent
    try:
        _run(
            user,
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "rsu",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        )
        options = (
            f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=on -c max_connections=40"
        )
        control = [str(binaries / "pg_ctl"), "-D", str(data), "-l", str(folder / "log")]
        _run(user, *control, "-w", "-t", str(STARTS_S), "-o", options, "start")
        try:
            yield f"postgresql://rsu@/postgres?host={folder}"
        finally:
            _run(user, *control, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str | None:
    """Who runs it: ourselves, or where we are root somebody who owns nothing."""
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def _run(user: str | None, *command: str) -> None:
    done = subprocess.run(
        command, user=user, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
