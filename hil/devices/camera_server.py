"""MJPEG over HTTP, small: one thread a client, the newest picture to each, slow clients skip."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

from hil.devices.camera_line import Line

BOUNDARY = "rsu-frame"
REQUEST_BYTES = 4096
SEND_S = 2.0
HEAD = (
    "HTTP/1.1 200 OK\r\nServer: virtual-camera\r\nCache-Control: no-store\r\n"
    f"Content-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\n\r\n"
)


class CameraServer:
    """`show` puts up a picture; `sent` hears (frame, instant at which its first byte left the camera).

    A slow line (`line.delay_s`) lies behind the camera: it makes pictures late, not their stamps.
    """

    def __init__(self, sent: Callable[[int, float], None], port: int = 0) -> None:
        self._sent = sent
        self.line = Line()
        self._listener: socket.socket | None = None
        self._clients: set[socket.socket] = set()
        self.port = port
        self.silent = False
        self.spoil: Callable[[bytes], bytes] = lambda data: data
        self._told = -1
        self.open()

    def open(self) -> None:
        """Listen, on the same port as before."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(8)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse and cut everybody, as an unplugged camera does."""
        if self._listener is not None:
            _cut(self._listener)
            self._listener = None
        for client in list(self._clients):
            _cut(client)

    def show(self, frame: int, jpeg: bytes) -> None:
        """The newest picture."""
        self.line.put(frame, jpeg)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._clients.add(client)
        try:
            client.settimeout(SEND_S)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request = client.recv(REQUEST_BYTES).split(b" ")
            if len(request) > 1 and request[1] == b"/still.jpg":
                jpeg = self.line.newest
                head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                client.sendall(head.encode() + jpeg)
                return
            client.sendall(HEAD.encode())
            self._stream(client)
        except OSError:
            pass
        finally:
            self._clients.discard(client)
            client.close()

    def _stream(self, client: socket.socket) -> None:
        last = -1
        while True:
            shown = self.line.after(last)
            last, jpeg = shown.frame, shown.jpeg
            if self.silent:
                continue
            now, held_s = time.monotonic(), shown.due_s - shown.left_s
            head = (
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n"
                f"X-Frame-Number: {last}\r\nX-Timestamp: {time.time() - held_s:.6f}\r\n\r\n"
            )
            client.sendall(self.spoil(head.encode() + jpeg + b"\r\n"))
            if last > self._told:
                self._told = last
                self._sent(last, now - held_s)


def _cut(sock: socket.socket) -> None:
    """Close at once: a thread that waits in accept or send would keep the bare close from taking effect."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
