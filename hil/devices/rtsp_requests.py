"""Requests and answers of RTSP (RFC 2326), and the frames between them (10.12): bytes in, requests out."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LARGEST_REQUEST = 8192
BLANK = b"\r\n\r\n"
LINE = re.compile(r"([A-Z_]{1,20}) (\S{1,2000}) RTSP/1\.0")
REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    454: "Session Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}


class Unreadable(Exception):
    """What comes is no RTSP."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]


class RequestReader:
    """Feed it what the socket gives."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive(self, data: bytes) -> Iterator[Request]:
        """Requests completed by these bytes; the client's own frames are passed over. Raises Unreadable."""
        self._buffer += data
        while self._buffer:
            if self._buffer[:1] == b"$":
                if len(self._buffer) < 4:
                    return
                size = 4 + struct.unpack_from(">H", self._buffer, 2)[0]
                if len(self._buffer) < size:
                    return
                del self._buffer[:size]
                continue
            end = self._buffer.find(BLANK)
            if end < 0:
                if len(self._buffer) > LARGEST_REQUEST:
                    raise Unreadable("a request without an end")
                return
            request = self._request(bytes(self._buffer[:end]).decode("latin-1"), end + len(BLANK))
            if request is None:
                return
            yield request

    def _request(self, head: str, size: int) -> Request | None:
        """The request with this head; None until its body, which says nothing to us, is whole."""
        first, *lines = head.lstrip("\r\n").split("\r\n")
        asked = LINE.fullmatch(first)
        if asked is None:
            raise Unreadable(first[:60])
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)
        }
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            raise Unreadable("a body of no length")
        if len(self._buffer) < size + int(length):
            return None
        del self._buffer[: size + int(length)]
        return Request(asked.group(1), asked.group(2), headers)


def answer(status: int, request: Request, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """An answer with the request's number."""
    rows = {"CSeq": request.headers.get("cseq", "0"), **headers}
    if body:
        rows["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"RTSP/1.0 {status} {REASONS[status]}\r\n{head}\r\n".encode() + body


def interleaved(channel: int, packet: bytes) -> bytes:
    """A packet as it travels on the connection of the requests."""
    return struct.pack(">cBH", b"$", channel, len(packet)) + packet
