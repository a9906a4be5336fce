"""The way of all poles to the broker: it can be cut, and stay down for a while."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.trouble import DeviceLost


class Line:
    """Opens connections of the product's own. `cuts`: connections ended by it; `opened`: ever made."""

    def __init__(self) -> None:
        self.up = True
        self.cuts = self.opened = 0
        self._sessions: set[Session] = set()

    @property
    def connected(self) -> int:
        """Connections now."""
        return len(self._sessions)

    @asynccontextmanager
    async def open(self, broker: Broker, will: tuple[str, bytes] | None = None) -> AsyncIterator[Session]:
        """One attempt. Raises DeviceLost while the line is down."""
        self._look()
        async with connect(broker, will) as session:
            self._look()
            self._sessions.add(session)
            self.opened += 1
            try:
                yield session
            finally:
                self._sessions.discard(session)

    def cut(self) -> None:
        """Every connection, at once and without a word to either end's MQTT."""
        for session in self._sessions:
            stream = session._client._client.socket()
            if isinstance(stream, socket.socket):
                self.cuts += 1
                with suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)

    def _look(self) -> None:
        if not self.up:
            raise DeviceLost("refused", "the line is down")
