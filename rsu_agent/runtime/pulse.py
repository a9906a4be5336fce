"""What core and parent say to each other: heartbeat, last-word frame. Standard library only."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

LARGEST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class LastWord:
    """A ready-made unavailable frame and where it goes; msgCnt is patched before each sending."""

    frame: bytes
    host: str
    port: int


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


def patch_count(frame: bytes, count: int) -> bytes:
    """A CSAE SPAT frame with another msgCnt: the upper seven bits of byte 1 (field-rules 4)."""
    return bytes([frame[0], (count & 0x7F) << 1 | frame[1] & 1]) + frame[2:]
