"""One episode judged: what was on air against what shone and what the line had carried."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hil.line_faults.known import HOLD_S, Good, doubts
from hil.score.timeline import GO_LIGHTS, RIGHT, STOP_COLOURS, LampTruth

LIGHTS = (
    "unavailable",
    "dark",
    "flashing-red",
    "red",
    "flashing-green",
    "permissive-green",
    "protected-green",
    "yellow",
    "flashing-yellow",
)
SLACK_S = 0.012  # a frame of the grid may be judged so much after its instant
TICK_S = 0.110  # coming back waits for the next frame of the grid
SAID_S = 0.3  # a frame holds so long where none follows
SEEN_S = 0.15  # a report is so old at most when its colours have their air


@dataclass(frozen=True)
class Sent:
    """A SPAT on air: lamp group -> number of its light; all 0: unavailable."""

    t: float
    lights: Mapping[int, int]

    @property
    def valid(self) -> bool:
        """Whether it says anything."""
        return any(self.lights.values())


@dataclass
class Episodes:
    """Figures of many episodes on one line.

    never: pairs of groups that may not be green together; recover_s: valid again within this of a good frame.
    """

    lamps: Mapping[int, LampTruth]
    never: Sequence[tuple[int, int]]
    recover_s: float
    figures: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)

    def judge(
        self,
        named: str,
        window: tuple[float, float],
        sent: Sequence[Sent],
        goods: list[Good],
        cuts: list[tuple[float, float]],
        strange_s: tuple[float, float],
    ) -> None:
        """One episode from its fault to the next one's. strange_s: while another unit answered."""
        begin, end = window
        spans = [(a, b) for a, b in doubts(goods, cuts) if b > begin and a < end]
        frames = [frame for frame in sent if begin - SAID_S <= frame.t <= end]
        self._colours(frames, window, goods)
        late = [(a, b) for a, b in doubts(goods, cuts, 1.0) if b > begin and a < end]
        told = self._degraded(frames, late, begin)
        early = _with_stranger(doubts(goods, cuts, -1.0), goods, strange_s)
        early = [(a, b) for a, b in early if b > begin and a < end]
        told += self._silent_without_cause(frames, window, early)
        told += self._back(frames, window, spans)
        if told:
            self.stories.append(f"{named} at {begin:.2f}: {', '.join(told)}")

    def _colours(self, frames: Sequence[Sent], window: tuple[float, float], goods: list[Good]) -> None:
        """Milliseconds of groups that said what nobody could have believed."""
        ends = [*(frame.t for frame in frames[1:]), window[1]][: len(frames)]
        at = 0
        for frame, next_s in zip(frames, ends, strict=True):
            while at + 1 < len(goods) and goods[at + 1].last_s <= frame.t:
                at += 1
            lasts_ms = (min(next_s, frame.t + SAID_S) - frame.t) * 1000
            oldest_s = frame.t - goods[at].limit_s - SEEN_S
            for group, light in frame.lights.items():
                if light and not (could := self._shone(group, oldest_s, frame.t)) & _means(light):
                    self.figures["wrong_colour_ms"] += round(lasts_ms)
                    if LIGHTS[light] in GO_LIGHTS and could <= STOP_COLOURS:
                        self.figures["dangerous_ms"] += round(lasts_ms)
            greens = {group for group, light in frame.lights.items() if LIGHTS[light] in GO_LIGHTS}
            self.figures["conflicting"] += any(a in greens and b in greens for a, b in self.never)

    def _shone(self, group: int, from_s: float, to_s: float) -> frozenset[str]:
        lamp = self.lamps[group]
        changes = {c for t, c in zip(lamp.times, lamp.colours, strict=True) if from_s < t <= to_s}
        first = lamp.at(from_s)
        return frozenset(changes | ({first} if first else set()))

    def _degraded(
        self, frames: Sequence[Sent], spans: Sequence[tuple[float, float]], begin: float
    ) -> list[str]:
        late = [
            frame.t - a
            for a, b in spans
            for frame in frames
            if frame.valid and a + SLACK_S < frame.t < b and frame.t >= begin
        ]
        self.figures["late_degrade"] += bool(late)
        return [f"still valid {max(late):.3f} s after the doubt"] if late else []

    def _silent_without_cause(
        self,
        frames: Sequence[Sent],
        window: tuple[float, float],
        spans: Sequence[tuple[float, float]],
    ) -> list[str]:
        """Time in which truth was knowable and nothing held it back, how much of it was spoken; where not."""
        told = []
        for begin, end in _between(window, spans):
            silent_s = _silent(frames, begin, end)
            self.figures["knowable_ms"] += round((end - begin) * 1000)
            self.figures["valid_ms"] += round((end - begin - silent_s) * 1000)
            after_doubt = any(b <= begin for _, b in spans)
            from_s = min(_first_word(frames, begin), begin + self.recover_s) if after_doubt else begin
            if _silent(frames, from_s, end) > TICK_S:
                told.append(f"silent without cause from {from_s:.2f}")
        self.figures["false_degrade"] += bool(told)
        return told

    def _back(
        self,
        frames: Sequence[Sent],
        window: tuple[float, float],
        spans: Sequence[tuple[float, float]],
    ) -> list[str]:
        """The last doubt of the window: from its end to the first word."""
        ended = [b for a, b in spans if b > window[0] and a < window[1]]
        if not ended or any(_again(spans)):
            return []
        took_s = min(_first_word(frames, ended[-1]), window[1]) - ended[-1]
        if took_s <= self.recover_s:  # also where the next fault comes before it had to be back
            return []
        self.figures["late_recover"] += 1
        return [f"back {took_s:.2f} s after the first good report"]


