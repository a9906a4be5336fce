"""A mosquitto of our own, on loopback and a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
ANYBODY = "allow_anonymous true\nset_tcp_nodelay true\n"
STARTS_S = 20.0
LOOK_S = 0.02


@contextmanager
def mosquitto(folder: Path, extra: str = ANYBODY) -> Iterator[int]:
    """The port of a broker that runs while the context lasts. Raises OSError where it does not come up."""
    if MOSQUITTO is None:
        raise FileNotFoundError("mosquitto is not installed (make tools)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    user = "user root\n" if os.geteuid() == 0 else ""
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\n{user}{extra}")
    process = subprocess.Popen([MOSQUITTO, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    end_s = time.monotonic() + STARTS_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(LOOK_S)
        else:
            return
    raise OSError(f"mosquitto did not come up on port {port}")
