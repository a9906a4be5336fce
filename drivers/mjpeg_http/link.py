"""MJPEG over HTTP: bytes in, pictures out; parts with and without Content-Length; bounded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

LARGEST_HEAD = 16 << 10
LARGEST_PICTURE = 8 << 20
BLANK = b"\r\n\r\n"
STATUS = re.compile(rb"^HTTP/1\.[01] (\d{3})")
BOUNDARY = re.compile(rb'boundary="?([^";\r\n]+)"?', re.IGNORECASE)
LENGTH = re.compile(rb"^content-length:\s*(\d{1,9})\s*$", re.IGNORECASE | re.MULTILINE)
NUMBER = re.compile(rb"^x-frame-number:\s*(\d{1,18})\s*$", re.IGNORECASE | re.MULTILINE)
START, END = b"\xff\xd8", b"\xff\xd9"


class Refused(Exception):
    """An answer that is no MJPEG stream."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One JPEG and when its first byte came; number is the camera's own, or None."""

    jpeg: bytes
    first_byte_s: float
    number: int | None


class MjpegReader:
    """Feed it what the socket gives."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._boundary: bytes | None = None
        self._head: tuple[int | None, int | None] | None = None
        self._first_s = 0.0
        self.counters: Counter[str] = Counter()

    def receive(self, data: bytes, arrived_s: float) -> Iterator[Picture]:
        """Pictures completed by these bytes. Raises Refused."""
        fresh = len(self._buffer) <= len(BLANK) and not self._buffer.strip()  # a part's own line end
        self._buffer += data
        if fresh:
            self._first_s = arrived_s
        if self._boundary is None and not self._read_answer():
            return
        while (picture := self._part(arrived_s)) is not None:
            yield picture

    def _read_answer(self) -> bool:
        end = self._buffer.find(BLANK)
        if end < 0:
            if len(self._buffer) > LARGEST_HEAD:
                raise Refused("no HTTP answer")
            return False
        head = bytes(self._buffer[:end])
        del self._buffer[: end + len(BLANK)]
        status = STATUS.match(head)
        if status is None or status.group(1) != b"200":
            raise Refused(head.split(b"\r\n")[0].decode("latin-1", "replace"))
        boundary = BOUNDARY.search(head)
        if boundary is None:
            raise Refused("the answer is no multipart stream")
        self._boundary = b"--" + boundary.group(1).strip().lstrip(b"-")
        return True

    def _part(self, arrived_s: float) -> Picture | None:
        """The next whole picture; parts that are none are counted and passed over."""
        while self._head is not None or self._part_head():
            assert self._head is not None
            length, number = self._head
            body = self._sized(length) if length is not None else self._unsized()
            if body is None:
                return None
            self._head = None
            first_s, self._first_s = self._first_s, arrived_s
            if body.startswith(START) and END in body[-64:]:
                return Picture(body, first_s, number)
            self.counters["not_jpeg"] += 1
        return None

    def _part_head(self) -> bool:
        """Find the next boundary and its head; what lies before is noise."""
        assert self._boundary is not None
        while (at := self._buffer.find(self._boundary)) >= 0:
            self.counters["noise_bytes"] += at if at > 2 else 0
            del self._buffer[:at]
            end = self._buffer.find(BLANK)
            if (len(self._buffer) if end < 0 else end) > LARGEST_HEAD:
                self.counters["bad_heads"] += 1
                del self._buffer[: len(self._boundary)]
                continue
            if end < 0:
                return False
            head = bytes(self._buffer[:end])
            del self._buffer[: end + len(BLANK)]
            length, number = LENGTH.search(head), NUMBER.search(head)
            size = int(length.group(1)) if length else None
            if size is None or size <= LARGEST_PICTURE:
                self._head = size, int(number.group(1)) if number else None
                return True
            self.counters["too_large"] += 1
        keep = len(self._boundary)
        if len(self._buffer) > LARGEST_HEAD:
            self.counters["noise_bytes"] += len(self._buffer) - keep
            del self._buffer[:-keep]
        return False

    def _sized(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return self._cut_short()
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _cut_short(self) -> bytes | None:
        """A boundary inside an unfinished picture: bytes were lost, the part is given up."""
        assert self._boundary is not None
        at = self._buffer.find(b"\r\n" + self._boundary)
        if at < 0:
            return None
        self.counters["cut_short"] += 1
        body = bytes(self._buffer[:at])
        del self._buffer[:at]
        return body

    def _unsized(self) -> bytes | None:
        assert self._boundary is not None
        at = self._buffer.find(b"\r\n" + self._boundary)
        if at < 0:
            if len(self._buffer) > LARGEST_PICTURE:
                self.counters["too_large"] += 1
                self._buffer.clear()
                self._head = None
            return None
        body = bytes(self._buffer[:at])
        del self._buffer[:at]
        return body
