"""What goes on air: one radio, kept open; everything sent or held is counted and recorded."""

from __future__ import annotations

from collections import Counter

import anyio
from prometheus_client import Counter as Metric

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Radio
from rsu_agent.ports.recording import Recorder
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.supervise import DeviceKeeper

SENT = Metric("rsu_radio_sent_total", "Messages handed to the radio.", ["kind"])
HELD = Metric("rsu_radio_held_total", "Messages that were held back.", ["kind", "reason"])


class Watch:
    """Who looks at what was sent; this one does not."""

    def sent(self, kind: str, frame: bytes, now_s: float) -> None:
        """A message has been handed to the radio."""

    def silent(self) -> None:
        """SPAT is silent, on purpose."""

    def held(self, kind: str, reason: str) -> None:
        """A message was held back."""

    def round_over(self) -> None:
        """All frames of one round of road users, or of hazards, have been handed over."""


class Air:
    """The way out. `send` never waits for a radio that is not there."""

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        keeper: DeviceKeeper,
        watch: Watch | None = None,
        mtu_bytes: int = 65_000,
    ) -> None:
        self._clock, self._recorder, self._keeper = clock, recorder, keeper
        self._mtu_bytes = mtu_bytes
        self.watch = watch or Watch()
        self.ears: list[Watch] = []  # others who are told of the same
        self._radio: Radio | None = None
        self._broken = anyio.Event()
        self.sent: Counter[str] = Counter()
        self.failed = 0
        self.last: dict[str, tuple[float, bytes]] = {}

    async def use(self, radio: Radio) -> None:
        """Use a radio until it breaks. Raises DeviceLost then."""
        self._radio, self._broken = radio, anyio.Event()
        self._keeper.serving()
        try:
            await self._broken.wait()
            raise DeviceLost("closed", "the radio refused a message")
        finally:
            self._radio = None

    @property
    def radio(self) -> Radio | None:
        """The radio in use now."""
        return self._radio

    async def send(self, kind: str, frame: bytes) -> None:
        """Hand one message over."""
        now_s = self._clock.now_s()
        self.last[kind] = now_s, frame
        if self._radio is None:
            self.hold(kind, frame, "no_radio")
            return
        if len(frame) > self._mtu_bytes:
            self.hold(kind, frame, "too_large")
            return
        try:
            await self._radio.send(kind, frame)
        except DeviceLost:
            self.failed += 1
            self._broken.set()
            self.hold(kind, frame, "refused")
            return
        self.watch.sent(kind, frame, now_s)
        for ear in self.ears:
            ear.sent(kind, frame, now_s)
        self.sent[kind] += 1
        SENT.labels(kind).inc()
        self._recorder.record("/air", now_s, kind=kind, sent=True, data=frame)

    def round_over(self) -> None:
        """What was sent last of road users, or of hazards, was all of it."""
        for ear in self.ears:
            ear.round_over()

    def hold(self, kind: str, frame: bytes | None, reason: str, detail: str = "") -> None:
        """A message that was not sent, and why."""
        HELD.labels(kind, reason).inc()
        for ear in self.ears:
            ear.held(kind, reason)
        told = {"kind": kind, "sent": False, "reason": reason, "data": frame or b""}
        if detail:
            told["detail"] = detail
        self._recorder.record("/air", self._clock.now_s(), **told)
