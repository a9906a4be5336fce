"""The last word: the parent's own voice when the core has fallen silent. Standard library only."""

from __future__ import annotations

import contextlib
import socket
import time

from rsu_agent.runtime.pulse import LastWord
from rsu_agent.wire.counter import counted
from rsu_agent.wire.its_time import STAMP, its_stamp

SILENCE_S = 0.300  # field-rules 4: the core's heartbeat may be this old
PERIOD_S = 0.100
SPEAK_S = 5.0  # at 10 Hz for 5 s, then a set that ends silent stops


class LastWordSpeaker:
    """Armed by a heartbeat, silenced by the next one; says "unavailable" in between."""

    def __init__(self) -> None:
        self._word: LastWord | None = None
        self._count = 0
        self._first = True
        self._heard_s: float | None = None
        self._speaking_since_s: float | None = None
        self._next_s = 0.0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.spoken = 0

    def arm(self, word: LastWord) -> None:
        """Hold this frame from now on."""
        self._word = word

    def heartbeat(self, now_s: float, count: int) -> bool:
        """The core lives; its last msgCnt. True when words were spoken since its last heartbeat."""
        spoke = self._speaking_since_s is not None
        self._heard_s, self._count, self._first = now_s, count, True
        self._speaking_since_s = None
        return spoke

    def core_ended(self, now_s: float) -> None:
        """The core has ended: do not wait for its heartbeat to grow old."""
        if self._heard_s is not None and self._speaking_since_s is None:
            self._speaking_since_s = self._next_s = now_s
            self._heard_s = None

    def next_due_s(self) -> float | None:
        """When `tick` wants to be called, or None while there is nothing to say."""
        if self._word is None:
            return None
        if self._speaking_since_s is not None:
            over = self._word.ends_silent and self._next_s > self._speaking_since_s + SPEAK_S
            return None if over else self._next_s
        return None if self._heard_s is None else self._heard_s + SILENCE_S

    def tick(self, now_s: float) -> None:
        """Send what is due."""
        due_s = self.next_due_s()
        if due_s is None or now_s < due_s or self._word is None:
            return
        if self._speaking_since_s is None:
            self._speaking_since_s = now_s
        if self._word.every_frame or self._first:
            self._count += 1
        self._first = False
        with contextlib.suppress(OSError):
            self._socket.sendto(_fresh(self._word, self._count), (self._word.host, self._word.port))
        self.spoken += 1
        self._next_s = now_s + PERIOD_S


def _fresh(word: LastWord, count: int) -> bytes:
    """The datagram with its count and, where it has one, the time stamp of now."""
    frame = word.frame if word.bits_behind is None else counted(word.frame, word.bits_behind, count)
    if word.stamp_at is None:
        return frame
    stamped = bytearray(frame)
    STAMP.pack_into(stamped, word.stamp_at, its_stamp(time.time()))
    return bytes(stamped)