def _silent(frames: Sequence[Sent], begin: float, end: float) -> float:
    """Seconds between two instants in which no valid frame held."""
    inside = [frame for frame in frames if begin - SAID_S <= frame.t < end]
    spoken = 0.0
    for frame, next_s in zip(inside, [*(frame.t for frame in inside[1:]), end][: len(inside)], strict=True):
        if frame.valid:
            spoken += max(0.0, min(next_s, frame.t + SAID_S, end) - max(frame.t, begin))
    return max(0.0, end - begin - spoken)


def _first_word(frames: Sequence[Sent], from_s: float) -> float:
    return next((frame.t for frame in frames if frame.valid and frame.t >= from_s), math.inf)


def _means(light: int) -> frozenset[str]:
    """Colours for which a light is right."""
    return frozenset(colour for colour, lights in RIGHT.items() if LIGHTS[light] in lights)


def _with_stranger(
    spans: Iterable[tuple[float, float]], goods: Sequence[Good], strange_s: tuple[float, float]
) -> list[tuple[float, float]]:
    """For whoever asks for validity the doubt begins with the stranger; it ends with a report of our own."""
    back_s = next((good.last_s for good in goods if good.first_s > strange_s[1]), math.inf)
    return sorted([*spans, (strange_s[0], back_s)])


def _again(spans: Sequence[tuple[float, float]]) -> list[bool]:
    """For each doubt whether one before it had been over for long enough to speak (field-rules 4)."""
    return [any(end + HOLD_S <= begin for _, end in spans[:at]) for at, (begin, _) in enumerate(spans)]


def _between(window: tuple[float, float], spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Where nothing was doubted and no hold ran; a second doubt after a return is held for a minute."""
    found: list[tuple[float, float]] = []
    at = window[0]
    for (begin, end), again in zip(spans, _again(spans), strict=True):
        if again:
            return [(a, b) for a, b in found if b > a]
        if begin > at:
            found.append((at, min(begin, window[1])))
        at = max(at, end + HOLD_S + TICK_S)
    if at < window[1]:
        found.append((at, window[1]))
    return [(a, b) for a, b in found if b > a]
