"""The scorer's parts: lamps as segments, second marks, who counts, whom a hazard's record means."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.score.hazards import OnAir, score_hazards
from hil.score.latency import first_with
from hil.score.spat import score_spat
from hil.score.timeline import Language, Said, Spat, lamp_truth, quantile, spats
from hil.score.tracks import mark_time, participants, score_tracks, truth_users
from hil.score.uplink import score_uplink

T0 = 600.0


def lamp(*changes: tuple[float, str]) -> Any:
    return lamp_truth({"t": T0 + t, "group": 1, "colour": colour} for t, colour in changes)[1]


def test_lamp_entries_in_any_order_and_repeated_are_one_segment_each() -> None:
    shown = lamp((20, "red"), (0, "green"), (10, "green"), (25, "red"), (40, "green"))
    assert shown.times == [T0, T0 + 20, T0 + 40]
    assert shown.colours == ["green", "red", "green"]
    assert shown.at(T0 - 1) is None
    assert shown.at(T0 + 20) == "red"


@given(st.lists(st.integers(1, 40), min_size=2, max_size=20), st.integers(-10, 900), st.integers(0, 30))
def test_near_change_is_what_a_plain_search_says(lengths: list, at: int, margin: int) -> None:
    times = [sum(lengths[:n]) for n in range(len(lengths))]
    shown = lamp(*((t / 4, "green" if n % 2 else "red") for n, t in enumerate(times)))
    plain = any(abs(t - at) <= margin for t in times)
    assert shown.near_change(T0 + at / 4, margin / 4) == plain


def test_an_end_belongs_to_the_run_that_holds_or_touches_the_instant() -> None:
    shown = lamp((0, "green"), (10, "yellow"), (13, "red"), (30, "green"), (40, "yellow"))
    assert shown.end_of("green", T0 + 5, 0.3) == T0 + 10
    assert shown.end_of("green", T0 + 10.2, 0.3) == T0 + 10, "said within the margin after its end"
    assert shown.end_of("green", T0 + 10.4, 0.3) is None
    assert shown.end_of("yellow", T0 + 9.8, 0.3) == T0 + 13, "said within the margin before its start"
    assert shown.end_of("yellow", T0 + 41, 0.3) is None, "an end that the log does not hold"


def test_a_phase_of_several_groups_speaks_for_each_and_an_absent_one_for_none() -> None:
    counting = {"likelyEndTime": 55}
    told = {"intersections": [{"phases": [{"id": 7, "phaseStates": [
        {"light": "red", "timing": ("counting", counting)}]}]}]}  # fmt: skip
    found = spats([(T0, "SPAT", told), (T0, "MAP", {})], Language({7: [1, 2], 8: [3]}))
    assert found[0].groups == {1: Said("red", 5.5), 2: Said("red", 5.5), 3: Said("unavailable", None)}
    counting["likelyEndTime"] = 36001
    assert spats([(T0, "SPAT", told)], Language({7: [1]}))[0].groups[1].likely_s is None


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 1))
def test_a_quantile_is_one_of_the_values_and_grows_with_its_share(values: list, share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert quantile(values, 0) == min(values) <= found <= max(values) == quantile(values, 1)


def test_a_statement_counts_no_longer_than_300_ms_when_the_air_falls_silent() -> None:
    truth = {1: lamp((-5, "red"), (100, "green"))}
    one = [Spat(T0 + 1, {1: Said("red", 99.0)})]
    assert score_spat(one, truth, T0, T0 + 10)["valid_share"] == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("said", "shows", "wrong", "dangerous"),
    [
        ("protected-green", "red", 1, 1),
        ("flashing-green", "red_yellow", 1, 1),
        ("permissive-green", "yellow", 1, 0),
        ("red", "green", 1, 0),
        ("red", "red_yellow", 0, 0),
        ("permissive-green", "green", 0, 0),
        ("flashing-yellow", "yellow_flash", 0, 0),
        ("yellow", "yellow_flash", 1, 0),
        ("dark", "dark", 0, 0),
        ("red", "dark", 1, 0),
    ],
)
def test_wrong_and_dangerous_by_light_and_lamp(said: str, shows: str, wrong: int, dangerous: int) -> None:
    truth = {1: lamp((-5, shows))}
    air = [Spat(T0 + n / 10, {1: Said(said, None)}) for n in range(100)]
    figures = score_spat(air, truth, T0, T0 + 10)
    assert bool(figures["wrong_colour_ms"]) == bool(wrong)
    assert bool(figures["dangerous_ms"]) == bool(dangerous)


def test_either_colour_is_right_within_300_ms_of_a_change_and_not_after() -> None:
    truth = {1: lamp((-5, "green"), (5, "red"))}
    lag = 0.4
    air = [
        Spat(T0 + n / 100, {1: Said("permissive-green" if n / 100 < 5 + lag else "red", None)})
        for n in range(1000)
    ]
    figures = score_spat(air, truth, T0, T0 + 10)
    assert figures["wrong_colour_ms"] == figures["dangerous_ms"] == pytest.approx(90, abs=15)


def test_the_first_message_with_a_colour_is_found_only_within_two_seconds() -> None:
    air = [Spat(T0 + n, {1: Said("red" if n else "yellow", None)}) for n in range(5)]
    assert first_with(air, 1, "red", T0) == T0 + 1
    assert first_with(air, 1, "green", T0) is None
    assert first_with([Spat(T0 + 3, {1: Said("red", None)})], 1, "red", T0) is None


@given(st.floats(0, 1e6), st.integers(-1500, 1500), st.floats(1.6e9, 1.9e9))
def test_a_second_mark_names_the_instant_nearest_its_arrival(at: float, late_ms: int, offset: float) -> None:
    mark = round((at + offset) * 1000) % 60_000
    assert mark_time(mark, at + late_ms / 1000, offset) == pytest.approx(at, abs=0.002)


def test_participants_are_read_with_absolute_and_with_relative_places_and_without_the_rsu() -> None:
    ref = {"lat": 225500000, "long": 1139300000}
    entries = [
        {"ptcType": "rsu", "secMark": 5, "pos": {"offsetLL": ("abs", {"lat": 0, "lon": 0})}},
        {"ptcType": "motor", "secMark": 5, "pos": {"offsetLL": ("ll1", {"lat": 100, "lon": 200})}},
        {"ptcType": "motor", "secMark": 5,
         "pos": {"offsetLL": ("abs", {"lat": 225500100, "lon": 1139300200})}},
    ]  # fmt: skip
    (x, y, mark), (ax, ay, _) = participants({"refPos": ref, "participants": entries})
    assert mark == 5
    assert (x, y) == pytest.approx((ax, ay), abs=0.001)


def rows(**changed: Any) -> list[dict[str, Any]]:
    row = {"id": 1, "cls": "car", "x": 10.0, "y": 0.0, "vx": 0.0, "vy": 0.0, "seen": {}}
    return [{"t": T0 + n / 20, "users": [row | changed]} for n in range(100)]


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"seen": {"cam": 0.35}}, True),
        ({"seen": {"cam": 0.34}}, False),
        ({"seen": {"other": 1.0}}, False),
        ({"seen": {"rad": 1.0}, "vx": 0.6}, True),
        ({"seen": {"rad": 1.0}, "vx": 0.4}, False),
        ({"seen": {"cam": 1.0}, "x": 51.0}, False),
        ({"seen": {}}, False),
    ],
)
def test_who_counts_for_recall(changed: dict, counts: bool) -> None:
    truth = truth_users(rows(**changed), {"cam"}, {"rad"})
    assert (1 in truth.countable[-1]) == counts
    assert 1 not in truth.countable[10], "not before it has been countable for a second"


def test_a_break_begins_the_second_afresh() -> None:
    snapshots = rows(seen={"cam": 1.0})
    snapshots[50] = {"t": snapshots[50]["t"], "users": [snapshots[50]["users"][0] | {"seen": {}}]}
    truth = truth_users(snapshots, {"cam"}, set())
    assert 1 in truth.countable[49]
    assert 1 not in truth.countable[60]
    assert 1 in truth.countable[80]


def test_a_user_nobody_could_see_makes_no_participant_false() -> None:
    truth = truth_users(rows(), {"cam"}, {"rad"})
    mark = round((T0 + 3) * 1000) % 60_000
    figures = score_tracks([(T0 + 3, [(10.5, 0.0, mark), (30.0, 0.0, mark)])], truth, 0.0, T0, T0 + 5)
    assert figures["precision"] == 0.5
    assert figures["recall"] is None
    assert figures["position_rmse_m"] == 0.5


def test_two_participants_on_one_user_are_one_pair_and_neither_is_false() -> None:
    truth = truth_users(rows(seen={"cam": 1.0}), {"cam"}, set())
    mark = round((T0 + 3) * 1000) % 60_000
    figures = score_tracks([(T0 + 3, [(10.2, 0.0, mark), (11.0, 0.0, mark)])], truth, 0.0, T0, T0 + 5)
    assert figures["recall"] == figures["precision"] == 1.0
    assert figures["position_rmse_m"] == 0.2


def test_one_record_stands_for_one_hazard_only() -> None:
    truth = truth_users(rows(seen={"cam": 1.0}), {"cam"}, set())
    onset = {"t": T0 + 2, "sure_t": T0 + 2, "kind": "wrong_way", "edge": "onset", "user": 1, "x": 10, "y": 0}
    record = {"kind": "wrong_way", "t": (T0 + 3) * 1e6, "x": 10.0, "y": 0.0}
    ended = record | {"end": (T0 + 4) * 1e6}
    rsi = [(T0 + 3, {904})]
    figures = score_hazards([onset, onset], [record, ended], OnAir("csae53", [], rsi), truth, 0.0, 60)
    assert (figures["expected"], figures["detected"], figures["false"]) == (2, 1, 0)
    assert score_hazards([onset], [], OnAir("csae53", [], rsi), truth, 0.0, 30)["expected"] is None


def test_an_outbox_that_gave_no_number_is_not_measured_and_nothing_changed_is_no_log() -> None:
    figures = score_uplink({}, {}, 0, [], {1: lamp((-5, "red"))}, 0.0, T0, T0 + 60)
    assert figures["missing"] is None
    assert figures["phase_changes_missing"] is None
    assert not math.isnan(figures["produced"])
