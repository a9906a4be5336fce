"""A whole made-up run through every scorer: the honest one passes all bounds, each cheat fails its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from hil.score.bounds import missed
from hil.score.camera import score_camera
from hil.score.hazards import OnAir, score_hazards
from hil.score.latency import score_latency
from hil.score.report import rate
from hil.score.spat import score_spat
from hil.score.timeline import GO_LIGHTS, LampTruth, Said, Spat, lamp_truth
from hil.score.tracks import score_tracks, truth_users
from hil.score.uplink import score_uplink
from hil.score.windows import Windows, host_figures

T0, SECONDS = 6000.0, 60.0
T1 = T0 + SECONDS
WINDOWS = Windows(T0, T1)
LIGHT = {"green": "protected-green", "yellow": "yellow", "red": "red"}
REPORT_S, RADIO_S = 0.06, 0.004  # a report is 60 ms behind the lamp, the air 4 ms behind the report
UNAVAILABLE = Said("unavailable", None)
KINDS = {"red_light_runner": 1, "wrong_way": 2, "stopped_vehicle": 3, "pedestrian_on_red": 4}
CODES = {"wrong_way": 904, "stopped_vehicle": 412}


def lamps() -> dict[int, LampTruth]:
    """Two groups in a 30 s cycle: green 12, yellow 3, red 15, half a cycle apart."""
    entries = []
    for cycle in range(-2, 6):
        for group, shift in ((1, 0.0), (2, 15.0)):
            for colour, at in (("green", 0.0), ("yellow", 12.0), ("red", 15.0)):
                entries.append({"t": T0 + 4.3 + shift + 30 * cycle + at, "group": group, "colour": colour})
    return lamp_truth(entries)


def report_of(lamp: LampTruth, t: float) -> tuple[str, float]:
    """What the controller's newest report says at an instant: the colour and its true end."""
    colour = lamp.at(t - REPORT_S)
    assert colour is not None
    end = next(at for at in lamp.times if at > t - REPORT_S)
    return LIGHT[colour], end


def honest_air() -> list[Spat]:
    """A frame every 100 ms and one at once with each report of a change."""
    truth = lamps()
    ticks = {T0 - 0.05 + n / 10 for n in range(602)}
    changes = {t + REPORT_S for lamp in truth.values() for t in lamp.times if T0 <= t < T1}
    spats = []
    for at in sorted(ticks | changes):
        groups = {}
        for group, lamp in truth.items():
            light, end = report_of(lamp, at + 1e-6)
            groups[group] = Said(light, max(0.0, round(end - at - RADIO_S, 1)))
        spats.append(Spat(at + RADIO_S, groups))
    return spats


@dataclass
class MadeUp:
    """Everything that the scorers read of a run."""

    spats: list[Spat] = field(default_factory=honest_air)
    users: list[dict[str, Any]] = field(default_factory=list)
    cycles: list[tuple[float, list[tuple[float, float, int]]]] = field(default_factory=list)
    fused: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    rsi: list[tuple[float, set[int]]] = field(default_factory=list)
    stored: dict[tuple[int, str], set[int]] = field(default_factory=dict)
    duplicates: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


def honest() -> MadeUp:
    run = MadeUp()
    row = {"cls": "car", "vx": 1.0, "vy": 0.0, "seen": {"south": 1.0}}
    for n in range(-40, 1240):
        t = T0 + n / 20
        rows = [{**row, "id": k, "x": 8.0 * k - 30 + n / 20, "y": 5.0 * (k % 3)} for k in range(1, 6)]
        run.users.append({"t": t, "users": rows})
    for n in range(600):
        at = round(T0 + 0.02 + n / 10, 3)
        run.fused.append((at, {"south": n}))
        moved = at - T0
        people = [(8.0 * k - 30 + moved + 0.3, 5.0 * (k % 3), mark(at)) for k in range(1, 6)]
        run.cycles.append((at + RADIO_S, people))
    for kind, user in KINDS.items():
        t = T0 + 10.0 + user
        x, y = 8.0 * user - 30 + 10.0 + user, 5.0 * (user % 3)
        run.events.append({"t": t, "sure_t": t, "kind": kind, "edge": "onset", "user": user, "x": x, "y": y})
        run.records.append({"kind": kind, "t": (t + 0.5) * 1e6, "x": x + 1.0, "y": y, "end": None})
        if kind in CODES:
            run.rsi.append((t + 1.0, {CODES[kind]}))
    run.stored = {(5, "hi"): set(range(1, 9)), (5, "lo"): set(range(1, 101))}
    run.log = [
        {"g": group, "c": colour, "t": round((t + 0.05) * 1e6)}
        for group, lamp in lamps().items()
        for t, colour in zip(lamp.times, lamp.colours, strict=True)
    ]
    return run


