"""What goes on air: one radio, kept open; everything sent or held is counted and recorded."""

from __future__ import annotations

import base64
from collections import Counter

import anyio
from prometheus_client import Counter as Metric

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Radio
from rsu_agent.ports.recording import Recorder
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.pulse import Pulse
from rsu_agent.runtime.supervise import DeviceKeeper

SENT = Metric("rsu_radio_sent_total", "Messages handed to the radio.", ["kind"])
HELD = Metric("rsu_radio_held_total", "Messages that were held back.", ["kind", "reason"])


class Air:
    """The way out. `send` never waits for a radio that is not there."""

    def __init__(self, clock: Clock, recorder: Recorder, keeper: DeviceKeeper) -> None:
        self._clock, self._recorder, self._keeper = clock, recorder, keeper
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
    def last_word_address(self) -> tuple[str, int] | None:
        """Where the parent may send the last word, for radios that take bare datagrams."""
        return getattr(self._radio, "last_word_address", None)

    async def send(self, kind: str, frame: bytes) -> None:
        """Hand one message over."""
        now_s = self._clock.now_s()
        self.last[kind] = now_s, frame
        if self._radio is None:
            self.hold(kind, frame, "no_radio")
            return
        try:
            await self._radio.send(kind, frame)
        except DeviceLost:
            self.failed += 1
            self._broken.set()
            self.hold(kind, frame, "refused")
            return
        self.sent[kind] += 1
        SENT.labels(kind).inc()
        self._recorder.record("/air", now_s, kind=kind, sent=True, data=frame)

    def hold(self, kind: str, frame: bytes | None, reason: str) -> None:
        """A message that was not sent, and why."""
        HELD.labels(kind, reason).inc()
        self._recorder.record(
            "/air", self._clock.now_s(), kind=kind, sent=False, reason=reason, data=frame or b""
        )


def arm_last_word(pulse: Pulse | None, frame: bytes, address: tuple[str, int] | None) -> None:
    """Hand the parent the frame that it sends when we fall silent."""
    if pulse is not None and address is not None:
        host, port = address
        pulse.send("last_word", frame=base64.b64encode(frame).decode(), host=host, port=port)
