"""From reports to SPAT frames: outlook, encoding, guard, doubt. Pure, so that replay gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from rsu_agent.messages.frames import SpatFrames
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.doubts import SHORT_S, Doubts, Voice
from rsu_agent.outlets.guard import Guard, Ruling, Verdict
from rsu_agent.phases.history import Edge
from rsu_agent.phases.signals import Signals
from rsu_agent.phases.witness import Witness
from rsu_agent.wire.uper import Malformed
from rsu_agent.world.signal import Colour, GroupOutlook, Programme, SignalOutlook, SignalReport
from rsu_agent.world.witness import HeadsSeen

LINE_LOST = "line_lost"


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a tick gave: the frame to send (None: silence), whether it says something, and why not if not."""

    frame: bytes | None
    valid: bool
    reason: str | None
    outlook: SignalOutlook
    held: bytes | None = None
    verdict: Verdict | None = None


class SpatSpeaker:
    """One crossing's SPAT. Fed with what the controller says, asked at every tick what to send."""

    def __init__(self, frames: SpatFrames, guard: Guard, standing_doubt: str | None = None) -> None:
        self.signals, self.witness = Signals(), Witness()
        self._standing_doubt = standing_doubt
        self.frames, self.guard = frames, guard
        self.doubts = Doubts(ends_silent=frames.ends_silent)
        self.counters: Counter[str] = Counter()
        self._timeless: set[int] = set()
        self._told: str | None = None
        self._state: tuple[object, ...] = ()  # plan, mode and stage when we spoke last
        self._state_after: tuple[object, ...] | None = None  # and when the doubt was over

    def saw(self, item: SignalReport | Programme) -> list[Edge]:
        """Evidence for the prediction and, apart from it, for the guard. The changes of colour in it."""
        self.guard.saw(item)
        edges = self.signals.receive(item)
        if isinstance(item, SignalReport):
            self.witness.saw_report(item)
        self._timeless.difference_update(edge.group for edge in edges)
        return edges

    def saw_heads(self, seen: HeadsSeen) -> None:
        """Lamps as a camera sees them: they can only take away."""
        self.witness.saw_heads(seen, self.signals.history.report_period_s)

    def tell_doubt(self, reason: str) -> None:
        """A doubt from elsewhere, for the next tick: LINE_LOST, `last_word`."""
        if reason == LINE_LOST:
            self.signals.line_lost()
        self._told = reason

    def speak(self, instant: Instant, map_news: Collection[int] = ()) -> Spoken:
        """What to send at this instant. map_news: bits of the status that tell of a new MAP."""
        now_s = instant.now_s
        outlook = self.signals.outlook(now_s)
        told, self._told = self._told, None
        doubt = (
            told or self._standing_doubt or outlook.doubt or self.guard.doubt() or self.witness.doubt(now_s)
        )
        before = self.doubts.voice
        voice = self.doubts.tick(doubt, now_s, self._cycle_s)
        state = outlook.plan, outlook.control, outlook.stage
        if doubt is not None:
            self._state_after = None
        elif self._state_after is None:
            self._state_after = state
        if voice is Voice.SPEAKING and before is not Voice.SPEAKING:
            self._returned(before)
        self._state = state if voice is Voice.SPEAKING else self._state
        if voice is not Voice.SPEAKING:
            return self._without(voice, outlook)
        contradicted = self.witness.contradicted(now_s)
        held = frozenset(self._timeless) | self.guard.evidence.held(now_s) | self.witness.timeless()
        outlook = _without(outlook, contradicted)
        try:
            frame = self.frames.said(outlook, instant, map_news, held)
        except Malformed as error:
            return self._blocked(None, Verdict(Ruling.BLOCK, "unreadable", str(error)), outlook, now_s)
        verdict = self.guard.judge(frame, instant.stamp, contradicted, outlook)
        if verdict.ruling is Ruling.BLOCK:
            return self._blocked(frame, verdict, outlook, now_s)
        return Spoken(frame, True, None, outlook, verdict=verdict)

    @property
    def _cycle_s(self) -> float:
        """The present plan's cycle; the longest of all while it is not known which that is."""
        return self.signals.cycle_s or self.guard.cycle_s

    def _blocked(self, frame: bytes | None, verdict: Verdict, outlook: SignalOutlook, now_s: float) -> Spoken:
        self.counters[f"blocked_{verdict.cause}"] += 1
        self._state_after = None
        voice = self.doubts.tick(verdict.cause, now_s, self._cycle_s)
        told = self._without(voice, outlook)
        return Spoken(told.frame, False, verdict.cause, outlook, frame, verdict)

    def _without(self, voice: Voice, outlook: SignalOutlook) -> Spoken:
        """The ready-made frame while doubt is told; silence before the first word and afterwards."""
        frame = self.frames.unavailable() if voice is Voice.TELLING else None
        return Spoken(frame, False, self.doubts.reason, outlook)

    def _returned(self, before: Voice) -> None:
        """Speaking again: each group's times wait for its next confirmed change.

        But not after a short doubt in which plan, mode and stage stayed as they were (field-rules 4).
        """
        if before is not Voice.STARTING:
            self.counters["returned"] += 1
            if self.doubts.last_lasted_s >= SHORT_S or self._state_after != self._state:
                self._timeless = set(self.signals.history.shown)


def _without(outlook: SignalOutlook, contradicted: Collection[int]) -> SignalOutlook:
    """The outlook, with nothing said of groups whose cameras contradict their controller."""
    if not contradicted:
        return outlook
    groups = [
        GroupOutlook(each.group, Colour.UNKNOWN, None) if each.group in contradicted else each
        for each in outlook.groups
    ]
    return replace(outlook, groups=tuple(groups))