def mark(at: float) -> int:
    return round(at * 1000) % 60_000


def judge(run: MadeUp) -> list[str]:
    """The names of the bounds that a run misses."""
    truth = lamps()
    known = truth_users(run.users, {"south"}, set())
    wire = [
        {"t": t + REPORT_S, "colours": {str(group): colour}}
        for group, lamp in truth.items()
        for t, colour in zip(lamp.times, lamp.colours, strict=True)
    ]
    frames = [{"t": T0 - 0.04 + n / 10, "camera": "south", "frame": n} for n in range(600)]
    marked = [(t, t - RADIO_S) for t, _ in run.cycles]
    numbers = {"hi": {"epoch": 5, "produced": 8}, "lo": {"epoch": 5, "produced": 100}}
    latency = score_latency(run.spats, truth, wire, T0, T1, WINDOWS)
    latency |= score_camera(frames, run.fused, marked, WINDOWS)
    figures: dict[str, Any] = {
        "spat": score_spat(run.spats, truth, T0, T1, WINDOWS) | {"first_valid_s": 3.0},
        "latency": latency,
        "map": rate("map", [10] * 6),
        "rsm": rate("rsm", WINDOWS.counts(t for t, _ in run.cycles)),
        "tracks": score_tracks(run.cycles, known, 0.0, T0, T1),
        "hazards": score_hazards(
            run.events, run.records, OnAir("csae53", run.cycles, run.rsi), known, 0.0, SECONDS
        ),
        "uplink": score_uplink(numbers, run.stored, run.duplicates, run.log, truth, 0.0, T0, T1),
        "host": host_figures([], WINDOWS, 0),
        "process": {"parent_rss_mb": 16, "core_rss_mb": 80, "senses_rss_mb": 190},
    }
    return [line.split()[0] for line in missed(figures, SECONDS)]


def test_an_honest_run_passes_every_bound() -> None:
    assert judge(honest()) == []


def every_group(spats: list[Spat], change: Any) -> list[Spat]:
    return [Spat(s.t, {group: change(group, said, s.t) for group, said in s.groups.items()}) for s in spats]


def repeated(group: int, said: Said, t: float) -> Said:
    return LAST.setdefault(group, said)


LAST: dict[int, Said] = {}


def after_the_fact(group: int, said: Said, t: float) -> Said:
    """Hindsight: the end is told only once it is past."""
    lamp = lamps()[group]
    ended = next((at for at in reversed(lamp.times) if at <= t), t)
    return Said(said.light, 0.0 if t - ended < 0.25 else None)


def two_seconds_late(group: int, said: Said, t: float) -> Said:
    """Hindsight of the other kind: what is sure by now, told two seconds later."""
    light, end = report_of(lamps()[group], t - 2.0)
    return Said(light, max(0.0, end - t))


SIGNAL_CHEATS = {
    "always unavailable": (
        lambda group, said, t: UNAVAILABLE,
        {"spat.valid_share", "spat.times_share", "spat.wrong_colour_ms", "spat.end_error_p95_s"},
    ),
    "always red": (lambda group, said, t: Said("red", said.likely_s), {"spat.wrong_colour_ms"}),
    "always red without ends": (
        lambda group, said, t: Said("red", None),
        {"spat.wrong_colour_ms", "spat.times_share", "spat.end_error_p95_s"},
    ),
    "always green": (
        lambda group, said, t: Said("protected-green", said.likely_s),
        {"spat.wrong_colour_ms", "spat.dangerous_ms"},
    ),
    "last colour repeated": (repeated, {"spat.wrong_colour_ms", "spat.dangerous_ms"}),
    "[now, unknown] ends": (
        lambda group, said, t: Said(said.light, None),
        {"spat.times_share", "spat.end_error_p95_s"},
    ),
    "the end is always now": (lambda group, said, t: Said(said.light, 0.0), {"spat.end_error_p95_s"}),
    "hindsight": (after_the_fact, {"spat.times_share"}),
    "hindsight, late": (two_seconds_late, {"spat.wrong_colour_ms", "latency.lamp_to_radio_p95_ms"}),
    "frozen countdown": (lambda group, said, t: Said(said.light, 9.0), {"spat.end_error_p95_s"}),
    "green is never said": (
        lambda group, said, t: UNAVAILABLE if said.light in GO_LIGHTS else said,
        {"spat.valid_share"},
    ),
    "always dark": (lambda group, said, t: Said("dark", None), {"spat.valid_share", "spat.times_share"}),
}


