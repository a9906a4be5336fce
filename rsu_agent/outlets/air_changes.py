"""What changed on air: ticks in, only what is new out, with reason and witnesses. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.messages.moment import UtcStamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.rules import Rules
from rsu_agent.world.signal import Colour

SENT, SILENT = "sent", "silent"
Told = tuple[str, float | None, float | None, float | None]  # colour; likely, least, most end, s from now


@dataclass(frozen=True, slots=True)
class Tick:
    """One instant at which we spoke, or did not. fate: `sent`, `silent`, or why the frame did not leave.

    reason: why nothing was said (None: something was). verdict, detail: the guard's. lamps: what the
    controller reports by lamp group, at report_s. cameras: whether they agree, None without opinion.
    held: the guard's reason for a frame that it held back. Monotonic seconds.
    """

    now_s: float
    utc_s: float
    frame: bytes | None
    fate: str
    reason: str | None
    verdict: str | None = None
    detail: str = ""
    report_s: float | None = None
    lamps: Mapping[int, Colour] = field(default_factory=dict)
    cameras: Mapping[int, bool | None] = field(default_factory=dict)
    contradicted: frozenset[int] = frozenset()


def light_names(rules: Rules) -> dict[int, dict[int, str]]:
    """For each number on air: light on air -> the colour that it stands for."""
    names: dict[int, dict[int, str]] = {}
    for number, column in rules.column.items():
        one: dict[int, str] = {}
        for colour, lights in rules.lights.items():
            one.setdefault(lights[column], "unavailable" if colour is Colour.UNKNOWN else str(colour))
        names[number] = one
    return names


class AirReader:
    """Reads SPAT frames of one crossing; the names of its lights are worked out once."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._names = rules, light_names(rules)

    def told_in(self, frame: bytes, now: UtcStamp | None = None) -> dict[int, Told]:
        """What a frame tells, by number on air. Raises NotSpat."""
        return {
            phase.phase: (
                self._names.get(phase.phase, {}).get(phase.light, f"light {phase.light}"),
                _seconds(phase.likely),
                _seconds(phase.least),
                _seconds(phase.most),
            )
            for phase in self._rules.read(frame, now).phases
        }


def _seconds(tenths: int | None) -> float | None:
    return None if tenths is None else tenths / 10


class Changes:
    """One crossing's. Given ticks in order, gives the value of a line of kind `air`, or None."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self._reader = rules, AirReader(rules)
        self._state: tuple[Any, ...] | None = None
        self._told: dict[int, str] = {}

    def forget(self) -> None:
        """The next tick is told whole."""
        self._state, self._told = None, {}

    def tick(self, tick: Tick) -> dict[str, Any] | None:
        """What is new in this tick."""
        told = self._read(tick)
        state = tick.fate, tick.reason, tick.verdict, tick.contradicted
        new = {number: ends for number, ends in told.items() if self._told.get(number) != ends[0]}
        gone = [number for number in self._told if number not in told]
        if state == self._state and not new and not gone:
            return None
        whole = self._state is None or self._state[:3] != state[:3]
        shown = told if whole else new
        self._state, self._told = state, {number: ends[0] for number, ends in told.items()}
        return self._line(tick, shown)

    def _read(self, tick: Tick) -> dict[int, Told]:
        if tick.fate != SENT or tick.frame is None:
            return {}
        try:
            return self._reader.told_in(tick.frame)
        except NotSpat:
            return {}

    def _line(self, tick: Tick, shown: Mapping[int, tuple[Any, ...]]) -> dict[str, Any]:
        line: dict[str, Any] = {"air": tick.fate, "valid": tick.fate == SENT and tick.reason is None}
        if tick.reason is not None:
            line["why"] = tick.reason
        line["guard"] = tick.verdict or "not asked"
        if tick.detail:
            line["detail"] = tick.detail
        line["told"] = {str(number): colour for number, (colour, *_) in shown.items()}
        ends = {str(number): ends[1] for number, ends in shown.items() if ends[1] is not None}
        if ends:
            line["ends_in_s"] = ends
        groups = {group for number in shown for group in self._rules.groups.get(number, ())}
        if tick.report_s is not None:
            line["report_age_s"] = round(tick.now_s - tick.report_s, 3)
        line["controller"] = {str(group): str(c) for group, c in tick.lamps.items() if group in groups}
        line["camera"] = {str(group): c for group, c in tick.cameras.items() if group in groups}
        if tick.contradicted:
            line["contradicted"] = sorted(tick.contradicted)
        return line
