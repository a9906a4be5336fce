"""The virtual world is plausible, its files are what their scripts write, and cheats fail the scorer."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from hil.devices.signal_model import SignalModel
from hil.score.bounds import BOUNDS, missed
from hil.score.latency import score_latency
from hil.score.spat import score_spat
from hil.score.timeline import RIGHT, LampTruth, Said, Spat, lamp_truth
from hil.score.tracks import score_tracks, truth_users
from hil.score.uplink import score_uplink
from hil.truth import TruthLog, read_truth
from hil.world import make_crossing
from hil.world.crossing_read import RigCrossing, read_rig_crossing
from hil.world.script import KINDS, Script
from hil.world.traffic import Traffic
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing

FILE = asset("config/crossings/virtual.geojson")


@pytest.fixture(scope="module")
def crossing() -> RigCrossing:
    return read_rig_crossing(FILE)


def test_the_crossing_file_is_what_its_script_writes() -> None:
    assert FILE.read_text() == make_crossing.text()


def test_rig_and_product_read_the_same_places(crossing: RigCrossing) -> None:
    """Two projections written apart, held to each other within a centimetre over the crossing."""
    ours = read_crossing(FILE)
    for lane in ours.lanes:
        for (x, y), (rx, ry) in zip(lane.points, crossing.lanes[lane.lane].points, strict=True):
            assert math.hypot(x - rx, y - ry) < 0.02


@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_drives_through_anybody_and_nobody_is_stuck(crossing: RigCrossing, seed: int) -> None:
    traffic, lights, now = Traffic(crossing, seed), SignalModel(0.0), 0.0
    most = 0
    for step in range(20 * 150):
        now += 0.05
        lights.advance(now)
        traffic.step(0.05, lights.lamps, now)
        most = max(most, len(traffic.users))
        if step % 20 == 0:
            for i, one in enumerate(traffic.users):
                for other in traffic.users[i + 1 :]:
                    if one.cls == other.cls == "pedestrian":
                        continue
                    apart = math.hypot(one.x - other.x, one.y - other.y)
                    assert apart > (one.size[1] + other.size[1]) / 2 * 0.8, (one, other)
    assert 20 <= most <= 40
    assert all(user.still_s < 70 for user in traffic.users)


def test_the_same_seed_gives_the_same_traffic(crossing: RigCrossing) -> None:
    runs = []
    for _ in range(2):
        traffic, lights = Traffic(crossing, 7), SignalModel(0.0)
        for step in range(800):
            lights.advance(step / 20)
            traffic.step(0.05, lights.lamps, step / 20)
        runs.append([(u.id, u.cls, round(u.x, 9), round(u.y, 9)) for u in traffic.users])
    assert runs[0] == runs[1]
    assert runs[0]


def test_scripted_hazards_happen_and_end(crossing: RigCrossing) -> None:
    traffic, lights, now = Traffic(crossing, 3), SignalModel(0.0, seed=3), 0.0
    script = Script(traffic)
    for kind in KINDS:
        script.plan(kind, 100.0)
    edges: dict[str, list[str]] = {}
    for _ in range(20 * 260):
        now += 0.05
        lights.advance(now)
        traffic.step(0.05, lights.lamps, now)
        for event in script.step(now):
            edges.setdefault(event.kind, []).append(event.edge)
    assert edges == {kind: ["onset", "clear"] for kind in KINDS}


def test_a_torn_line_of_the_truth_log_is_passed_over(tmp_path: Path) -> None:
    log = TruthLog(tmp_path, "x")
    log.write("lamp", 1.0, group=1, colour="red")
    log.close()
    with (tmp_path / "truth" / "x.jsonl").open("a") as file:
        file.write('{"t": 2.0, "k": "la')
    assert [entry["t"] for entry in read_truth(tmp_path, "lamp")] == [1.0]


# An honest run and its cheats: two groups, 100 s, green 30 s, red 30 s.
T0, T1 = 1000.0, 1100.0


def truth() -> dict[int, LampTruth]:
    entries = []
    for group, first in ((1, 0), (2, 1)):
        for n in range(-1, 6):
            colour = "green" if (n + first) % 2 else "red"
            entries.append({"t": T0 - 5 + 30 * n, "group": group, "colour": colour})
    return lamp_truth(entries)


def said(how: str) -> list[Spat]:
    lamps = truth()
    spats = []
    last: dict[int, Said] = {}
    for step in range(1000):
        t = T0 + step / 10 + 0.01
        groups = {}
        for group, lamp in lamps.items():
            colour = lamp.at(t - 0.05) or "red"
            end = lamp.end_of(colour, t - 0.05, 0.3)
            light = sorted(RIGHT[colour])[0]
            honest = Said(light, None if end is None else max(0.1, round(end - t, 1)))
            groups[group] = {
                "honest": honest,
                "unavailable": Said("unavailable", None),
                "repeated": last.setdefault(group, honest),
                "no_ends": Said(light, None),
                "late": Said(sorted(RIGHT[lamp.at(t - 1.5) or "red"])[0], honest.likely_s),
                "frozen": Said(light, 9.0),
            }[how]
        spats.append(Spat(t, groups))
    return spats


def spat_missed(how: str) -> set[str]:
    figures = {"spat": score_spat([] if how == "silent" else said(how), truth(), T0, T1)}
    return {line.split()[0] for line in missed(figures, T1 - T0) if line.startswith("spat.")} - {
        "spat.first_valid_s"
    }


def test_the_honest_run_passes() -> None:
    assert spat_missed("honest") == set()
    figures = score_spat(said("honest"), truth(), T0, T1)
    assert figures["ends_announced"] > 1000
    assert figures["wrong_colour_ms"] == 0.0


@pytest.mark.parametrize(
    ("cheat", "bound"),
    [
        ("silent", "spat.per_10s_min"),
        ("silent", "spat.end_error_p95_s"),
        ("silent", "spat.wrong_colour_ms"),
        ("unavailable", "spat.valid_share"),
        ("unavailable", "spat.wrong_colour_ms"),
        ("repeated", "spat.wrong_colour_ms"),
        ("repeated", "spat.dangerous_ms"),
        ("no_ends", "spat.times_share"),
        ("no_ends", "spat.end_error_p95_s"),
        ("late", "spat.dangerous_ms"),
        ("frozen", "spat.end_error_p95_s"),
    ],
)
def test_a_cheat_fails_its_bound(cheat: str, bound: str) -> None:
    assert bound in spat_missed(cheat)


def test_latency_has_one_sample_a_change_and_none_of_nothing() -> None:
    wire = [{"t": t, "colours": {"1": c}} for t, c in zip(truth()[1].times, truth()[1].colours, strict=True)]
    figures = score_latency(said("honest"), truth(), wire, T0, T1)
    assert figures["changes"] == 6
    assert 0 <= figures["lamp_to_radio_p95_ms"] <= 161
    assert score_latency([], truth(), [], T0, T1)["lamp_to_radio_p95_ms"] is None


def users() -> list[dict[str, Any]]:
    row = {"cls": "car", "vx": 0.0, "vy": 0.0, "seen": {"cam": 1.0}}
    return [
        {"t": T0 + n / 20, "users": [{**row, "id": k, "x": 10.0 * k, "y": 0.0} for k in (1, 2, 3)]}
        for n in range(2000)
    ]


def test_an_rsm_with_only_the_rsu_has_no_recall_and_no_precision() -> None:
    known = truth_users(users(), {"cam"}, set())
    nobody = [(T0 + n / 10, []) for n in range(20, 900)]
    figures = score_tracks(nobody, known, 0.0, T0, T1)
    assert figures["recall"] == 0.0
    assert figures["precision"] is None
    assert "tracks.recall" in " ".join(missed({"tracks": figures}, 100))


def test_tracks_are_compared_at_their_own_second_mark() -> None:
    known = truth_users(users(), {"cam"}, set())
    cycles = []
    for n in range(20, 900):
        mark = round((T0 + n / 10 - 0.05) % 60 * 1000)
        cycles.append((T0 + n / 10, [(10.0, 0.5, mark), (20.0, 0.0, mark), (70.0, 40.0, mark)]))
    figures = score_tracks(cycles, known, 0.0, T0, T1)
    assert figures["recall"] == pytest.approx(2 / 3, abs=0.01)
    assert figures["precision"] == pytest.approx(2 / 3, abs=0.01)
    assert figures["position_rmse_m"] == pytest.approx(math.sqrt(0.125), abs=0.01)


def test_deleting_on_the_brokers_word_is_seen_as_missing() -> None:
    numbers = {"hi": {"epoch": 5, "produced": 100}}
    kept = {(5, "hi"): set(range(1, 61))}
    log = [
        {"g": group, "c": colour, "t": round(t * 1e6)}
        for group, lamp in truth().items()
        for t, colour in zip(lamp.times, lamp.colours, strict=True)
    ]
    figures = score_uplink(numbers, kept, 0, log[:-4], truth(), 0.0, T0, T1)
    assert figures["missing"] == 40
    assert figures["phase_changes_missing"] > 0
    assert score_uplink(numbers, kept, 0, log, truth(), 0.0, T0, T1)["phase_changes_missing"] == 0


def test_what_could_not_be_measured_counts_as_missed() -> None:
    assert len(missed({}, 3600)) == len(BOUNDS)
    assert json.dumps(score_spat([], truth(), T0, T1))
