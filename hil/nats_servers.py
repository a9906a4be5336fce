"""Three NATS servers with JetStream on loopback: their command lines, and whether one has caught up."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NATS = shutil.which("nats-server", path=os.environ.get("PATH", "") + ":/usr/sbin")
MISSING = "nats-server is not installed (make tools)"
NAMES = ("n1", "n2", "n3")
ASK_S = 1.0
STARTS_S, LOOK_S = 20.0, 0.02


@dataclass(frozen=True, slots=True)
class Node:
    """One server: ports of clients and of its monitoring page, and how it is started."""

    name: str
    port: int
    monitor: int
    command: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether it says that JetStream is on, has a leader, and its copies are current."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/healthz", timeout=ASK_S) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


@contextmanager
def one_server(folder: Path, port: int = 0) -> Iterator[int]:
    """The port of a single server, for what needs no second one; its streams stay in the folder."""
    assert NATS, MISSING
    port = port or free_ports(1)[0]
    command = [NATS, "-js", "-sd", str(folder / "nats"), "-a", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        end_s = time.monotonic() + STARTS_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end_s:
                raise OSError(f"nats-server did not come up on port {port}")
            time.sleep(LOOK_S)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def nodes(folder: Path) -> list[Node]:
    """Configurations of a cluster of three in the folder, on ports that are free now."""
    assert NATS, MISSING
    ports = free_ports(3 * len(NAMES))
    clients, routes, monitors = (ports[at :: len(NAMES)] for at in range(3))
    told = ", ".join(f"nats://127.0.0.1:{port}" for port in routes)
    made = []
    for name, port, route, monitor in zip(NAMES, clients, routes, monitors, strict=True):
        conf = folder / f"{name}.conf"
        conf.write_text(
            f'server_name: {name}\nlisten: "127.0.0.1:{port}"\nhttp: "127.0.0.1:{monitor}"\n'
            f'jetstream {{ store_dir: "{folder / name}", max_mem: 1GB }}\n'
            f'cluster {{ name: rsu, listen: "127.0.0.1:{route}", routes: [{told}] }}\n'
        )
        made.append(Node(name, port, monitor, (NATS, "-c", str(conf))))
    return made


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(count: int) -> list[int]:
    """TCP ports that are free now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
