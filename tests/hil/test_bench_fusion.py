"""The fusion benchmark's sensors see as its formulae say, and its measures are what they are by hand."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from hil.bench.fusion import sensors
from hil.bench.fusion.config import Config, read
from hil.bench.fusion.gospa import gospa, mean_gospa
from hil.bench.fusion.measurements import CAMERA, RADAR, Measurements, measure
from hil.bench.fusion.occlusion import occluded
from hil.bench.fusion.ours import frames_of, track
from hil.bench.fusion.result import Result
from hil.bench.fusion.sensors import View
from hil.bench.fusion.truth import PEDESTRIAN, Step, Truth
from hil.world.sumo import KINDS
from rsu_agent.world.crossing import Crossing, Lane, LaneRole, LaneUse
from rsu_agent.world.place import GeoPoint

CONFIG = read()
EYE = np.array([0.0, 0.0, 7.0])
CAR, TRUCK = KINDS.index("car"), KINDS.index("truck")
AREA = ((-12.0, -12.0), (12.0, -12.0), (12.0, 12.0), (-12.0, 12.0))
LANE = Lane(1, "n", LaneRole.ENTRY, LaneUse.MOTOR, 3.2, 14.0, ((1.6, 160.0), (1.6, 12.0)))
CROSSING = Crossing(
    1, 0, "", GeoPoint(0, 0), "", "", "", 0.1, arms=(), lanes=(LANE,), crosswalks=(), waiting_areas=(),
    heads=(), conflict_area=AREA,
)  # fmt: skip


def step(*rows: tuple[int, int, float, float, float, float]) -> Step:
    """Users: id, kind, x, y, vx, vy; cars' boxes, headed north."""
    table = np.array(rows, float).reshape(-1, 6)
    sizes = np.tile([4.5, 1.8, 1.5], (len(rows), 1))
    sizes[table[:, 1] == PEDESTRIAN] = (0.5, 0.6, 1.72)
    return Step(
        table[:, 0].astype(int),
        table[:, 1].astype(int),
        table[:, 2:4],
        table[:, 4:],
        np.zeros(len(rows)),
        sizes,
    )


def straight(config: Config, *rows: tuple[int, int, float, float, float, float]) -> Truth:
    """All these users going on at their velocities."""
    steps = [
        step(*((i, k, x + vx * n * 0.1, y + vy * n * 0.1, vx, vy) for i, k, x, y, vx, vy in rows))
        for n in range(config.steps)
    ]
    return Truth(tuple(steps), CROSSING, Path("straight.npz"))


def clear_view(away: list[float], hidden: list[bool]) -> View:
    count = len(away)
    return View(np.array(away), np.tile([0.0, 1.0], (count, 1)), np.ones(count, bool), np.array(hidden))


def test_the_configuration_is_the_published_benchmark() -> None:
    assert (CONFIG.steps, CONFIG.step_s, CONFIG.unscored_steps) == (600, 0.1, 30)
    assert (CONFIG.region_m, CONFIG.match_m, CONFIG.gospa_order, CONFIG.gospa_cut_m) == (70, 2.5, 2, 5)
    poles = CONFIG.poles
    assert (len(poles.places_m), poles.half_angle_deg, poles.nearest_m, poles.farthest_m) == (4, 50, 4, 85)
    assert (CONFIG.camera.late_s, CONFIG.camera.false_per_frame, CONFIG.radar.false_per_frame) == (
        0.1,
        0.3,
        0.7,
    )
    assert len(CONFIG.sha256) == 64


def test_a_configuration_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(Path(sensors.__file__).with_name("benchmark.yaml").read_text() + "\nstepps: 3\n")
    with pytest.raises(TypeError, match="stepps"):
        read(wrong)


def test_a_camera_finds_less_far_away_less_behind_others_and_less_at_night() -> None:
    seen = clear_view([10.0, 85.0, 50.0, 50.0], [False, False, True, False])
    walks = np.array([False, False, False, True])
    day = sensors.camera_chance(CONFIG.camera, CONFIG.poles, seen, walks, night=False)
    far = 0.95 - 0.4 * (50 / 85) ** 3
    assert day == pytest.approx([0.95 - 0.4 * (10 / 85) ** 3, 0.55, far * 0.25, far])
    night = sensors.camera_chance(CONFIG.camera, CONFIG.poles, seen, walks, night=True)
    assert night == pytest.approx(day * [0.8, 0.8, 0.8, 0.55])


