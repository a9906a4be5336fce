"""Truth and air in a form that can be compared: lamps as segments, SPAT as statements."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNDEFINED = 36001

# Which lights on air are right for a lamp that shows so; red+yellow has no code of its own and means stop.
RIGHT: dict[str, frozenset[str]] = {
    "dark": frozenset({"dark"}),
    "red": frozenset({"red"}),
    "red_yellow": frozenset({"red"}),
    "red_flash": frozenset({"flashing-red"}),
    "green": frozenset({"permissive-green", "protected-green"}),
    "green_flash": frozenset({"flashing-green"}),
    "yellow": frozenset({"yellow"}),
    "yellow_flash": frozenset({"flashing-yellow"}),
}
COLOUR_OF = {light: colour for colour, lights in RIGHT.items() for light in lights if colour != "red_yellow"}
GO_LIGHTS = frozenset({"permissive-green", "protected-green", "flashing-green"})
STOP_COLOURS = frozenset({"red", "red_yellow", "red_flash"})


@dataclass
class LampTruth:
    """What one group truly showed: changes in order."""

    times: list[float] = field(default_factory=list)
    colours: list[str] = field(default_factory=list)

    def at(self, t: float) -> str | None:
        """The colour at an instant."""
        i = bisect.bisect_right(self.times, t) - 1
        return self.colours[i] if i >= 0 else None

    def near_change(self, t: float, margin_s: float) -> bool:
        """Whether a change lies within the margin."""
        i = bisect.bisect_left(self.times, t - margin_s)
        return i < len(self.times) and self.times[i] <= t + margin_s

    def end_of(self, colour: str, t: float, margin_s: float) -> float | None:
        """When the run of this colour that holds at t (or began or ended within the margin) truly ended."""
        i = bisect.bisect_right(self.times, t) - 1
        for j in (i, i + 1, i - 1):
            if not 0 <= j < len(self.times) - 1 or self.colours[j] != colour:
                continue
            if self.times[j] - margin_s <= t <= self.times[j + 1] + margin_s:
                return self.times[j + 1]
        return None


def lamp_truth(entries: Iterable[Mapping[str, Any]]) -> dict[int, LampTruth]:
    """Segments by group from `lamp` entries."""
    truth: dict[int, LampTruth] = {}
    for entry in sorted(entries, key=lambda e: float(e["t"])):
        lamp = truth.setdefault(entry["group"], LampTruth())
        if not lamp.colours or lamp.colours[-1] != entry["colour"]:
            lamp.times.append(entry["t"])
            lamp.colours.append(entry["colour"])
    return truth


@dataclass(frozen=True)
class Said:
    """What one SPAT said of one phase: light, and the likely end in seconds from its arrival (None: none)."""

    light: str
    likely_s: float | None


@dataclass(frozen=True)
class Spat:
    """One SPAT as it arrived: statements by lamp group."""

    t: float
    groups: dict[int, Said]

    @property
    def valid(self) -> bool:
        """Whether it says anything of any group."""
        return any(said.light != "unavailable" for said in self.groups.values())


def spats(air: Iterable[tuple[float, str, Any]], phases: Mapping[int, Sequence[int]]) -> list[Spat]:
    """Every SPAT of a run, phases spread over their lamp groups; a phase that is absent says unavailable."""
    found = []
    for t, kind, value in air:
        if kind != "SPAT":
            continue
        said = {phase["id"]: _said(phase["phaseStates"][0]) for phase in value["intersections"][0]["phases"]}
        missing = Said("unavailable", None)
        groups = {group: said.get(phase, missing) for phase, members in phases.items() for group in members}
        found.append(Spat(t, groups))
    return sorted(found, key=lambda spat: spat.t)


def _said(state: Mapping[str, Any]) -> Said:
    timing = state.get("timing")
    likely = None
    if timing is not None and timing[0] == "counting" and timing[1]["likelyEndTime"] != UNDEFINED:
        likely = timing[1]["likelyEndTime"] / 10
    return Said(state["light"], likely)


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share lies; None of nothing: an empty set never scores well."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def milliseconds(values: Sequence[float], share: float) -> float | None:
    """A quantile to a hundredth of a millisecond; None of nothing."""
    value = quantile(values, share)
    return None if value is None else round(value, 2)
