"""A UDP port that can vanish and come back, as a device on a cable does. Same number for ever."""

from __future__ import annotations

import socket
from collections.abc import Callable


class UdpPort:
    """`dress` sets options on every socket before it is bound."""

    def __init__(self, port: int = 0, dress: Callable[[socket.socket], None] = lambda _: None) -> None:
        self.port, self._dress = port, dress
        self.socket: socket.socket | None = None
        self.plug()

    def plug(self) -> None:
        """Listen on loopback."""
        if self.socket is None:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._dress(self.socket)
            self.socket.bind(("127.0.0.1", self.port))
            self.port = self.socket.getsockname()[1]

    def unplug(self) -> None:
        """Be away: who sends is refused."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None
