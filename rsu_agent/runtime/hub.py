"""Where the other processes meet the core: a listening socket in the run folder, one link a role."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.link import Link
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
ROLE = "role"
RETRY_S = 0.2
LISTEN_BACKLOG = 8


def hub_path(run_dir: Path) -> Path:
    """Where the core listens."""
    return run_dir / "core.link"


class Hub:
    """The core's side: accepts links, hears them, remembers the newest of each role.

    `connected` and `gone` are told of a role; a process whose successor is there already goes unsaid.
    """

    def __init__(self, run_dir: Path, hear: Callable[[str, str, Any], None]) -> None:
        self._path = hub_path(run_dir)
        self._hear = hear
        self.links: dict[str, Link] = {}
        self.connected: Callable[[str], None] = lambda _role: None
        self.gone: Callable[[str], None] = lambda _role: None

    async def run(self) -> None:
        """Serve until cancelled."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.setblocking(False)
            listener.bind(str(self._path))
            os.chmod(self._path, 0o600)
            listener.listen(LISTEN_BACKLOG)
            async with anyio.create_task_group() as tasks:
                while True:
                    await anyio.wait_readable(listener)
                    with contextlib.suppress(BlockingIOError):
                        tasks.start_soon(self._serve, Link(listener.accept()[0]))

    def send(self, role: str, topic: str, noun: Any, *, newest: bool = False) -> bool:
        """Send to the process of this role; False when it is not there."""
        link = self.links.get(role)
        if link is None:
            return False
        link.send(topic, noun, newest=newest)
        return True

    async def _serve(self, link: Link) -> None:
        role, lost = "?", False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(link.run_sender)
                while True:
                    topic, noun = await link.receive()
                    if topic == ROLE:
                        role = str(noun)
                        self.links[role] = link
                        self.connected(role)
                    else:
                        self._hear(role, topic, noun)
        except* DeviceLost as closed:
            lost = True
            log.info("link to %s closed: %s", role, closed.exceptions[0])
        finally:
            if self.links.get(role) is link:
                del self.links[role]
                if lost:  # and it is not we who end
                    self.gone(role)
            link.close()


async def join(run_dir: Path, role: str, clock: Clock) -> Link:
    """The other side: a link to the core, waiting until the core listens."""
    while True:
        end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            end.connect(str(hub_path(run_dir)))
        except OSError:
            end.close()
            await clock.sleep(RETRY_S)
            continue
        link = Link(end)
        link.greet(ROLE, role)
        return link
