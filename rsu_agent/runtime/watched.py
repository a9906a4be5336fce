"""The watch over what was sent, with its metric: rate, gaps, stamps, SPAT against MAP."""

from __future__ import annotations

import logging

from prometheus_client import Counter

from rsu_agent.messages.recognise import recognise
from rsu_agent.messages.standards import set_of
from rsu_agent.outlets.message_sets import MESSAGE_SETS, Speech
from rsu_agent.outlets.sent_watch import FAULTS, SentWatch
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Watch
from rsu_agent.runtime.time_trust import TimeTrust

log = logging.getLogger(__name__)
SENT_FAULTS = Counter("rsu_sent_faults_total", "Faults found in what had been sent, by kind.", ["kind"])


class Watched(Watch):
    """One crossing's."""

    def __init__(self, said: Speech, kinds: tuple[str, str], clock: Clock, trust: TimeTrust) -> None:
        made = MESSAGE_SETS[said.standard]
        self._clock, self._trust = clock, trust
        self.sent_watch = SentWatch(
            *kinds,
            made.rules(said).read,
            lambda frame: recognise(frame, set_of(said.standard)).value,
        )
        for kind in FAULTS:
            SENT_FAULTS.labels(kind)

    def sent(self, kind: str, frame: bytes, now_s: float) -> None:
        """Look at it, count and log what is wrong."""
        stamp = self._trust.instant(now_s, self._clock.utc_s()).stamp
        for fault in self.sent_watch.sent(kind, frame, now_s, stamp):
            SENT_FAULTS.labels(fault).inc()
            log.warning("what was sent is at fault: %s", fault)

    def silent(self) -> None:
        """SPAT is silent, on purpose."""
        self.sent_watch.silent()