def test_a_radar_finds_less_of_who_walks_stands_or_is_hidden() -> None:
    seen = clear_view([30.0] * 4, [False, False, False, True])
    walks = np.array([False, True, False, False])
    chance = sensors.radar_chance(CONFIG.radar, seen, walks, np.array([5.0, -1.2, 0.29, -8.0]))
    assert chance == pytest.approx([0.95, 0.75, 0.95 * 0.35, 0.95 * 0.5])


def test_standard_deviations_follow_the_formulae() -> None:
    along, across = sensors.camera_sd(CONFIG.camera, CONFIG.poles, np.array([60.0]))
    assert along[0] == pytest.approx(0.2 + 0.0015 * (60**2 + 7**2) / 7)
    assert across[0] == pytest.approx(0.15 + 0.003 * 60)
    along, across = sensors.radar_sd(CONFIG.radar, np.array([60.0]))
    assert (along[0], across[0]) == (0.35, pytest.approx(60 * math.radians(0.6)))


def test_a_stated_covariance_lies_along_the_ray() -> None:
    pole = np.array(CONFIG.poles.places_m[2])
    ray = np.array([0.6, 0.8])
    matrix = sensors.spread(CONFIG, 2, (pole + 50 * ray)[None], by_camera=False)[0]
    aside = np.array([-0.8, 0.6])
    assert ray @ matrix @ ray == pytest.approx(0.35**2)
    assert aside @ matrix @ aside == pytest.approx((50 * math.radians(0.6)) ** 2)
    assert ray @ matrix @ aside == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("camera", [True, False])
def test_thousands_of_frames_have_the_rates_and_errors_of_the_model(camera: bool) -> None:
    one = step((1, CAR, -40.0, 12.0, 0.0, 9.0))
    seen = sensors.view(CONFIG.poles, 0, one)
    dice, found = np.random.default_rng(5), []
    for _ in range(4000):
        got = (
            sensors.pictured(CONFIG, 0, one, seen, dice, night=False)
            if camera
            else sensors.echoed(CONFIG, 0, one, seen, dice)
        )
        found.append(got)
    if not camera:  # who moves across the ray has no radial speed; false echoes have any
        found = [replace(each, xy=each.xy[np.abs(each.doppler_mps) < 1.0]) for each in found]
    off = np.concatenate([each.xy for each in found]) - one.xy[0]
    own = np.hypot(*off.T) < 6.0
    rate = 0.95 - 0.4 * (52 / 85) ** 3 if camera else 0.95 * 0.35
    false = 0.3 if camera else 0.7 / 15
    assert own.mean() * len(off) / 4000 == pytest.approx(rate, abs=0.025)
    assert (~own).sum() / 4000 == pytest.approx(false, rel=0.15)
    along_m = 0.2 + 0.0015 * (52**2 + 49) / 7 if camera else 0.35
    across_m = 0.15 + 0.003 * 52 if camera else 52 * math.radians(0.6)
    near = np.abs(off) < 4 * np.array([along_m, across_m])
    assert off[near.all(axis=1)].std(axis=0) == pytest.approx([along_m, across_m], rel=0.06)


def test_doppler_is_the_velocity_away_from_the_radar() -> None:
    one = step((1, CAR, -48.0, 12.0, -10.0, 3.0))
    seen = sensors.view(CONFIG.poles, 0, one)
    dice = np.random.default_rng(1)
    told = [sensors.echoed(CONFIG, 0, one, seen, dice) for _ in range(500)]
    own = np.concatenate([each.doppler_mps[np.hypot(*(each.xy - one.xy[0]).T) < 4] for each in told])
    own = own[np.abs(own - 10.0) < 1.0]
    assert own.mean() == pytest.approx(10.0, abs=0.03)
    assert own.std() == pytest.approx(0.15, rel=0.15)


def test_true_detections_are_mostly_sure_and_false_ones_less() -> None:
    dice, camera = np.random.default_rng(1), CONFIG.camera
    below = {
        name: float(np.mean(sensors._scores(camera, shape, 20_000, dice) < 0.35))
        for name, shape in (
            ("clear", camera.score_clear), ("hidden", camera.score_occluded), ("false", camera.score_false)
        )
    }  # fmt: skip
    assert 0.005 < below["clear"] < 0.05 < below["hidden"] < 0.25 < below["false"] < 0.75


