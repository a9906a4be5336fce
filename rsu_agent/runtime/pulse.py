"""What core and parent say to each other: heartbeat, last-word frame. Standard library only."""

from __future__ import annotations

import base64
import json
import socket
from dataclasses import asdict, dataclass
from typing import Any

LARGEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class LastWord:
    """A ready-made datagram that says "unavailable", and where it goes.

    bits_behind: where its count stands (`wire.counter`), None: it has none. every_frame: the count goes up
    with each one sent, else only with the first. ends_silent: five seconds are enough. stamp_at: the byte at
    which a time stamp of GeoNetworking begins that is renewed before each sending, None: there is none.
    """

    frame: bytes
    host: str
    port: int
    bits_behind: int | None = None
    every_frame: bool = False
    ends_silent: bool = True
    stamp_at: int | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "frame": base64.b64encode(self.frame).decode()}

    @classmethod
    def of(cls, value: dict[str, Any]) -> LastWord:
        """From `plain`."""
        fields = {key: inner for key, inner in value.items() if key != "kind"}
        return cls(**{**fields, "frame": base64.b64decode(value["frame"])})


class Pulse:
    """One end of the socket pair between parent and core; messages are JSON objects, never waited for."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def send(self, kind: str, **fields: Any) -> bool:
        """Send one message; False when the other end cannot take it now or has gone."""
        try:
            self._socket.send(json.dumps({"kind": kind, **fields}).encode())
        except OSError:
            return False
        return True

    def receive(self) -> dict[str, Any] | None:
        """The next message, None when there is none now. Raises EOFError when the other end has gone."""
        try:
            data = self._socket.recv(LARGEST_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise EOFError(str(error)) from None
        if not data:
            raise EOFError("the other end has gone")
        message: dict[str, Any] = json.loads(data)
        return message

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def pulse_pair() -> tuple[Pulse, socket.socket]:
    """(the parent's end, the socket to hand to a child)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return Pulse(ours), theirs
