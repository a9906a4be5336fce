"""Our own name on air: a radio that repeats old frames, and somebody else who speaks for this crossing.

Both are heard only where the radio hands on what is received (`radio.receive_port`), of others or of itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter as Metric

from rsu_agent.outlets.bits import NotSpat
from rsu_agent.runtime.air import Watch
from rsu_agent.world.health import DeviceHealth, DeviceState

DEVICE = "air"
REPEATS, SECOND = "repeats", "second_speaker"
REMEMBERED = 2000  # frames that we sent: 100 s of them and more
OLD_S = 1.0  # nothing valid of ours may be heard later than this (field-rules 4, radio.holds_last_s)
GRACE_S = 5.0  # after our first frame: what our last run, or its last word, has sent is still under way
SURE, WITHIN_S = 3, 10.0  # so many frames in so short a time are no accident
LASTS_S = 60.0
HEARD = Metric("rsu_own_voice_total", "SPAT with our own identity that was heard on air.", ["what"])


class OwnVoice(Watch):
    """Compares SPAT heard on air with what we have sent.

    read: SPAT frame -> what has `node` and `region`, raises NotSpat; kind: what the air calls SPAT;
    identity: (node, region), ours. Monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[bytes], Any],
        kind: str,
        identity: tuple[int, int | None],
        tell: Callable[[DeviceHealth], None],
    ) -> None:
        self._read, self._kind, self._identity, self._tell = read, kind, identity, tell
        self._sent: OrderedDict[bytes, float] = OrderedDict()
        self._first_s: float | None = None
        self._heard = {what: deque[float](maxlen=SURE) for what in (REPEATS, SECOND)}
        self._told = ""
        self.counters: Counter[str] = Counter()

    def sent(self, kind: str, frame: bytes, now_s: float) -> None:
        """A frame of ours went to the radio."""
        if kind != self._kind:
            return
        self._first_s = now_s if self._first_s is None else self._first_s
        self._sent[_digest(frame)] = now_s
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        if self._told:
            self._judge(now_s)

    def overheard(self, frame: bytes, now_s: float) -> None:
        """Somebody's message came in by radio."""
        what = self._what(frame, now_s)
        if what is None:
            return
        self.counters[what] += 1
        HEARD.labels(what).inc()
        if what in self._heard:
            self._heard[what].append(now_s)
        self._judge(now_s)

    def _what(self, frame: bytes, now_s: float) -> str | None:
        """own, repeats, second_speaker; None: a message of others, or of no concern."""
        sent_s = self._sent.get(_digest(frame))
        if sent_s is not None:
            return REPEATS if now_s - sent_s > OLD_S else "own"
        if self._first_s is None or now_s - self._first_s < GRACE_S:
            return None
        try:
            spat = self._read(frame)
        except NotSpat:
            return None
        return SECOND if (spat.node, spat.region) == self._identity else None

    def _judge(self, now_s: float) -> None:
        """Tell when it begins and when it is over."""
        for what, heard in self._heard.items():
            if len(heard) == SURE and heard[-1] - heard[0] <= WITHIN_S and now_s - heard[-1] < LASTS_S:
                if self._told != what:
                    self._told = what
                    self._tell(DeviceHealth(DEVICE, DeviceState.DEGRADED, what, now_s))
                return
        if self._told:
            self._told = ""
            self._tell(DeviceHealth(DEVICE, DeviceState.OK, "ok", now_s))


def _digest(frame: bytes) -> bytes:
    return hashlib.blake2b(frame, digest_size=16).digest()
