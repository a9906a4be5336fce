"""When we speak, tell our doubt, or are silent: the state machine of field-rules 4. Sans-IO."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

TELL_S = 5.0  # unavailable at 10 Hz for so long, then a set that ends so is silent
CLEAN_S = 2.0  # without doubt before we speak again
SHORT_S = 1.0  # a doubt so short gives the times back with the colours
AGAIN_S = 60.0  # a second degradation within this of a return lasts until it is over
OFTEN_S = 600.0  # the third in this time lasts until one whole cycle without doubt
OFTEN = 3


class Voice(StrEnum):
    """What we do at this instant."""

    STARTING = "starting"
    SPEAKING = "speaking"
    TELLING = "telling"
    SILENT = "silent"


class Doubts:
    """Told at every tick what is doubted, if anything. ends_silent: as T/CSAE 159 wants, ETSI and SAE not."""

    def __init__(self, *, ends_silent: bool = True) -> None:
        self._ends_silent = ends_silent
        self.voice = Voice.STARTING
        self.reason: str | None = "no_report"
        self._since_s = 0.0
        self._clean_since_s: float | None = None
        self._returned_s: float | None = None
        self._not_before_s = 0.0
        self._need_clean_s = 0.0
        self._begun_s: deque[float] = deque(maxlen=OFTEN)
        self.last_lasted_s = 0.0

    @property
    def held_until_s(self) -> float:
        """Before this nothing is said even without a doubt: a second degradation within a minute."""
        return 0.0 if self.voice is Voice.SPEAKING else self._not_before_s

    def tick(self, doubt: str | None, now_s: float, cycle_s: float) -> Voice:
        """The voice now. cycle_s: the length of the present plan's cycle, for the third degradation."""
        if doubt is not None:
            self._clean_since_s = None
            self._doubted(doubt, now_s, cycle_s)
        elif self.voice is not Voice.SPEAKING:
            self._clean(now_s)
        if self._ends_silent and self.voice is Voice.TELLING and now_s - self._since_s >= TELL_S:
            self.voice = Voice.SILENT
        return self.voice

    def _doubted(self, doubt: str, now_s: float, cycle_s: float) -> None:
        self.reason = doubt
        if self.voice is not Voice.SPEAKING:
            return
        self.voice, self._since_s = Voice.TELLING, now_s
        self._need_clean_s, self._not_before_s = CLEAN_S, 0.0
        if self._returned_s is not None and now_s - self._returned_s < AGAIN_S:
            self._not_before_s = self._returned_s + AGAIN_S
        self._begun_s.append(now_s)
        if len(self._begun_s) == OFTEN and now_s - self._begun_s[0] <= OFTEN_S:
            self._need_clean_s = max(CLEAN_S, cycle_s)

    def _clean(self, now_s: float) -> None:
        if self._clean_since_s is None:
            self._clean_since_s = now_s
        if now_s - self._clean_since_s >= self._need_clean_s and now_s >= self._not_before_s:
            first = self.voice is Voice.STARTING
            self.last_lasted_s = 0.0 if first else self._clean_since_s - self._since_s
            self._returned_s = None if first else now_s
            self.voice, self.reason = Voice.SPEAKING, None
