"""What is expected of a run, judged from truth log, air and the district's ends only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.devices.vehicle_codec import decode_air
from hil.scenario.read import Scenario
from hil.score.bounds import figure
from hil.score.latency import score_latency
from hil.score.spat import score_spat
from hil.score.timeline import Language, Spat, lamp_truth, spats
from hil.truth import read_truth

ANY = frozenset({"unknown", "video", "microwaveRadar", "integrated"})  # the roadside unit itself is selfinfo
WITH_CAMERA = frozenset({"video", "integrated"})  # csae53 SourceType; integrated: several sensors
WITH_RADAR = frozenset({"microwaveRadar", "integrated"})
OF_THE_HOST = frozenset({"ok", "slow", "stalled", "silent"})  # words that a stall of this machine makes true


@dataclass(frozen=True)
class Told:
    """What the district was told of a device's health; at_s: on the run's monotonic clock."""

    at_s: float
    device: str
    word: str


@dataclass(frozen=True)
class Judged:
    """One expectation: what was wished, what was found, whether that will do."""

    wish: str
    found: float | None
    passed: bool


class Evidence:
    """Everything that a finished run left behind; `t0` is the first scored second on its monotonic clock."""

    def __init__(
        self,
        run_dir: Path,
        phases: Mapping[int, Sequence[int]],
        t0: float,
        uplink: Mapping[str, Any] | None = None,
        health: Sequence[Told] = (),
    ) -> None:
        self._air = list(decode_air(run_dir))
        self._truth = lamp_truth(read_truth(run_dir, "lamp"))
        self._wire = list(read_truth(run_dir, "wire"))
        self._frames = sorted(entry["t"] for entry in read_truth(run_dir, "frame"))
        self._spats = spats(self._air, Language(phases))
        self._t0, self._uplink, self._health = t0, dict(uplink or {}), tuple(health)

    def figures(self, from_s: float, to_s: float) -> dict[str, Any]:
        """The scorer's figures between two scored seconds."""
        begin, end = self._t0 + from_s, self._t0 + to_s
        maps = _tens([t for t, kind, _ in self._air if kind == "MAP"], begin, end)
        return {
            "spat": score_spat(self._spats, self._truth, begin, end),
            "map": {"per_10s_min": min(maps, default=None), "per_10s_max": max(maps, default=None)},
            "latency": score_latency(self._spats, self._truth, self._wire, begin, end),
            "air": {"not_understood": sum(kind == "BAD" for _, kind, _ in self._air)},
            "uplink": self._uplink,
        }

    def heard(self, what: str, after_s: float, group: int | None = None) -> float | None:
        """Seconds from `after_s` to the first time that this was heard; group: of this lamp group alone."""
        from_s = self._t0 + after_s
        times: dict[str, Callable[[], list[float]]] = {
            "valid": lambda: [spat.t for spat in self._spats if _says(spat, group)],
            "unavailable": lambda: [spat.t for spat in self._spats if not _says(spat, group)],
            "users": lambda: self._users(ANY),
            "camera_users": lambda: self._users(WITH_CAMERA),
            "radar_users": lambda: self._users(WITH_RADAR),
            "picture": lambda: self._frames,
        }
        return min((t - from_s for t in times[what]() if t >= from_s), default=None)

    def told(self, word: str, device: str, after_s: float) -> float | None:
        """Seconds from `after_s` to the first time that the district was told so; None also when it was told
        before that something else was wrong with the device."""
        from_s, before = self._t0 + after_s, "ok"
        for told in self._health:
            if told.device != device:
                continue
            if told.at_s < from_s:
                before = told.word
            elif told.word == word:
                return told.at_s - from_s
            elif told.word not in OF_THE_HOST | {before}:
                return None
        return None

    def _users(self, sources: frozenset[str]) -> list[float]:
        """When road users were told that one of these has seen."""
        rsms = ((t, value["participants"]) for t, kind, value in self._air if kind == "RSM")
        return [t for t, users in rsms if any(user["source"] in sources for user in users)]


def _says(spat: Spat, group: int | None) -> bool:
    """Whether a SPAT says anything; of this group."""
    return spat.valid if group is None else spat.groups[group].light != "unavailable"


def _tens(times: Sequence[float], begin: float, end: float) -> list[int]:
    """Counts in whole windows of 10 s."""
    edges = [begin + 10.0 * n for n in range(int((end - begin) / 10.0))]
    return [sum(edge <= t < edge + 10.0 for t in times) for edge in edges]


def judge(scenario: Scenario, evidence: Evidence) -> list[Judged]:
    """Every expectation of the scenario; what could not be measured has not passed."""
    judged = []
    for wish in scenario.expect:
        if "figure" not in wish:
            judged.append(_judged_in_time(wish, evidence))
            continue
        from_s, to_s = wish.get("from_s", 0.0), wish.get("to_s", scenario.given["seconds"])
        found = figure(evidence.figures(from_s, to_s), wish["figure"])
        judged.append(Judged(_words(wish), _rounded(found), _within(wish, found)))
    return judged


def _judged_in_time(wish: Mapping[str, Any], evidence: Evidence) -> Judged:
    """What must be heard or told, and when."""
    if "told" in wish:
        found = evidence.told(wish["told"], wish["of"], wish["after_s"])
        words = f"{wish['told']} told of {wish['of']}"
    else:
        found = evidence.heard(wish["heard"], wish["after_s"], wish.get("group"))
        whose = f" of group {wish['group']}" if "group" in wish else ""
        words = f"{wish['heard']}{whose} heard"
    first, last = wish.get("not_before_s", 0.0), wish["within_s"]
    words += f" within {last:g} s of second {wish['after_s']:g}"
    words += f", not in the first {first:g} s" if first else ""
    return Judged(words, _rounded(found), found is not None and first <= found <= last)


def _within(wish: Mapping[str, Any], found: float | None) -> bool:
    least, most = wish.get("least", float("-inf")), wish.get("most", float("inf"))
    return found is not None and least <= found <= most


def _words(wish: Mapping[str, Any]) -> str:
    window = f" from second {wish.get('from_s', 0):g}" if "from_s" in wish else ""
    window += f" to {wish['to_s']:g}" if "to_s" in wish else ""
    bounds = [f"{sign} {wish[key]:g}" for key, sign in (("least", ">="), ("most", "<=")) if key in wish]
    return f"{wish['figure']} {' and '.join(bounds)}{window}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
