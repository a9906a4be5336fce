"""A radar is aligned by users that it and the camera saw; wrong signs and too little traffic are told."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from hil.devices.radar import RadarModel
from hil.devices.signal_model import SignalModel
from hil.world.crossing_read import read_rig_crossing
from hil.world.main import STEP_S, user_row
from hil.world.traffic import Traffic
from rsu_agent.perception.calibrate_radar import AlignmentRefused, RadarPlace, align
from rsu_agent.perception.track_pieces import Looked, clustered, pieces
from rsu_agent.ports.assets import asset

TRUE = {"x_east_m": -16.0, "y_north_m": -19.0, "height_m": 6.0, "yaw_deg": 45.0}
FIELD = {"range_m": 75.0, "half_angle_deg": 50.0}
BY_EYE = RadarPlace(-14.8, -20.1, 51.0)
SECONDS, WARM_S, START_S = 60.0, 20.0, 1000.0


@cache
def recorded(seed: int = 3) -> tuple[tuple[Looked, ...], tuple[Looked, ...]]:
    """A minute of the virtual crossing: the camera's places with its errors, the radar's returns."""
    traffic = Traffic(read_rig_crossing(asset("config/crossings/virtual.geojson")), seed, "day")
    lights, radar = SignalModel(START_S - WARM_S, seed=seed), RadarModel(TRUE, FIELD, seed)
    dice, camera, returns = np.random.default_rng(seed), [], []
    for step in range(int((WARM_S + SECONDS) / STEP_S)):
        now_s = START_S - WARM_S + step * STEP_S
        lights.advance(now_s)
        traffic.step(STEP_S, lights.lamps, now_s)
        if step % 2 or now_s < START_S:
            continue
        rows = [user_row(user) for user in traffic.users]
        camera.append(Looked(now_s, seen(rows, dice)))
        points = radar.points(rows)
        places = np.array([(forward, -right) for right, forward, *_ in points]).reshape(-1, 2)
        returns.append(Looked(now_s, places, np.array([doppler for *_, doppler, _ in points])))
    return tuple(camera), tuple(returns)


def seen(rows: list[dict[str, float]], dice: np.random.Generator) -> np.ndarray:
    """Nine of ten users within 60 m, placed with a camera's errors, and a false one now and then."""
    found = []
    for row in rows:
        dx, dy = row["x"] - TRUE["x_east_m"], row["y"] - TRUE["y_north_m"]
        away, bearing = math.hypot(dx, dy), math.degrees(math.atan2(dx, dy)) - TRUE["yaw_deg"]
        if away < 60 and abs((bearing + 180) % 360 - 180) < 36 and dice.random() < 0.9:
            along, across = dice.normal(0, 0.15 + 0.0003 * away**2), dice.normal(0, 0.12 + 0.004 * away)
            ux, uy = dx / away, dy / away
            found.append((row["x"] + along * ux - across * uy, row["y"] + along * uy + across * ux))
    if dice.random() < 0.3:
        found.append(tuple(dice.uniform(-30, 30, 2)))
    return np.array(found).reshape(-1, 2)


def changed(looks: tuple[Looked, ...], change: Callable[[Looked], Looked]) -> list[Looked]:
    return [change(look) for look in looks]


def test_direction_and_place_are_found_from_a_guess_by_eye() -> None:
    camera, radar = recorded()
    found = align(camera, radar, BY_EYE, TRUE["height_m"])
    assert found.place.yaw_deg == pytest.approx(45.0, abs=0.5)
    assert found.place.x_east_m == pytest.approx(-16.0, abs=0.5)
    assert found.place.y_north_m == pytest.approx(-19.0, abs=0.5)
    assert found.after_m < 1.0 < found.before_m
    assert abs(found.place.yaw_deg - 45.0) < 4 * found.yaw_sd_deg + 0.1


@pytest.mark.parametrize("late_s", [0.24, -0.16])
def test_stamps_that_are_late_are_told_and_do_not_move_the_place(late_s: float) -> None:
    camera, radar = recorded()
    moved = changed(radar, lambda look: Looked(look.at_s + late_s, look.places, look.extra))
    found = align(camera, moved, BY_EYE, TRUE["height_m"])
    assert found.late_s == pytest.approx(late_s, abs=0.06)
    assert found.place.yaw_deg == pytest.approx(45.0, abs=0.6)


def test_a_radar_whose_left_is_right_is_refused_by_name() -> None:
    camera, radar = recorded()
    mirrored = changed(radar, lambda look: Looked(look.at_s, look.places * [1.0, -1.0], look.extra))
    with pytest.raises(AlignmentRefused) as caught:
        align(camera, mirrored, RadarPlace(-16.0, -19.0, 45.0), TRUE["height_m"])
    assert caught.value.reason == "mirrored"
    assert "lateral sign" in caught.value.do


def test_a_doppler_of_the_wrong_sign_is_refused_by_name() -> None:
    camera, radar = recorded()
    turned = changed(radar, lambda look: Looked(look.at_s, look.places, -np.asarray(look.extra)))
    with pytest.raises(AlignmentRefused, match="doppler sign"):
        align(camera, turned, BY_EYE, TRUE["height_m"])


def test_too_little_movement_is_refused_with_what_is_needed() -> None:
    camera, radar = recorded()
    with pytest.raises(AlignmentRefused) as caught:
        align(camera[:25], radar[:25], BY_EYE, TRUE["height_m"])
    assert caught.value.reason == "little_movement"
    assert "record longer" in caught.value.do
    with pytest.raises(AlignmentRefused, match="0 m in 0 pieces"):
        align([], [], BY_EYE, TRUE["height_m"])


def test_a_camera_that_watched_another_minute_is_not_aligned_to() -> None:
    camera, radar = recorded()
    later = changed(camera, lambda look: Looked(look.at_s + 23.0, look.places))
    with pytest.raises(AlignmentRefused):
        align(later, radar, BY_EYE, TRUE["height_m"])


def test_places_are_linked_into_pieces_and_a_crossing_way_does_not_steal_them() -> None:
    looks = []
    for step in range(60):
        at_s = step * 0.1
        ways = [(-20.0 + 8.0 * at_s, 0.0), (4.0, 20.0 - 7.0 * at_s)]
        looks.append(Looked(at_s, np.array(ways)))
    found = pieces(looks)
    assert len(found) == 2
    for piece in found:
        places, velocities = piece.at(piece.times[5:-5])
        assert places == pytest.approx(piece.places[5:-5], abs=0.05)
        assert np.hypot(*velocities.T) == pytest.approx(np.full(50, np.hypot(*velocities[25])), abs=0.05)


def test_what_stands_or_is_seen_for_a_moment_makes_no_piece() -> None:
    standing = [Looked(n * 0.1, np.array([[5.0, 5.0]])) for n in range(100)]
    moment = [Looked(n * 0.1, np.array([[5.0 + n, 5.0]])) for n in range(8)]
    assert pieces(standing) == []
    assert pieces(moment) == []


def test_returns_of_one_body_are_one_place() -> None:
    look = Looked(0.0, np.array([[10.0, 0.0], [11.0, 0.5], [30.0, 5.0]]), np.array([2.0, 4.0, -6.0]))
    found = clustered(look)
    assert found.places.tolist() == [[10.5, 0.25], [30.0, 5.0]]
    assert found.extra is not None
    assert found.extra.tolist() == [3.0, -6.0]
