"""The SPAT and MAP loops of the core: when to speak, what came of it, the heartbeat to the parent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anyio
from prometheus_client import Counter, Gauge, Histogram

from rsu_agent.messages.frames import MapFrames
from rsu_agent.outlets.guard_table import OWN_FAULTS
from rsu_agent.outlets.schedule import SpatSchedule
from rsu_agent.outlets.spat_speaker import SpatSpeaker, Spoken
from rsu_agent.outlets.valid_share import ValidShare
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Radio
from rsu_agent.ports.recording import Recorder
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.map_memory import MapMemory
from rsu_agent.runtime.pulse import LastWord, Pulse
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.world.signal import Programme, SignalReport
from rsu_agent.world.witness import HeadsSeen

LATE_S = 0.050  # a judge that woke so late drains its line first and judges so much later
MAP_PERIOD_S = 1.0
VALID = Gauge("rsu_spat_valid", "1 while SPAT says something, 0 while it is unavailable.")
AGREES = Gauge(
    "rsu_witness_agreement_ratio",
    "1 while cameras see what is reported, 0 not, NaN without opinion.",
    ["group"],
)
UNCONTRADICTED = Gauge(
    "rsu_witness_colour_valid", "0 while nothing is said of a group that its cameras contradict.", ["group"]
)
SEEN = Gauge("rsu_witness_seen_age_seconds", "Age of the newest picture with an opinion.", ["group"])
RATIO = Gauge("rsu_spat_valid_ratio", "Share of the last ten minutes in which SPAT said something.")
FALSE_DEGRADE = Counter(
    "rsu_guard_false_degrade_total", "Degradations that no report caused, by the guard's cause.", ["cause"]
)
SILENCED = Counter("rsu_spat_silenced_total", "Frames that said nothing, by reason.", ["reason"])
LATENCY = Histogram(
    "rsu_spat_report_to_radio_seconds",
    "Last byte of a report with a change to the frame with it.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
)


class Speaking:
    """Owns the SPAT speaker and its schedule."""

    def __init__(
        self,
        speaker: SpatSpeaker,
        air: Air,
        trust: TimeTrust,
        clock: Clock,
        recorder: Recorder,
        pulse: Pulse | None,
        memory: MapMemory,
    ) -> None:
        self.speaker, self._air, self._trust = speaker, air, trust
        self._clock, self._recorder, self._pulse = clock, recorder, pulse
        self._memory = memory
        self._schedule = SpatSchedule(clock.now_s())
        self._wake = anyio.Event()
        self._changed_s: float | None = None
        self._armed: Radio | None = None
        self.newest: Spoken | None = None
        self.share = ValidShare()
        self.first_valid_s: float | None = None
        self.ticked: Callable[[str | None], None] = lambda _reason: None  # None: something was said
        self.spoke: Callable[[Spoken, float], None] = lambda _spoken, _now_s: None  # after each tick

    def saw(self, item: SignalReport | Programme) -> list[Any]:
        """What the controller said; a change of colour is due at once."""
        edges = self.speaker.saw(item)
        if edges and isinstance(item, SignalReport):
            self._changed_s = item.last_byte_s
            self._schedule.changed(self._clock.now_s())
            self._wake.set()
        return edges

    async def speak_due(self) -> None:
        """Speak now, if a frame is due: a change waits for no task's turn. What is late is left to `run`."""
        now_s = self._clock.now_s()
        if now_s - self._schedule.next_due_s() <= LATE_S and self._schedule.due(now_s):
            await self._tick(now_s)

    def saw_heads(self, seen: HeadsSeen) -> None:
        """Lamps as a camera sees them; recorded, for replay."""
        self._recorder.record("/heads", self._clock.now_s(), noun=seen)
        self.speaker.saw_heads(seen)

    def measure_witness(self) -> None:
        """Set the metrics of the witness as they are now: a camera that is gone tells nothing any more."""
        now_s = self._clock.now_s()
        for group, stands in self.speaker.witness.agreement(now_s).items():
            AGREES.labels(str(group)).set(math.nan if stands.agrees is None else stands.agrees)
            UNCONTRADICTED.labels(str(group)).set(not stands.contradicted)
            SEEN.labels(str(group)).set(math.nan if stands.seen_s is None else now_s - stands.seen_s)

    def doubt(self, reason: str) -> None:
        """Something elsewhere forbids us to speak; told at the next tick, and recorded, for replay."""
        self._recorder.record("/doubt", self._clock.now_s(), reason=reason)
        self.speaker.tell_doubt(reason)

    async def run(self) -> None:
        """Speak on the grid and at changes, for ever."""
        while True:
            due_s = min(self._schedule.next_due_s(), self._stale_s())
            now_s = self._clock.now_s()
            if now_s < due_s:
                self._wake = anyio.Event()
                with self._clock.move_on_after(due_s - now_s):
                    await self._wake.wait()
                continue
            if now_s - due_s > LATE_S:
                await self._clock.sleep(LATE_S)
                now_s = self._clock.now_s()
            if self._schedule.due(now_s) or now_s >= self._stale_s():
                await self._tick(now_s)

    def _stale_s(self) -> float:
        """While we speak: when the newest report gets too old; told then, not a tick later."""
        stale_s = self.speaker.signals.stale_at_s
        return math.inf if stale_s is None or self.newest is None or not self.newest.valid else stale_s

    async def _tick(self, now_s: float) -> None:
        utc_s = self._clock.utc_s()
        instant, news = self._trust.instant(now_s, utc_s), self._memory.news(utc_s)
        spoken = self.speaker.speak(instant, news)
        self._recorder.record(
            "/spat",
            now_s,
            now_s=now_s,  # exact: a stamp is rounded to nanoseconds, and a countdown may turn on one
            utc_s=instant.utc_s,
            leap=instant.leap,
            map_news=news,
            valid=spoken.valid,
            reason=spoken.reason,
        )
        if spoken.frame is not None:
            await self._air.send(self.speaker.frames.kind, spoken.frame)
        else:
            self._air.watch.silent()
        if spoken.held is not None:
            detail = "" if spoken.verdict is None else spoken.verdict.detail
            self._air.hold(self.speaker.frames.kind, spoken.held, spoken.reason or "?", detail)
        self._account(spoken, now_s)
        self._beat()
        self.spoke(spoken, now_s)

    def _account(self, spoken: Spoken, now_s: float) -> None:
        spoke_before = self.newest is not None and self.newest.valid
        self.newest = spoken
        self.ticked(None if spoken.valid else spoken.reason or "?")
        VALID.set(spoken.valid)
        self.share.saw(now_s, valid=spoken.valid)
        RATIO.set(self.share.share or 0.0)
        if spoke_before and spoken.reason in OWN_FAULTS:
            FALSE_DEGRADE.labels(spoken.reason).inc()
        if not spoken.valid:
            SILENCED.labels(spoken.reason or "?").inc()
        elif self.first_valid_s is None:
            self.first_valid_s = now_s
        if self._changed_s is not None and spoken.valid:
            LATENCY.observe(max(0.0, now_s - self._changed_s))
            self._changed_s = None

    def _beat(self) -> None:
        """The heartbeat carries the last count; the frame goes along when the radio is another one."""
        if self._pulse is None:
            return
        radio = self._air.radio
        if radio is not self._armed and radio is not None:
            self._arm(self._pulse, radio)
            self._armed = radio
        self._pulse.send("heartbeat", count=self.speaker.frames.count)

    def _arm(self, pulse: Pulse, radio: Radio) -> None:
        """Hand the parent the datagram that it sends when we fall silent."""
        frames = self.speaker.frames
        ready, datagram = frames.ready, radio.last_word(frames.kind, frames.ready.frame)
        if datagram is None:
            return
        word = LastWord(
            datagram.data,
            datagram.host,
            datagram.port,
            ready.bits_behind,
            ready.every_frame,
            frames.ends_silent,
            datagram.stamp_at,
        )
        pulse.send("last_word", **word.plain())

    async def run_map(self, frames: MapFrames) -> None:
        """MAP once a second."""
        next_s = self._clock.now_s()
        while True:
            await self._clock.sleep_until(next_s)
            next_s += MAP_PERIOD_S
            instant = self._trust.instant(self._clock.now_s(), self._clock.utc_s())
            for frame in frames.frames(instant):
                await self._air.send(frames.kind, frame)
