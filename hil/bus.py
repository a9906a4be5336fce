"""The rig's own bus: devices of one run tell each other what is true, over unix datagrams in its folder."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from pathlib import Path
from typing import Any

import msgpack

RECEIVE_BUFFER_BYTES = 4 << 20  # some seconds of user snapshots, for a subscriber that stalls
LARGEST_MESSAGE_BYTES = 200_000
_serial = itertools.count()


class Subscription:
    """One subscriber's socket. Select on `fileno()`, then `get()` until None."""

    def __init__(self, folder: Path, topics: tuple[str, ...]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{next(_serial)}.{'+'.join(topics)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self._socket.bind(str(self._path))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def get(self) -> tuple[str, dict[str, Any]] | None:
        """The next message as (topic, message), or None when there is none now."""
        try:
            data = self._socket.recv(LARGEST_MESSAGE_BYTES)
        except BlockingIOError:
            return None
        topic, message = msgpack.unpackb(data, strict_map_key=False)
        return topic, message

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class Bus:
    """Publish and subscribe among the rig's processes of one run; `run_dir` is the run's folder.

    Topics: `lamps` {t, groups: {group: colour}}; `users` {t, users: [...]}; `fault` {device, name, on};
    `event` {t, ...}. `t` is CLOCK_MONOTONIC in seconds: the rig's true clock.
    """

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "bus"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def publish(self, topic: str, message: dict[str, Any]) -> None:
        """Give a message to every subscriber of the topic; one that is full or gone misses it."""
        data = msgpack.packb([topic, message])
        for path in self._folder.glob("*.*"):
            if topic in path.name.split(".", 1)[1].split("+"):
                with contextlib.suppress(OSError):
                    self._socket.sendto(data, str(path))

    def subscribe(self, *topics: str) -> Subscription:
        """Hear these topics from now on."""
        return Subscription(self._folder, topics)
