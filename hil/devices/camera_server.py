"""MJPEG over HTTP, small: one thread a client, the newest picture to each, slow clients skip."""

from __future__ import annotations

import socket
import time

from hil.devices.picture_port import PicturePort

BOUNDARY = "rsu-frame"
REQUEST_BYTES = 4096
SEND_S = 2.0
HEAD = (
    "HTTP/1.1 200 OK\r\nServer: virtual-camera\r\nCache-Control: no-store\r\n"
    f"Content-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\n\r\n"
)


class CameraServer(PicturePort):
    """The stream at any path, one picture at /still.jpg."""

    scheme = "http"

    def serve(self, client: socket.socket) -> None:
        """Answer its request."""
        client.settimeout(SEND_S)
        request = client.recv(REQUEST_BYTES).split(b" ")
        if len(request) > 1 and request[1] == b"/still.jpg":
            jpeg = self.line.newest
            head = f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            client.sendall(head.encode() + jpeg)
            return
        client.sendall(HEAD.encode())
        self._stream(client)

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
            self.told(shown, now)
