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
# MovementPhaseState of ISO/TS 19091 and SAE J2735 in the words above. A pedestrian's clearance is the flash
# after the green (field-rules 2.3), a vehicle's the yellow; a vehicle's flashing green is a green still.
STATES = {
    "unavailable": "unavailable",
    "dark": "dark",
    "stop-Then-Proceed": "flashing-red",
    "stop-And-Remain": "red",
    "pre-Movement": "red",
    "permissive-Movement-Allowed": "permissive-green",
    "protected-Movement-Allowed": "protected-green",
    "permissive-clearance": "yellow",
    "protected-clearance": "yellow",
    "caution-Conflicting-Traffic": "flashing-yellow",
}
WALK_CLEARANCE = "flashing-green"
UNKNOWN_MARKS = {"csae53": 36_001, "etsi": 36_001, "j2735": 36_111}
HOUR = 36_000  # tenths
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


@dataclass(frozen=True)
class Language:
    """How a crossing speaks: the set, phase id -> lamp groups (T/CSAE 53), the groups of pedestrians.

    ways: groups that let vehicles go, through the crossing or into a waiting area. Outside T/CSAE 53 a SPAT
    speaks of groups that its MAP names: of ways and walks, not of repeaters.
    blind: groups whose green flash the controller's protocol does not tell from steady.
    """

    phases: Mapping[int, Sequence[int]]
    messages: str = "csae53"
    walks: frozenset[int] = frozenset()
    ways: frozenset[int] = frozenset()
    blind: frozenset[int] = frozenset()

    def speaks_of(self, group: int) -> bool:
        """Whether a SPAT is to tell of a lamp group."""
        return self.messages == "csae53" or group in self.walks | self.ways


def lamp_truth(
    entries: Iterable[Mapping[str, Any]], language: Language | None = None
) -> dict[int, LampTruth]:
    """Segments by group from `lamp` entries, told apart as far as the language does."""
    truth: dict[int, LampTruth] = {}
    for entry in sorted(entries, key=lambda e: float(e["t"])):
        if language and not language.speaks_of(entry["group"]):
            continue
        lamp = truth.setdefault(entry["group"], LampTruth())
        colour = entry["colour"]
        if colour == "green_flash" and language and language.messages != "csae53":
            colour = "green_flash" if entry["group"] in language.walks else "green"
        if colour == "green_flash" and language and entry["group"] in language.blind:
            colour = "green"
        if not lamp.colours or lamp.colours[-1] != colour:
            lamp.times.append(entry["t"])
            lamp.colours.append(colour)
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


def spats(air: Iterable[tuple[float, str, Any]], language: Language) -> list[Spat]:
    """Every SPAT of a run by lamp group; a group that is not spoken of counts as unavailable."""
    said_by = _by_phase if language.messages == "csae53" else _by_signal_group
    found = []
    for t, kind, value in air:
        if kind == "SPAT":
            said = said_by(value, language)
            missing = Said("unavailable", None)
            groups = {g: said.get(g, missing) for members in language.phases.values() for g in members}
            found.append(Spat(t, groups))
    return sorted(found, key=lambda spat: spat.t)


def _by_phase(value: Mapping[str, Any], language: Language) -> dict[int, Said]:
    """Of T/CSAE 53: phases spread over their lamp groups."""
    said = {phase["id"]: _said(phase["phaseStates"][0]) for phase in value["intersections"][0]["phases"]}
    return {g: said[phase] for phase, groups in language.phases.items() if phase in said for g in groups}


def _said(state: Mapping[str, Any]) -> Said:
    timing = state.get("timing")
    likely = None
    if timing is not None and timing[0] == "counting" and timing[1]["likelyEndTime"] != UNDEFINED:
        likely = timing[1]["likelyEndTime"] / 10
    return Said(state["light"], likely)


def _by_signal_group(value: Mapping[str, Any], language: Language) -> dict[int, Said]:
    """Of ISO/TS 19091: marks are reckoned from the message's own time, without which they mean nothing."""
    state = value["intersections"][0]
    own = None
    if "moy" in state and "timeStamp" in state:
        own = state["moy"] % 60 * 600 + state["timeStamp"] / 100
    unknown = UNKNOWN_MARKS[language.messages]
    said = {}
    for movement in state["states"]:
        event, group = movement["state-time-speed"][0], movement["signalGroup"]
        light = STATES[event["eventState"]]
        if light == "yellow" and group in language.walks:
            light = WALK_CLEARANCE
        likely = event.get("timing", {}).get("likelyTime", unknown)
        ahead = None if likely == unknown or own is None else (likely - own) % HOUR / 10
        said[group] = Said(light, ahead)
    return said


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which this share lies; None of nothing: an empty set never scores well."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def milliseconds(values: Sequence[float], share: float) -> float | None:
    """A quantile to a hundredth of a millisecond; None of nothing."""
    value = quantile(values, share)
    return None if value is None else round(value, 2)