def test_a_pole_looks_over_the_middle_and_not_behind_itself() -> None:
    users = step(
        (1, CAR, 0, 0, 0, 0), (2, CAR, 30, 30, 0, 0), (3, CAR, 14, 12, 0, 0), (4, CAR, 0, -70, 0, 0),
        (5, CAR, -60, -60, 0, 0),
    )  # fmt: skip
    seen = sensors.view(CONFIG.poles, 0, users)  # the north-eastern one
    assert seen.inside.tolist() == [True, False, False, True, False]


def test_every_place_of_the_region_on_the_arms_is_seen_by_two_poles() -> None:
    for away in range(0, 70, 5):
        for side in (-9.6, 0.0, 9.6):
            if math.hypot(away, side) < 70:
                rows = step((1, CAR, side, away, 0, 0), (2, CAR, away, side, 0, 0))
                inside = [sensors.view(CONFIG.poles, pole, rows).inside for pole in range(4)]
                assert (np.sum(inside, axis=0) >= 2).all(), (away, side)


def hides(blocker: tuple[float, float, float], size: tuple[float, float, float], target: Step) -> list[bool]:
    """A blocker (x, y, heading) before targets."""
    x, y, heading = blocker
    xy = np.vstack([[x, y], target.xy])
    return occluded(
        EYE, xy, np.array([heading, *target.heading_deg]), np.vstack([size, target.size])
    ).tolist()[1:]


def test_a_truck_hides_the_car_close_behind_it_and_not_the_one_far_behind() -> None:
    # The line to a car's middle (0.75 m) at 40 m is at 2.3 m over the road at 30 m: under a truck's 3.0 m.
    cars = step((1, CAR, 0, 40, 0, 0), (2, CAR, 0, 80, 0, 0), (3, CAR, 10, 40, 0, 0))
    assert hides((0.0, 28.0, 0.0), (8.0, 2.4, 3.0), cars) == [True, False, False]


def test_who_stands_behind_hides_nobody() -> None:
    assert hides((0.0, 60.0, 0.0), (8.0, 2.4, 3.0), step((1, CAR, 0, 40, 0, 0))) == [False]


def test_a_box_across_the_line_counts_as_wide_as_it_is_long() -> None:
    target = step((1, CAR, 3.0, 40, 0, 0))
    assert hides((0.0, 36.0, 0.0), (8.0, 2.4, 3.0), target) == [False]
    assert hides((0.0, 36.0, 90.0), (8.0, 2.4, 3.0), target) == [True]


def test_nobody_is_hidden_where_nobody_is() -> None:
    assert occluded(EYE, np.zeros((0, 2)), np.zeros(0), np.zeros((0, 3))).shape == (0,)


SHORT = replace(CONFIG, steps=40, unscored_steps=20)
FLOW = (
    (1, CAR, -1.6, 60.0, 0.0, -8.0), (2, CAR, 60.0, -1.6, -9.0, 0.0), (3, PEDESTRIAN, -9.6, 20.0, 0.0, -1.3)
)  # fmt: skip


def test_the_same_seed_gives_the_same_measurements_and_another_gives_others() -> None:
    world = straight(SHORT, *FLOW)
    one, again, other = (measure(SHORT, world, seed, night=False) for seed in (4, 4, 5))
    for each in fields(Measurements):
        assert np.array_equal(getattr(one, each.name), getattr(again, each.name), equal_nan=True)
    assert not np.array_equal(one.xy, other.xy)


def test_pictures_come_100_ms_late_and_in_the_order_of_arrival() -> None:
    got = measure(SHORT, straight(SHORT, *FLOW), 4, night=False)
    late = got.frame_t - got.frame_captured_t
    assert late[got.frame_kind == CAMERA] == pytest.approx(0.1)
    assert late[got.frame_kind == RADAR] == pytest.approx(0.0)
    assert (np.diff(got.frame_t) >= 0).all()
    assert len(got.frame_t) == 8 * SHORT.steps
    assert got.t == pytest.approx(got.frame_captured_t[got.frame])


