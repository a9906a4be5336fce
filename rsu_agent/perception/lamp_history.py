"""From what single pictures show of one head to its colour: steady, flashing, dark, or no opinion."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.perception.lamp_boxes import Shine
from rsu_agent.world.signal import Colour
from rsu_agent.world.witness import HeadSeen

LONGEST_HALF_S = 1.25  # half a period of the slowest flash, 0.4 Hz
DARK_AFTER_S = LONGEST_HALF_S + 0.03  # from the first dark picture, so that the lamp is off for longer
HALF_MARGIN_S = 0.2  # a half period is seen longer by up to the time between pictures
AGREEING, AGREEING_UNHOUSED = 2, 3  # pictures that make a new colour; more where the housing is not seen
FORGETS_S = 1.0  # between two of them
LAPSES_S = 0.55  # one picture may be missing, at five a second too
FLASH_LAPSES_S = 1.0
NEW_LOOK_S = 2.0  # after a longer gap nobody knows since when a colour has been there
RHYTHM = 1.7  # between the longest and the shortest half of one flash
RHYTHM_OF = {True: 2, False: 3}  # so many of them, by whether each lasts for two pictures or more

STEADY = {
    Shine.RED: Colour.RED,
    Shine.YELLOW: Colour.YELLOW,
    Shine.GREEN: Colour.GREEN,
    Shine.RED_YELLOW: Colour.RED_YELLOW,
    Shine.UNLIT: Colour.DARK,
}
FLASHING = {
    Shine.RED: Colour.RED_FLASH,
    Shine.YELLOW: Colour.YELLOW_FLASH,
    Shine.GREEN: Colour.GREEN_FLASH,
}


@dataclass(slots=True)
class _Run:
    """Pictures without light, one after another. housed: those in which the housing was seen."""

    first_s: float
    last_s: float
    pictures: int = 0
    housed: int = 0
    relit_s: float = 0.0

    @property
    def whole(self) -> bool:
        """Seen to be dark, more than once."""
        return self.housed >= 2 and self.housed > 0.7 * self.pictures


class HeadHistory:
    """One head. Fed with every new picture in order; monotonic seconds."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._seen_s: float | None = None
        self._began_s = 0.0
        self._fed_s = float("inf")  # the newest picture that told of the colour
        self._flash = False
        self._new_look()

    def took(self, shine: Shine, housed: bool, at_s: float) -> None:
        """One picture."""
        if self._seen_s is None:
            self._began_s = self._seen_s = at_s
        if at_s - self._fed_s > NEW_LOOK_S:
            self._new_look()
        if shine is Shine.UNLIT:
            self._fed_s = at_s if housed or self._flash else self._fed_s
            self._dark(housed, at_s)
        elif shine is not Shine.NOTHING_READ:
            self._lit(shine, housed, at_s)

    def seen(self, now_s: float) -> HeadSeen:
        """The colour after the newest picture, UNKNOWN where the last that told lies too far back."""
        seen_s = self._began_s if self._seen_s is None else self._seen_s
        lapses_s = FLASH_LAPSES_S if self._flash else LAPSES_S
        if self._colour is Shine.NOTHING_READ or now_s - seen_s > lapses_s:
            return HeadSeen(self._group, Colour.UNKNOWN, None, seen_s)
        colour = FLASHING[self._colour] if self._flash else STEADY[self._colour]
        return HeadSeen(self._group, colour, self._since_s, seen_s)

    def _new_look(self) -> None:
        """Nothing is known."""
        self._colour = Shine.NOTHING_READ
        self._since_s: float | None = None
        self._first = True  # the next colour has been there for nobody knows how long
        self._fed_s = float("inf")
        self._candidate, self._candidate_s, self._agreeing, self._candidate_last_s = Shine.UNLIT, 0.0, 0, 0.0
        self._on_s = self._lit_s = 0.0
        self._off: _Run | None = None
        self._before: _Run | None = None  # the dark before this colour
        self._offs: list[_Run] = []
        self._flash = False
        self._half_s = 0.0

    def _lit(self, shine: Shine, housed: bool, at_s: float) -> None:
        if self._colour is shine:
            self._fed_s = self._seen_s = at_s
            if self._off is not None:
                self._relit(self._off, at_s)
            elif self._flash and at_s - self._on_s > self._longest_half_s:
                self._flash, self._offs, self._since_s = False, [], self._on_s
            self._lit_s, self._agreeing = at_s, 0
            return
        if shine is not self._candidate or at_s - self._candidate_last_s > FORGETS_S or not self._agreeing:
            self._candidate, self._candidate_s, self._agreeing = shine, at_s, 0
        self._agreeing += 1
        self._candidate_last_s = at_s
        if self._agreeing >= (AGREEING if housed else AGREEING_UNHOUSED):
            self._becomes(shine, self._candidate_s, at_s)
            self._on_s, self._lit_s = self._candidate_s, at_s

    def _becomes(self, colour: Shine, since_s: float, at_s: float) -> None:
        """Another colour than before."""
        self._before = self._off
        self._since_s = None if self._first else since_s
        self._colour, self._first = colour, False
        self._fed_s = self._seen_s = at_s
        self._agreeing, self._off, self._offs, self._flash, self._half_s = 0, None, [], False, 0.0

    def _dark(self, housed: bool, at_s: float) -> None:
        if self._colour is Shine.UNLIT:
            self._agreeing = 0
            if housed:
                self._fed_s = self._seen_s = at_s
            return
        run = self._off
        if run is None or at_s - run.last_s > LAPSES_S:
            run = self._off = _Run(at_s, at_s)
        run.pictures += 1
        run.last_s = at_s
        run.housed += housed
        if self._flash and at_s - self._lit_s <= self._longest_half_s:
            self._seen_s = at_s if housed else self._seen_s
        elif self._between_two_darks(run):
            self._flash, self._half_s, self._seen_s = True, self._lit_s - self._on_s, at_s
        if at_s - run.first_s >= DARK_AFTER_S and run.whole and housed:
            self._becomes(Shine.UNLIT, run.first_s, at_s)

    def _between_two_darks(self, run: _Run) -> bool:
        """Whether a colour that came from the dark is gone again sooner than any steady one."""
        return (
            self._colour in FLASHING
            and not self._offs
            and self._before is not None
            and self._before.whole
            and run.whole
            and self._on_s - self._before.last_s < LAPSES_S
            and self._lit_s - self._on_s <= LONGEST_HALF_S + HALF_MARGIN_S
        )

    def _relit(self, off: _Run, at_s: float) -> None:
        """The same colour again after the dark."""
        self._off, off.relit_s = None, at_s
        on_s, dark_s = self._lit_s - self._on_s, at_s - self._lit_s
        if off.last_s - off.first_s > LONGEST_HALF_S or self._colour not in FLASHING:
            self._offs = []
        else:
            self._offs = [*self._offs[-3:], off]
            if not self._flash and (off.whole or self._rhythmic()):
                self._flash = True
                if on_s > min(LONGEST_HALF_S, RHYTHM * dark_s) + HALF_MARGIN_S:  # it was steady before
                    self._since_s = self._offs[0].first_s
            self._half_s = max(self._half_s, dark_s)
        self._on_s = at_s

    def _rhythmic(self) -> bool:
        """Whether darks that alone prove nothing come in a flash's rhythm."""
        wanted = RHYTHM_OF[min(run.pictures for run in self._offs) >= 2]
        runs = self._offs[-wanted:]
        if len(runs) < wanted:
            return False
        starts = [run.first_s for run in runs]
        ends = [run.relit_s for run in runs]
        lengths = [end - start for start, end in zip(starts, ends, strict=True)]
        lit = [start - end for start, end in zip(starts[1:], ends, strict=False)]
        spans = [*lengths, *lit]
        return (
            max(spans) <= LONGEST_HALF_S + HALF_MARGIN_S and max(spans) <= RHYTHM * min(spans) + HALF_MARGIN_S
        )

    @property
    def _longest_half_s(self) -> float:
        """How long this flash may stay lit, or dark, and still be one."""
        return min(1.5 * self._half_s, LONGEST_HALF_S + HALF_MARGIN_S) + HALF_MARGIN_S