@pytest.mark.parametrize("name", SIGNAL_CHEATS)
def test_a_cheat_with_the_lamps_fails(name: str) -> None:
    LAST.clear()
    change, bounds = SIGNAL_CHEATS[name]
    run = honest()
    run.spats = every_group(run.spats, change)
    assert bounds <= set(judge(run))


def test_silence_fails_every_bound_of_spat_and_of_signal_latency() -> None:
    run = honest()
    run.spats = []
    found = set(judge(run))
    assert {"spat.per_10s_min", "spat.gap_max_ms", "spat.valid_share", "spat.times_share"} <= found
    assert {"spat.wrong_colour_ms", "spat.dangerous_ms", "spat.end_error_p95_s"} <= found
    assert {"latency.report_to_radio_p95_ms", "latency.lamp_to_radio_p95_ms"} <= found


def test_silence_on_the_road_fails_every_bound_of_rsm() -> None:
    run = honest()
    run.cycles, run.rsi = [], []
    found = set(judge(run))
    assert {"rsm.per_10s", "tracks.recall", "tracks.precision", "tracks.position_rmse_m"} <= found
    assert {"latency.camera_to_rsm_p95_ms", "hazards.detected"} <= found


def test_an_rsm_with_only_the_rsu_fails() -> None:
    run = honest()
    run.cycles = [(t, []) for t, _ in run.cycles]
    assert {"tracks.recall", "tracks.precision", "hazards.detected"} <= set(judge(run))


def test_users_strewn_over_the_crossing_fail_precision() -> None:
    run = honest()
    grid = [(x * 4.0, y * 4.0) for x in range(-12, 13) for y in range(-12, 13)]
    run.cycles = [(t, [(x, y, people[0][2]) for x, y in grid]) for t, people in run.cycles[::1]]
    assert "tracks.precision" in judge(run)


def test_every_cone_a_hazard_fails() -> None:
    run = honest()
    cones = [
        {"kind": "stopped_vehicle", "t": (T0 + n) * 1e6, "x": 40.0, "y": n, "end": None} for n in range(9)
    ]
    run.records += cones
    assert judge(run) == ["hazards.false"]


def test_a_warning_on_air_that_nothing_accounts_for_is_false() -> None:
    run = honest()
    run.rsi.append((T0 + 20, {401}))
    assert judge(run) == ["hazards.false"]


@pytest.mark.parametrize("what", ["kind", "place", "late", "not on air", "no record"])
def test_a_hazard_counts_only_with_kind_place_time_and_air(what: str) -> None:
    run = honest()
    record = run.records[1]
    match what:
        case "kind":
            record["kind"] = "stopped_vehicle"
        case "place":
            record["x"] += 5.0
        case "late":
            record["t"] += 2.5e6
            record["x"] += 2.5
        case "not on air":
            run.rsi = [(t, codes) for t, codes in run.rsi if 904 not in codes]
        case "no record":
            run.records.remove(record)
    assert "hazards.detected" in judge(run)


def test_delete_on_puback_fails() -> None:
    run = honest()
    run.stored[(5, "lo")] -= set(range(40, 83))
    assert judge(run) == ["uplink.missing"]


def test_numbers_of_another_epoch_do_not_stand_in_for_missing_ones() -> None:
    run = honest()
    run.stored[(4, "lo")] = run.stored.pop((5, "lo"))
    assert judge(run) == ["uplink.missing"]


def test_a_record_kept_twice_fails() -> None:
    run = honest()
    run.duplicates = 1
    assert judge(run) == ["uplink.duplicates"]


@pytest.mark.parametrize("fault", ["lost", "late", "other colour"])
def test_a_phase_log_that_is_not_the_truth_fails(fault: str) -> None:
    run = honest()
    record = next(r for r in run.log if T0 + 5 < r["t"] / 1e6 < T1 - 5)
    match fault:
        case "lost":
            run.log.remove(record)
        case "late":
            record["t"] += 400_000
        case "other colour":
            record["c"] = "red_yellow"
    assert judge(run) == ["uplink.phase_changes_missing"]


def test_a_frame_number_that_the_recording_makes_up_wins_nothing() -> None:
    run = honest()
    run.fused = [(at, {"south": frames["south"] + 5}) for at, frames in run.fused]
    assert judge(run) == ["latency.camera_to_rsm_p95_ms"]


def test_a_recording_that_names_every_frame_late_is_late() -> None:
    run = honest()
    run.fused = [(at, {"south": frames["south"] - 4}) for at, frames in run.fused]
    assert judge(run) == ["latency.camera_to_rsm_p95_ms"]