def test_what_is_left_of_a_sensor_kind_after_it_is_lost(tmp_path: Path) -> None:
    whole = measure(SHORT, straight(SHORT, *FLOW), 4, night=False)
    whole.save(tmp_path / "m.npz")
    half = Measurements.load(tmp_path / "m.npz").only((CAMERA, RADAR), whole.ask_t[20], (CAMERA,))
    assert half.t[half.kind == CAMERA].max() < whole.ask_t[20]
    assert (half.kind == RADAR).sum() == (whole.kind == RADAR).sum()
    assert np.array_equal(half.frame_sensor[half.frame], half.sensor)
    only = whole.only((RADAR,))
    assert np.array_equal(only.xy, whole.xy[whole.kind == RADAR])


def test_our_tracker_is_fed_as_the_sensors_state_and_follows_all_three() -> None:
    got = measure(SHORT, straight(SHORT, *FLOW), 4, night=False)
    frames = frames_of(SHORT, got)
    picture = next(each for each in frames if each.kind == "camera" and len(each.points))
    assert picture.classes is not None
    assert len(picture.classes) == len(picture.points)
    assert {each.sensor for each in frames} == {
        f"{kind} {n}" for kind in ("camera", "radar") for n in range(4)
    }
    tracked = track(SHORT, CROSSING, got)
    last = tracked.result.at(SHORT.steps - 1)
    users = straight(SHORT, *FLOW).steps[-1].xy
    for place in users:
        assert np.hypot(*(tracked.result.xy[last] - place).T).min() < 1.0
    assert any("camera" in name for own in tracked.sources for name in own)


def test_latency_ignored_feeds_pictures_as_of_their_arrival() -> None:
    got = measure(SHORT, straight(SHORT, *FLOW), 4, night=False)
    right, wrong = frames_of(SHORT, got), frames_of(SHORT, got, late=False)
    off = {a.kind: b.measured_s - a.measured_s for a, b in zip(right, wrong, strict=True)}
    assert off["camera"] == pytest.approx(0.1)
    assert off["radar"] == pytest.approx(0.0)


def test_gospa_by_hand() -> None:
    nobody = np.zeros((0, 2))
    two = np.array([[0.0, 0.0], [20.0, 0.0]])
    assert gospa(nobody, nobody, 2, 5) == 0.0
    assert gospa(two, two, 2, 5) == 0.0
    assert gospa(two, nobody, 2, 5) == pytest.approx(5.0)  # two missed: (2 * 25 / 2) ^ 1/2
    assert gospa(two, two[:1], 2, 5) == pytest.approx(math.sqrt(12.5))
    assert gospa(two, two + np.array([3.0, 4.0]), 2, 5) == pytest.approx(
        math.sqrt(50)
    )  # too far: missed and false
    assert gospa(two, two + np.array([0.0, 1.0]), 2, 5) == pytest.approx(math.sqrt(2))


def test_gospa_is_the_mean_of_scored_steps_within_the_region() -> None:
    world = straight(SHORT, (1, CAR, 0.0, 0.0, 0.0, 0.0), (2, CAR, 80.0, 0.0, 0.0, 0.0))
    half = np.arange(SHORT.unscored_steps, SHORT.unscored_steps + 10)
    count = len(half)
    result = Result(half, np.ones(count, np.int64), np.zeros((count, 2)), np.zeros((count, 2)))
    assert mean_gospa(SHORT, world, result) == pytest.approx(math.sqrt(12.5) / 2)


@pytest.mark.extra
def test_gospa_agrees_with_stonesoup() -> None:
    pytest.importorskip("stonesoup", reason="stonesoup is not installed here: pip install stonesoup==1.9.1")
    from datetime import datetime

    from stonesoup.metricgenerator.ospametric import GOSPAMetric
    from stonesoup.types.state import State

    dice, judge = np.random.default_rng(3), GOSPAMetric(p=2, c=5)
    for _ in range(20):
        users, reports = (dice.uniform(-20, 20, (dice.integers(1, 12), 2)) for _ in range(2))
        states = [
            [State(xy[:, None], timestamp=datetime(2026, 1, 1)) for xy in each] for each in (reports, users)
        ]
        theirs, _ = judge.compute_gospa_metric(*states)
        assert gospa(users, reports, 2, 5) == pytest.approx(theirs.value["distance"])
