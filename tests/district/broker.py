"""A mosquitto of the tests' own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rsu_agent.district.broker import free_port
from tests.web.made_up import until

MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")


@contextmanager
def mosquitto(folder: Path, extra: str = "allow_anonymous true\n") -> Iterator[int]:
    """The port of a broker that runs while the context lasts."""
    assert MOSQUITTO
    port = free_port()
    user = "user root\n" if os.geteuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\n{user}{extra}")
    process = subprocess.Popen([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), lambda: process.poll() is None)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
