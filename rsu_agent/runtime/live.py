"""Live data in the core: read back from what went on air, handed to the uplink process."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from rsu_agent.messages.recognise import Read, recognise
from rsu_agent.messages.standards import set_of
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.live_rates import Rates
from rsu_agent.outlets.live_road import events_body, objects_body
from rsu_agent.outlets.live_signals import changed, spat_body
from rsu_agent.outlets.rules import Rules
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Watch
from rsu_agent.runtime.live_sender import LIVE, TOPIC
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.wire.uper import Malformed

log = logging.getLogger(__name__)
EARLY_S = 0.02  # a tick that comes so much early still counts as the next one
RATES_HOLD_S = 3.0  # the uplink process tells them every second
ROAD = {"RSM": "objs", "RSI": "event", "DENM": "event"}

Send = Callable[[str, dict[str, Any]], bool]


class LiveTap(Watch):
    """One of the ears of the air: only frames that were handed to the radio get here.

    own: the rates without a lease. send: to the uplink process, False when it is not there.
    """

    def __init__(
        self,
        standard: str,
        spat_kind: str,
        rules: Rules,
        own: Rates,
        clock: Clock,
        trust: TimeTrust,
        send: Send,
    ) -> None:
        self._standard, self._spat_kind, self._rules = standard, spat_kind, rules
        self._own, self._clock, self._trust, self._send = own, clock, trust, send
        self._told, self._told_s = own, 0.0
        self._round: list[tuple[str, bytes]] = []
        self._last_s: dict[str, float] = {}
        self._numbers: Counter[str] = Counter()
        self._spat: dict[str, Any] | None = None
        self._events: frozenset[int] = frozenset()

    def rates_told(self, value: dict[str, Any]) -> None:
        """The uplink process says what is leased; nothing heard for three seconds: nothing is."""
        try:
            self._told, self._told_s = Rates.of(value), self._clock.now_s()
        except (KeyError, TypeError, ValueError) as error:
            log.warning("rates that cannot be: %s", error)

    def sent(self, kind: str, frame: bytes, now_s: float) -> None:
        """A frame went on air."""
        if kind == self._spat_kind:
            self._said(frame, now_s)
        elif kind in ROAD:
            self._round.append((kind, frame))

    def round_over(self) -> None:
        """The frames since the last round are one cycle of road users, or all hazards that last."""
        frames, self._round = self._round, []
        if not frames:
            return
        stream, now_s = ROAD[frames[0][0]], self._clock.now_s()
        rates = self._rates(now_s)
        hz = rates.objs_hz if stream == "objs" else rates.event_hz
        utc_us = self._utc_us(now_s)
        due = self._due(stream, hz, now_s)
        if utc_us is None or hz == 0.0 or (stream == "objs" and not due):
            return
        try:
            read = [recognise(frame, set_of(self._standard)) for _, frame in frames]
            body = _body(stream, read, utc_us, hz)
        except (Malformed, KeyError, TypeError) as error:
            LIVE.labels(stream, "unreadable").inc()
            log.warning("live %s: %s", stream, error)
            return
        if body is None or not (due or self._news(body)):
            return
        self._give(stream, body, [frame for _, frame in frames], rates, now_s)

    def _said(self, frame: bytes, now_s: float) -> None:
        utc_us = self._utc_us(now_s)
        if utc_us is None:
            return
        try:
            stamp = self._trust.instant(now_s, self._clock.utc_s()).stamp
            body = spat_body(self._rules.read(frame, stamp), self._rules, utc_us)
        except NotSpat as error:
            LIVE.labels("spat", "unreadable").inc()
            log.warning("live SPaT: %s", error)
            return
        rates = self._rates(now_s)
        if changed(self._spat, body) or self._due("spat", rates.spat_hz, now_s):
            self._spat = body
            self._give("spat", body, [frame], rates, now_s)

    def _news(self, body: dict[str, Any]) -> bool:
        """Whether an event has begun or ended since the last message."""
        return frozenset(event["i"] for event in body["ev"] if event["s"] == "on") != self._events

    def _give(
        self, stream: str, body: dict[str, Any], frames: list[bytes], rates: Rates, now_s: float
    ) -> None:
        self._last_s[stream] = now_s
        if stream == "event":
            self._events = frozenset(event["i"] for event in body["ev"] if event["s"] == "on")
        self._numbers[stream] += 1
        body |= {"q": self._numbers[stream], "m": self._standard}
        if rates.frames:
            body["f"] = [frame.hex() for frame in frames]
        self._send(f"{TOPIC} {stream}", body)

    def _due(self, stream: str, hz: float, now_s: float) -> bool:
        last_s = self._last_s.get(stream)
        return hz > 0.0 and (last_s is None or now_s - last_s >= 1.0 / hz - EARLY_S)

    def _rates(self, now_s: float) -> Rates:
        return self._told if now_s - self._told_s <= RATES_HOLD_S else self._own

    def _utc_us(self, now_s: float) -> int | None:
        """None while the clock is not trusted: nothing can be said to hold until an instant."""
        utc_s = self._trust.instant(now_s, self._clock.utc_s()).utc_s
        if utc_s is None:
            LIVE.labels("all", "no_clock").inc()
        return None if utc_s is None else round(utc_s * 1e6)


def _body(stream: str, read: list[Read], utc_us: int, hz: float) -> dict[str, Any] | None:
    if stream == "objs":
        hold_s = min(1.0 / hz, 1.0) + 0.5
        return objects_body((each.value for each in read), utc_us, round(hold_s * 1e6))
    return events_body(((each.name, each.value) for each in read), utc_us)
