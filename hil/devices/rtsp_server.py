"""A small RTSP server of one picture stream (RFC 2326, JPEG by RFC 2435): interleaved TCP only."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from hil.devices.camera_line import Shown
from hil.devices.picture_port import PicturePort, cut
from hil.devices.rtp_jpeg import PAYLOAD_TYPE, Packer, parts_of
from hil.devices.rtsp_requests import Request, RequestReader, Unreadable, answer, interleaved

SEND_S = 2.0
SESSION = "73010001"
PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
TCP = "RTP/AVP/TCP"


@dataclass
class Faults:
    """What the server does wrong until it is taken back.

    stall: takes connections and says nothing. freeze: the same picture for ever, with stamps that go on.
    black: black ones. stamp_rate: how quickly stamps pass; below 1 the stream looks as if ever more of it
    waited somewhere.
    """

    stall: bool = False
    freeze: bool = False
    black: bool = False
    stamp_rate: float = 1.0


class RtspServer(PicturePort):
    """Pictures are baseline, 4:2:0 or 4:2:2.

    login: user and password that DESCRIBE must bring (Basic). asked: requests heard, with their Transport.
    """

    scheme = "rtsp"

    def __init__(
        self,
        sent: Callable[[int, float], None] = lambda _frame, _at_s: None,
        port: int = 0,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.faults = Faults()
        self.asked: list[tuple[str, str]] = []
        self._login = (
            None if login is None else "Basic " + base64.b64encode(":".join(login).encode()).decode()
        )
        self._kept: bytes | None = None
        super().__init__(sent, port)

    def show(self, frame: int, jpeg: bytes) -> None:
        """The newest picture."""
        if self.faults.freeze:
            jpeg = self._kept = self._kept or jpeg
        else:
            self._kept = None
        super().show(frame, _blackened(jpeg) if self.faults.black else jpeg)

    def serve(self, client: socket.socket) -> None:
        """Answer its requests."""
        _Player(self, client).serve()

    def admits(self, request: Request) -> bool:
        """Whether a request brings the login, where one is needed."""
        return self._login is None or request.headers.get("authorization") == self._login


class _Player:
    """One client: this thread reads its requests, another sends it pictures once it plays."""

    def __init__(self, server: RtspServer, client: socket.socket) -> None:
        self._server, self._client = server, client
        self._sending = threading.Lock()
        self._channel: int | None = None
        self._plays = False
        self._gone = False

    def serve(self) -> None:
        """Until the client goes or is cut."""
        reader = RequestReader()
        try:
            while data := self._client.recv(4096):
                for request in reader.receive(data):
                    self._server.asked.append((request.method, request.headers.get("transport", "")))
                    if not self._server.faults.stall:
                        self._send(self._answer(request))
                    if request.method == "TEARDOWN":
                        return
        except Unreadable:
            return
        finally:
            self._gone = True

    def _answer(self, request: Request) -> bytes:
        match request.method:
            case "OPTIONS":
                return answer(200, request, {"Public": PUBLIC})
            case "DESCRIBE" if not self._server.admits(request):
                return answer(401, request, {"WWW-Authenticate": 'Basic realm="camera"'})
            case "DESCRIBE":
                about = {"Content-Type": "application/sdp", "Content-Base": request.url.rstrip("/") + "/"}
                return answer(200, request, about, _description())
            case "SETUP":
                return self._set_up(request)
            case "PLAY" if self._channel is not None:
                if not self._plays:
                    self._plays = True
                    threading.Thread(target=self._play, daemon=True).start()
                return answer(200, request, {"Session": SESSION, "Range": "npt=0-"})
            case "PLAY":
                return answer(454, request, {})
            case "GET_PARAMETER" | "TEARDOWN":
                return answer(200, request, {"Session": SESSION})
        return answer(501, request, {"Public": PUBLIC})

    def _set_up(self, request: Request) -> bytes:
        for wish in request.headers.get("transport", "").split(","):
            kind, *rest = wish.strip().split(";")
            if kind == TCP:
                channels = next((each[12:] for each in rest if each.startswith("interleaved=")), "0-1")
                first = channels.split("-")[0]
                self._channel = int(first) & 0xFE if first.isdecimal() else 0
                pair = f"{self._channel}-{self._channel + 1}"
                transport = f"{TCP};unicast;interleaved={pair}"
                return answer(200, request, {"Session": f"{SESSION};timeout=60", "Transport": transport})
        return answer(461, request, {})

    def _play(self) -> None:
        packer, last = Packer(0x52535501), -1
        try:
            while not self._gone:
                shown = self._server.line.after(last)
                last = shown.frame
                if not (self._server.silent or self._server.faults.stall):
                    began_s = time.monotonic()
                    self._send_picture(packer, shown)
                    self._server.told(shown, began_s)
        except OSError:
            cut(self._client)

    def _send_picture(self, packer: Packer, shown: Shown) -> None:
        assert self._channel is not None
        parts = parts_of(shown.jpeg)
        parts = replace(parts, scan=self._server.spoil(parts.scan))
        stamp_s = shown.left_s * self._server.faults.stamp_rate
        self._send(b"".join(interleaved(self._channel, p) for p in packer.packets(parts, stamp_s)))

    def _send(self, data: bytes) -> None:
        with self._sending:
            self._client.settimeout(SEND_S)
            self._client.sendall(data)
            self._client.settimeout(None)


def _description() -> bytes:
    rows = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=virtual camera",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=rtpmap:26 JPEG/90000",
        "a=control:track1",
    ]
    return "".join(f"{row}\r\n" for row in rows).encode()


def _blackened(jpeg: bytes) -> bytes:
    """A black picture of the same size."""
    parts = parts_of(jpeg)
    done, data = cv2.imencode(".jpg", np.zeros((parts.height, parts.width, 3), np.uint8))
    assert done
    return data.tobytes()
