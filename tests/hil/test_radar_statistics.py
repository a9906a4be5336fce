"""The model that all virtual radars share, held to the figures of the facts (radars 6)."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.radar_model import RCS_DB, Look, RoadRadar, Traits, Weather, stepped, wrapped
from tests.hil.radar_road import HEIGHT_M, mount, user

CLEAR = replace(Traits(), clutter=0.0, ghost=0.0)
LOOKS = 1500
RANGE_STEP_M, DOPPLER_STEP, DOPPLER_MOST = 0.366, 0.579, 11.57


def looks(
    users: list[dict[str, Any]], traits: Traits = CLEAR, count: int = LOOKS, seed: int = 1
) -> list[Look]:
    radar = RoadRadar(mount(), traits, seed)
    return [radar.look(users) for _ in range(count)]


def far(x: float, y: float) -> float:
    return math.hypot(x, y, HEIGHT_M - 0.75)


@pytest.mark.parametrize(
    ("metres", "fewest", "most"),
    [(30.0, 3, 15), (70.0, 1, 3)],
)
def test_a_vehicle_gives_three_to_fifteen_points_at_thirty_metres_and_one_to_three_at_seventy(
    metres: float, fewest: int, most: int
) -> None:
    counts = {len(hit.returns) for look in looks([user(0, metres)]) for hit in look.hits}
    assert min(counts) == fewest
    assert max(counts) == most


def test_range_is_off_by_twelve_centimetres_and_in_steps_of_the_resolution() -> None:
    traits = replace(CLEAR, points=((1, 1), (1, 1)), range_step_m=1e-6)
    small = {**user(0, 40), "l": 0.01, "w": 0.01, "h": 0.01}
    ranges = [r.range_m for look in looks([small], traits) for r in look.returns]
    assert statistics.stdev(ranges) == pytest.approx(0.12, rel=0.08)
    assert statistics.fmean(ranges) == pytest.approx(math.hypot(40, HEIGHT_M), abs=0.02)
    stepped_ones = [r.range_m / RANGE_STEP_M for look in looks([user(0, 40)]) for r in look.returns]
    assert all(abs(value - round(value)) < 1e-6 for value in stepped_ones)


def test_azimuth_is_off_by_a_degree_and_by_more_where_little_comes_back() -> None:
    radar = RoadRadar(mount(), CLEAR, 1)
    assert math.degrees(radar.noise_sd_rad(40.0)) == pytest.approx(1.0, abs=0.01)
    assert math.degrees(radar.noise_sd_rad(10.0)) > 2.0

    def spread(y: float, cls: str) -> float:
        thin = {**user(0, y, cls=cls), "l": 0.01, "w": 0.01}
        found = [r.azimuth_rad for look in looks([thin]) for r in look.returns]
        return math.degrees(statistics.stdev(found))

    assert spread(20, "bus") == pytest.approx(1.0, rel=0.1)
    assert spread(45, "pedestrian") > 1.4


@pytest.mark.parametrize(
    ("vy", "shown"), [(5.0, 5.0), (-5.0, -5.0), (13.0, 13.0 - 2 * 11.57), (-14.0, -14.0 + 2 * 11.57)]
)
def test_doppler_is_in_steps_and_comes_in_again_beyond_what_is_measurable(vy: float, shown: float) -> None:
    values = [r.doppler_mps for look in looks([user(0, 40, 0, vy)]) for r in look.returns]
    lowered = shown * 40 / far(0, 40) if abs(vy) < DOPPLER_MOST else shown
    assert statistics.median(values) == pytest.approx(lowered, abs=DOPPLER_STEP)
    assert all(abs(v / DOPPLER_STEP - round(v / DOPPLER_STEP)) < 1e-6 for v in values)
    assert max(map(abs, values)) <= DOPPLER_MOST + DOPPLER_STEP


def test_with_three_times_the_doppler_nothing_wraps_in_town() -> None:
    traits = replace(CLEAR, doppler_most_mps=3 * DOPPLER_MOST)
    values = [r.doppler_mps for look in looks([user(0, 40, 0, 14.0)], traits) for r in look.returns]
    assert statistics.median(values) == pytest.approx(14.0, abs=0.6)


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(1, 40))
def test_what_wraps_stays_within_and_differs_by_whole_turns(value: float, most: float) -> None:
    shown = wrapped(value, most)
    assert -most <= shown <= most
    turns = (value - shown) / (2 * most)
    assert abs(turns - round(turns)) < 1e-6


@settings(deadline=None)
@given(st.floats(-100, 100), st.floats(0.01, 5))
def test_a_step_is_never_more_than_half_of_it_away(value: float, step: float) -> None:
    assert abs(stepped(value, step) - value) <= step / 2 + 1e-9


def test_clutter_is_poisson_and_mostly_two_to_eight_a_look() -> None:
    counts = [len(look.returns) for look in looks([], replace(Traits(), ghost=0.0), 4000)]
    assert statistics.fmean(counts) == pytest.approx(5.0, abs=0.12)
    assert statistics.pvariance(counts) == pytest.approx(5.0, rel=0.1)
    assert sum(2 <= count <= 8 for count in counts) / len(counts) > 0.85


def test_one_vehicle_in_twenty_has_a_ghost_on_the_other_side_or_twice_as_far_at_the_same_speed() -> None:
    found = looks([user(10, 40, 0, 8)], replace(Traits(), clutter=0.0), 6000)
    hits = sum(len(look.hits) for look in found)
    ghosts = [(r, look) for look in found for r in look.returns if r.source == -1]
    assert len(ghosts) / hits == pytest.approx(0.05, abs=0.01)
    flipped = [r for r, _ in ghosts if r.azimuth_rad < -0.1]
    doubled = [r for r, _ in ghosts if r.range_m > 70]
    assert len(flipped) + len(doubled) == len(ghosts)
    assert 0.35 < len(flipped) / len(ghosts) < 0.65
    assert all(any(r.doppler_mps == true.doppler_mps for true in look.hits[0].returns) for r, look in ghosts)


@pytest.mark.parametrize("speed", [0.0, 0.2])
def test_what_stands_still_is_suppressed_where_the_trait_says_so(speed: float) -> None:
    still = [user(0, 30, 0, speed)]
    assert not any(look.hits for look in looks(still, CLEAR, 200))
    seen = looks(still, replace(CLEAR, hides_still=False), 200)
    assert sum(bool(look.hits) for look in seen) > 190


def test_classes_return_what_the_facts_say() -> None:
    """Mean over many users of a class; each keeps its own for as long as it is there."""
    radar = RoadRadar(mount(), replace(CLEAR, reach_m=2000.0), 3)
    for cls, (mean, sd) in (
        ("pedestrian", (-8.0, 3.0)),
        ("bicycle", (0.0, 3.0)),
        ("car", (10.0, 4.0)),
        ("truck", (20.0, 5.0)),
    ):
        assert RCS_DB[cls] == (mean, sd)
        crowd = [user(0, 20, 0, 5, cls, number) for number in range(1, 400)]
        found = [radar.look([each]).hits for each in crowd]
        values = [hits[0].rcs_db for hits in found if hits]
        assert statistics.fmean(values) == pytest.approx(mean, abs=0.8)
        assert statistics.stdev(values) == pytest.approx(math.hypot(sd, 1.5), rel=0.12)


def test_detection_follows_the_logistic_of_the_signal_to_noise() -> None:
    radar = RoadRadar(mount(), CLEAR, 1)
    assert radar.chance(10.0) == pytest.approx(0.5)
    assert radar.chance(12.0) == pytest.approx(1 / (1 + math.exp(-1)))
    assert radar.snr_db(10.0, 70.0) == pytest.approx(16.0)
    assert radar.snr_db(10.0, 35.0) == pytest.approx(16.0 + 12.04, abs=0.01), "twice as near: 12 dB more"
    shares = [
        sum(bool(look.hits) for look in looks([user(0, y, cls="pedestrian")], seed=seed)) / LOOKS
        for y, seed in ((15.0, 4), (35.0, 4), (80.0, 4))
    ]
    assert shares[0] > 0.9
    assert shares[0] > shares[1] > shares[2]
    assert shares[2] < 0.1


def test_two_vehicles_in_one_cell_within_fifteen_degrees_are_one() -> None:
    """Side by side at 60 m, 4 m apart: under four degrees. Far apart in angle they stay two."""
    traits = replace(CLEAR, points=((1, 1), (1, 1)), range_sd_m=1e-6, doppler_sd_mps=1e-6, range_step_m=10.0)

    def returned(x: float) -> set[int]:
        pair = [user(-x, 40, 0, 5, number=1), user(x, 40, 0, 5, number=2)]
        return {len(look.returns) for look in looks(pair, traits, 200) if len(look.hits) == 2}

    assert returned(2.0) == {1}
    assert returned(12.0) == {2}


def test_a_pedestrian_behind_a_bus_is_seen_far_less_often() -> None:
    walker, bus = user(0, 30, 0, 1.5, "pedestrian", 1), user(0, 22, 0, 5, "bus", 2)

    def share(users: list[dict[str, Any]]) -> float:
        found = looks(users, count=800)
        return sum(any(hit.row["id"] == 1 for hit in look.hits) for look in found) / 800

    assert share([walker, bus]) < 0.5 * share([walker])


@pytest.mark.parametrize(("x", "y"), [(0, 130), (60, 20), (0, -20), (0, 2)])
def test_what_lies_outside_the_field_is_not_seen(x: float, y: float) -> None:
    assert not any(look.hits for look in looks([user(x, y)], count=100))


def test_weather_takes_signals_away_and_puts_false_ones_in() -> None:
    weather = Weather()
    radar = RoadRadar(mount(), Traits(), 1, weather)
    cars = [user(0, 40), user(5, 60, number=2)]
    weather.blocked = True
    assert not any(radar.look(cars).hits for _ in range(200))
    weather.blocked, weather.interference = False, True
    assert statistics.fmean(len(radar.look([]).returns) for _ in range(500)) == pytest.approx(20.0, abs=1.0)
    weather.interference, weather.frozen = False, True
    assert radar.look(cars) is radar.look([])


def test_a_mount_turned_clockwise_sees_the_east_ahead_and_the_north_on_its_left() -> None:
    east = mount(yaw_deg=90.0)
    assert east.placed(30.0, 0.0) == pytest.approx((30.0, 0.0))
    assert east.placed(0.0, 10.0) == pytest.approx((0.0, 10.0))
    assert east.turned(0.0, -1.0) == pytest.approx((0.0, -1.0))


def test_the_same_seed_sees_the_same() -> None:
    users = [user(0, 30), user(10, 40, 1, 1, number=2)]
    assert looks(users, Traits(), 20, 9) == looks(users, Traits(), 20, 9) != looks(users, Traits(), 20, 8)
