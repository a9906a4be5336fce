"""Scripted hazards against what the district holds and what was on air."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.score.tracks import TruthUsers

PLACE_M, ONSET_S, ON_AIR_M = 3.0, 2.0, 2.5
CYCLE_S = 0.15  # the RSM cycle nearest to an onset is no farther away
LASTS_S = 30.0
# Codes of the kinds that a set tells of by code: eventType of RSI, causeCode of DENM
CODES: dict[str, dict[str, int]] = {
    "csae53": {"wrong_way": 904, "stopped_vehicle": 412},
    "etsi": {"wrong_way": 14, "stopped_vehicle": 94, "red_light_running": 98, "pedestrian_on_red": 12},
    "j2735": {},
}


@dataclass(frozen=True)
class OnAir:
    """What vehicles were told. cycles: RSM (arrival, participants); told: (arrival, codes) of RSI or DENM."""

    messages: str
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]]
    told: Sequence[tuple[float, set[int]]]

    def has(self, event: Mapping[str, Any]) -> bool:
        """Whether a hazard was told: its code while it may last, else as a participant where it was at onset.

        True of a set that has no message for it.
        """
        code = CODES[self.messages].get(event["kind"])
        if code is not None:
            return any(code in codes and 0 <= t - event["t"] <= LASTS_S for t, codes in self.told)
        if self.messages != "csae53":
            return True
        at_onset = min(self.cycles, key=lambda cycle: abs(cycle[0] - event["t"]), default=None)
        if at_onset is None or abs(at_onset[0] - event["t"]) > CYCLE_S:
            return False
        return any(math.dist((x, y), (event["x"], event["y"])) <= ON_AIR_M for x, y, _ in at_onset[1])


def hazards_told(air: Iterable[tuple[float, str, Any]]) -> list[tuple[float, set[int]]]:
    """(arrival, codes) of every RSI, and of every DENM that does not cancel."""
    told = []
    for t, kind, value in air:
        if kind == "RSI":
            told.append((t, {event["eventType"] for event in value.get("rtes", [])}))
        elif kind == "DENM" and "termination" not in value["management"]:
            told.append((t, {value["situation"]["eventType"]["causeCode"]}))
    return told


def score_hazards(
    events: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    on_air: OnAir,
    truth: TruthUsers,
    utc_less_monotonic_s: float,
    seconds: float,
) -> dict[str, Any]:
    """events: truth; records: the district's events."""
    onsets = [event for event in events if event["edge"] == "onset"]
    begun = [record for record in records if record.get("end") is None]
    used: set[int] = set()
    detected = []
    for event in onsets:
        match = _match(event, begun, used, truth, utc_less_monotonic_s)
        if match is not None:
            used.add(match)
            if on_air.has(event):
                detected.append(event["kind"])
    return {
        "expected": len(onsets) if seconds >= 60 else None,
        "detected": len(detected) if seconds >= 60 else None,
        "kinds": sorted(detected),
        "false": len(begun) - len(used) + len(_unfounded(onsets, begun, on_air)),
    }


def _unfounded(
    onsets: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], on_air: OnAir
) -> set[int]:
    """Codes on air that neither the truth nor any record (which is judged by itself) accounts for."""
    code_of = CODES[on_air.messages]
    known = {code_of.get(told["kind"]) for told in [*onsets, *records]}
    return {code for _, codes in on_air.told for code in codes if code not in known}


def _match(
    event: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    used: set[int],
    truth: TruthUsers,
    offset_s: float,
) -> int | None:
    """The record of this hazard: kind, within 3 m of its user at the record's onset, at most 2 s late.

    Late against the instant at which the rule's condition was true of a user that the sensors could see.
    """
    seen_s = truth.countable_from(event["user"], event["t"])
    true_s = max(event["sure_t"], seen_s) if seen_s is not None else event["sure_t"]
    for i, record in enumerate(records):
        if i in used or record["kind"] != event["kind"]:
            continue
        at_s = record["t"] / 1e6 - offset_s
        place = truth.place(event["user"], at_s)
        near = place is not None and math.dist(place, (record["x"], record["y"])) <= PLACE_M
        if near and event["t"] - ONSET_S <= at_s <= true_s + ONSET_S:
            return i
    return None
