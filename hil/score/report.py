"""A whole run scored: truth log, the vehicle's air log, the district's database, the outbox files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.devices.vehicle import clock_offset_s
from hil.devices.vehicle_codec import decode_air
from hil.score.camera import score_camera
from hil.score.hazards import OnAir, hazards_told, score_hazards
from hil.score.latency import score_latency
from hil.score.spat import score_spat
from hil.score.timeline import Language, lamp_truth, spats
from hil.score.tracks import mark_time, participants, score_tracks, truth_users
from hil.score.uplink import score_uplink
from hil.score.windows import Windows, host_figures, windows_of
from hil.truth import read_truth

TICK_RSM_S = 0.05  # parts of one cycle arrive together
USUAL = {"map": 10, "rsm": 100}  # a window


@dataclass
class Cycle:
    """One RSM cycle as it arrived: parts together. `mark`: the secMark of its first participant."""

    t: float
    mark: int
    people: list[tuple[float, float, int]]


@dataclass(frozen=True)
class Ends:
    """What is known of a run beside its truth folder.

    language: how it spoke. cameras, radars: their names. district: `district_facts`.
    fused: `fused_frames`. extended: how often the run was extended.
    """

    language: Language
    cameras: set[str]
    radars: set[str]
    district: Mapping[str, Any]
    fused: Sequence[tuple[float, Mapping[str, int]]]
    extended: int = 0


def score_run(run_dir: Path, ends: Ends, t0: float, t1: float) -> dict[str, Any]:
    """Every figure of a run that its files give. t0, t1: the scored seconds on the monotonic clock."""
    air = sorted(decode_air(run_dir, ends.language.messages), key=lambda heard: heard[0])
    stalls = list(read_truth(run_dir, "stall"))
    windows = windows_of(stalls, t0, t1)
    offset_s = clock_offset_s()
    cycles = cycles_of(air)
    figures = _signals(run_dir, air, ends, windows, offset_s)
    marked = [(c.t, mark_time(c.mark, c.t, offset_s)) for c in cycles]
    figures["latency"] |= score_camera(read_truth(run_dir, "frame"), ends.fused, marked, windows)
    maps = [t for t, kind, value in air if kind == "MAP" and value.get("layerID", 0) <= 1]  # the first layer
    figures["map"] = rate("map", windows.counts(maps))
    figures["rsm"] = rate("rsm", windows.counts([cycle.t for cycle in cycles]))
    figures |= _road(run_dir, air, cycles, ends, windows, offset_s)
    figures["host"] = host_figures(stalls, windows, ends.extended)
    figures["air"] = {"not_understood": sum(kind == "BAD" for _, kind, _ in air)}
    return figures


def cycles_of(air: Sequence[tuple[float, str, Any]]) -> list[Cycle]:
    """RSM cycles in order of arrival; the parts of one count once."""
    cycles: list[Cycle] = []
    for t, kind, value in air:
        if kind != "RSM":
            continue
        if not cycles or t - cycles[-1].t > TICK_RSM_S:
            cycles.append(Cycle(t, value["participants"][0]["secMark"], []))
        cycles[-1].people.extend(participants(value))
    return cycles


def rate(name: str, counts: Sequence[int]) -> dict[str, Any]:
    """Counts of windows: least, most, and `per_10s`, the one farthest from the usual."""
    return {
        "per_10s": max(counts, key=lambda count: abs(count - USUAL[name]), default=None),
        "per_10s_min": min(counts, default=None),
        "per_10s_max": max(counts, default=None),
    }


def _signals(
    run_dir: Path, air: Sequence[tuple[float, str, Any]], ends: Ends, windows: Windows, offset_s: float
) -> dict[str, Any]:
    t0, t1, district = windows.t0, windows.t1, ends.district
    lamps = list(read_truth(run_dir, "lamp"))
    truth, told_apart = lamp_truth(lamps, ends.language), lamp_truth(lamps)
    said = spats(air, ends.language)
    numbers, stored, log = district["numbers"], district["stored"], district["phase_log"]
    return {
        "spat": score_spat(said, truth, t0, t1, windows),
        "latency": score_latency(said, truth, read_truth(run_dir, "wire"), t0, t1, windows),
        "uplink": score_uplink(numbers, stored, district["duplicates"], log, told_apart, offset_s, t0, t1),
    }


def _road(
    run_dir: Path,
    air: Sequence[tuple[float, str, Any]],
    cycles: Sequence[Cycle],
    ends: Ends,
    windows: Windows,
    offset_s: float,
) -> dict[str, Any]:
    t0, t1 = windows.t0, windows.t1
    told = [(cycle.t, cycle.people) for cycle in cycles]
    on_air = OnAir(ends.language.messages, told, hazards_told(air))
    snapshots = list(read_truth(run_dir, "users"))
    truth = truth_users(snapshots, ends.cameras, ends.radars)
    scripted = [event for event in read_truth(run_dir, "event") if t0 <= event["t"] <= t1]
    present = [len(entry["users"]) for entry in snapshots if t0 <= entry["t"] <= t1]
    events = ends.district["events"]
    return {
        "tracks": score_tracks(told, truth, offset_s, t0, t1),
        "hazards": score_hazards(scripted, events, on_air, truth, offset_s, round(t1 - t0, 3)),
        "world": {"users_min": min(present, default=None), "users_max": max(present, default=None)},
    }
