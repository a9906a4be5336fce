"""A whole run scored: truth log, the vehicle's air log, the district's database, the outbox files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hil.devices.vehicle import clock_offset_s
from hil.devices.vehicle_codec import decode_air
from hil.score.hazards import score_hazards
from hil.score.latency import score_latency
from hil.score.spat import per_ten_seconds, score_spat
from hil.score.timeline import lamp_truth, quantile, spats
from hil.score.tracks import participants, score_tracks, truth_users
from hil.score.uplink import score_uplink
from hil.truth import read_truth

TICK_RSM_S = 0.05  # parts of one cycle arrive together


def score_signals(
    run_dir: Path, phases: Mapping[int, Sequence[int]], t0: float, t1: float, district: Mapping[str, Any]
) -> dict[str, Any]:
    """Every figure that lamps, air and district give."""
    air = list(decode_air(run_dir))
    truth = lamp_truth(read_truth(run_dir, "lamp"))
    said = spats(air, phases)
    maps = per_ten_seconds([t for t, kind, _ in air if kind == "MAP"], t0, t1)
    cycles = per_ten_seconds(_cycles([t for t, kind, _ in air if kind == "RSM"]), t0, t1)
    stalls = [entry["late_ms"] for entry in read_truth(run_dir, "stall") if t0 <= entry["t"] <= t1]
    return {
        "spat": score_spat(said, truth, t0, t1),
        "map": {"per_10s_min": min(maps, default=None), "per_10s_max": max(maps, default=None)},
        "rsm": {"per_10s_min": min(cycles, default=None), "per_10s_max": max(cycles, default=None)},
        "latency": score_latency(said, truth, read_truth(run_dir, "wire"), t0, t1),
        "uplink": score_uplink(
            district["numbers"],
            district["stored"],
            district["duplicates"],
            district["phase_log"],
            truth,
            clock_offset_s(),
            t0,
            t1,
        ),
        "host": {"stall_max_ms": max(stalls, default=0.0), "stall_p99_ms": quantile(stalls, 0.99)},
        "air": {"not_understood": sum(kind == "BAD" for _, kind, _ in air)},
    }


def score_road(
    run_dir: Path,
    sensors: tuple[set[str], set[str]],
    t0: float,
    t1: float,
    events: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Road users and hazards. sensors: names of the cameras and of the radars."""
    air = list(decode_air(run_dir))
    cycles: list[tuple[float, list[tuple[float, float, int]]]] = []
    for t, kind, value in air:
        if kind != "RSM":
            continue
        if cycles and t - cycles[-1][0] <= TICK_RSM_S:
            cycles[-1][1].extend(participants(value))
        else:
            cycles.append((t, participants(value)))
    rsi = [(t, {e["eventType"] for e in value.get("rtes", [])}) for t, kind, value in air if kind == "RSI"]
    truth = truth_users(list(read_truth(run_dir, "users")), *sensors)
    scripted = [event for event in read_truth(run_dir, "event") if t0 <= event["t"] <= t1]
    offset_s = clock_offset_s()
    return {
        "tracks": score_tracks(cycles, truth, offset_s, t0, t1),
        "hazards": score_hazards(scripted, events, cycles, rsi, truth, offset_s, t1 - t0),
    }


def _cycles(times: Sequence[float]) -> list[float]:
    """Arrivals of RSM cycles: the parts of one cycle count once."""
    cycles: list[float] = []
    for t in times:
        if not cycles or t - cycles[-1] > TICK_RSM_S:
            cycles.append(t)
    return cycles
