"""Changes of lamps as the controller tells them and as cameras see them, each between two instants. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rsu_agent.world.signal import Colour, SignalReport
from rsu_agent.world.witness import HeadsSeen

KEPT = 1024  # of each: some ten cycles of a large crossing
PROMPT_S = 0.02  # between a lamp's change and the report that is sent because of it
RHYTHM = 0.8, 1.5  # of the usual time between two reports: one within is no answer to a change
SELDOM_S = 1.5  # a source that reports more seldom reports changes only
GAPS = 41  # of which the usual one is the median
LIT = {
    Colour.RED: "red",
    Colour.RED_FLASH: "red",
    Colour.RED_YELLOW: "red_yellow",
    Colour.YELLOW: "yellow",
    Colour.YELLOW_FLASH: "yellow",
    Colour.GREEN: "green",
    Colour.GREEN_FLASH: "green",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A group's lamp became another one after the report of after_s and at the latest with that of by_s."""

    group: int
    lit: str
    after_s: float
    by_s: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera's picture of since_s was the first to show it; sure with that of captured_s."""

    camera: str
    group: int
    lit: str
    since_s: float
    captured_s: float


class LampChanges:
    """The newest changes. Monotonic seconds; an agent's restart begins anew."""

    def __init__(self) -> None:
        self.told: deque[Told] = deque(maxlen=KEPT)
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self._groups: dict[int, tuple[str | None, float]] = {}
        self._heads: dict[tuple[str, int], tuple[str, float]] = {}
        self._gaps: deque[float] = deque(maxlen=GAPS)
        self._reported_s: float | None = None

    def report(self, report: SignalReport) -> None:
        """What the controller says now. Dark and unknown lamps are no change that a camera sees sharply."""
        if not report.lamps:
            return
        by_s = report.first_byte_s
        prompt = self._out_of_rhythm(by_s) and report.unsolicited
        for lamp in report.lamps:
            lit, before = LIT.get(lamp.colour), self._groups.get(lamp.group)
            self._groups[lamp.group] = lit, by_s
            if before is not None and lit is not None and before[0] is not None and lit != before[0]:
                after_s = max(before[1], by_s - PROMPT_S) if prompt else before[1]
                self.told.append(Told(lamp.group, lit, after_s, by_s))

    def heads(self, seen: HeadsSeen) -> None:
        """What a camera sees now. The colour with which it began has been there for nobody knows how long."""
        for number, head in enumerate(seen.heads):
            lit = LIT.get(head.colour)
            if lit is None or head.since_s is None:
                continue
            before = self._heads.get((seen.camera, number))
            if before is None or (before[0] != lit and before[1] < head.since_s):
                self._heads[seen.camera, number] = lit, head.since_s
                self.seen.append(Seen(seen.camera, head.group, lit, head.since_s, seen.captured_s))

    def _out_of_rhythm(self, at_s: float) -> bool:
        """Whether a report comes when none is due: because of a change, then."""
        gap_s = None if self._reported_s is None else at_s - self._reported_s
        self._reported_s = at_s
        if gap_s is None:
            return False
        self._gaps.append(gap_s)
        usual_s = sorted(self._gaps)[len(self._gaps) // 2]
        return usual_s > SELDOM_S or not RHYTHM[0] * usual_s <= gap_s <= RHYTHM[1] * usual_s

    def plain(self) -> dict[str, Any]:
        """As the control socket gives it."""
        return {
            "told": [[t.group, t.lit, t.after_s, t.by_s] for t in self.told],
            "seen": [[s.camera, s.group, s.lit, s.since_s, s.captured_s] for s in self.seen],
        }


def read_plain(told: Any) -> tuple[list[Told], list[Seen]]:
    """From `plain`. Raises ValueError for anything else."""
    try:
        return (
            [Told(int(g), str(lit), float(a), float(b)) for g, lit, a, b in _few(told["told"])],
            [Seen(str(c), int(g), str(lit), float(s), float(p)) for c, g, lit, s, p in _few(told["seen"])],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no changes of lamps: {error!r}") from None


def _few(rows: Any) -> Iterable[Any]:
    if not isinstance(rows, list) or len(rows) > KEPT:
        raise ValueError(f"no changes of lamps: not a list of at most {KEPT}")
    return rows
