"""A port that serves one camera's pictures: who comes, who goes, and what all of them get."""

from __future__ import annotations

import contextlib
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from hil.devices.camera_line import Line, Shown

WAITING = 8


class PicturePort(ABC):
    """`show` puts up a JPEG picture; every client gets the newest, slow ones skip.

    sent: hears (frame, instant at which its first byte left the camera), once a frame that somebody got. A
    slow line (`line.delay_s`) lies behind the camera: it makes pictures late, not their stamps.
    silent: clients are kept, and get no picture. spoil: damages pictures on their way.
    """

    scheme: ClassVar[str]

    def __init__(self, sent: Callable[[int, float], None], port: int = 0) -> None:
        self._sent = sent
        self.line = Line()
        self.port = port
        self.silent = False
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self._told = -1
        self._listener: socket.socket | None = None
        self._clients: set[socket.socket] = set()
        self.open()

    @property
    def url(self) -> str:
        """Where the stream is."""
        return f"{self.scheme}://127.0.0.1:{self.port}/stream"

    def open(self) -> None:
        """Listen, on the same port as before."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(WAITING)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse and cut everybody, as an unplugged camera does."""
        if self._listener is not None:
            cut(self._listener)
            self._listener = None
        for client in list(self._clients):
            cut(client)

    def show(self, frame: int, jpeg: bytes) -> None:
        """The newest picture."""
        self.line.put(frame, jpeg)

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """One client, until it goes or is cut; in a thread of its own. May raise OSError."""

    def told(self, shown: Shown, at_s: float) -> None:
        """A picture's first byte came off the line at at_s."""
        if shown.frame > self._told:
            self._told = shown.frame
            self._sent(shown.frame, at_s - (shown.due_s - shown.left_s))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._keep, args=(client,), daemon=True).start()

    def _keep(self, client: socket.socket) -> None:
        self._clients.add(client)
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.serve(client)
        except OSError:
            pass
        finally:
            self._clients.discard(client)
            cut(client)


def cut(sock: socket.socket) -> None:
    """Close at once: a thread that waits in accept or send would keep the bare close from taking effect."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
