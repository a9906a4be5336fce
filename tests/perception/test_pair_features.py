"""What the learnt association is told of a pair, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsu_agent.perception.kinds import KINDS, PLACE, likelihoods
from rsu_agent.perception.life import DOPPLER_SD_MPS
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.pair_features import ALONE, FEATURES, MOST_SD, WIDE_GATE, pairs
from rsu_agent.perception.tracks import Tracks
from rsu_agent.world.road_user import UserClass

NOW_S = 100.0


def tracks(places: list[tuple[float, float]], velocity: tuple[float, float] = (0.0, 0.0)) -> Tracks:
    """Tracks whose places have a covariance of 0.5 m^2, all models at the same velocity."""
    made = Tracks(1)
    made.motion.at_s = NOW_S
    points = np.array(places)
    made.add(points, np.tile(0.5 * np.eye(2), (len(places), 1, 1)), NOW_S)
    made.motion.mean[:, 2:4] = np.array(velocity)[None, :, None]
    made.motion.covariance[:, 2:4, :, :] = made.motion.covariance[:, :, 2:4, :] = 0.0
    made.motion.covariance[:, 2, 2] = made.motion.covariance[:, 3, 3] = 0.25
    made.motion._combined = None
    return made


def camera(places: list[tuple[float, float]], score: float = 0.8) -> Measured:
    """Detections of cars with the covariance 0.5 m^2."""
    count = len(places)
    return Measured(
        "cam", "camera", NOW_S, np.array(places), np.tile(0.5 * np.eye(2), (count, 1, 1)),
        classes=(UserClass.CAR,) * count, scores=np.full(count, score),
    )  # fmt: skip


def named(row: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, row.tolist(), strict=True))


def test_innovation_is_split_along_and_across_the_course_in_standard_deviations() -> None:
    made = tracks([(0.0, 0.0)], velocity=(6.0, 8.0))  # course (0.6, 0.8), left (-0.8, 0.6)
    found = pairs(made, camera([(2.0, 1.0)]), None)
    row = named(found.features[0])
    assert row["along"] == pytest.approx(2.0 * 0.6 + 1.0 * 0.8)  # the sum of covariances is one square metre
    assert row["across"] == pytest.approx(abs(-2.0 * 0.8 + 1.0 * 0.6))
    assert row["distance"] == pytest.approx(5.0)
    assert row["log_determinant"] == pytest.approx(0.0, abs=1e-6)
    assert row["speed_mps"] == pytest.approx(10.0)


def test_the_innovation_of_who_stands_is_east_and_north() -> None:
    row = named(pairs(tracks([(0.0, 0.0)]), camera([(-2.0, 1.0)]), None).features[0])
    assert (row["along"], row["across"]) == pytest.approx((2.0, 1.0))


def test_doppler_is_off_by_the_tracks_speed_along_the_ray_and_bounded() -> None:
    made = tracks([(30.0, 40.0)], velocity=(3.0, 4.0))  # 5 m/s straight away from a radar in the middle
    sd = math.hypot(DOPPLER_SD_MPS["radar"], 0.5)
    for radial, wanted in ((6.0, 1.0 / sd), (5.0, 0.0), (-60.0, MOST_SD)):
        frame = Measured(
            "rad", "radar", NOW_S, np.array([(30.0, 40.0)]), 0.5 * np.eye(2)[None], np.array([radial]),
            np.zeros(2),
        )  # fmt: skip
        row = named(pairs(made, frame, None).features[0])
        assert row["doppler"] == pytest.approx(wanted, rel=1e-5)
        assert (row["has_doppler"], row["camera"], row["score"]) == (1.0, 0.0, 1.0)


def test_the_name_the_score_and_the_life_of_the_track_are_told() -> None:
    made = tracks([(0.0, 0.0)])
    made.seen_s[:], made.hits[:], made.confirmed[:] = NOW_S - 0.4, 6.0, True
    made.odds[:] = -50.0
    made.odds[0, PLACE[UserClass.CAR]] = 0.0  # it is a car, beyond doubt
    measured = camera([(0.0, 0.0)])
    assert measured.classes is not None
    assert measured.scores is not None
    row = named(pairs(made, measured, likelihoods(measured.classes, measured.scores)).features[0])
    assert row["kind"] == pytest.approx(math.log(0.8))  # named right with the score's chance
    assert row["score"] == pytest.approx(0.8)
    assert row["since_s"] == pytest.approx(0.4)
    assert row["hits"] == pytest.approx(math.log(7.0))
    assert (row["confirmed"], row["camera"], row["has_doppler"], row["doppler"]) == (1.0, 1.0, 0.0, 0.0)
    assert len(KINDS) == made.odds.shape[1]


def test_rivals_are_counted_and_the_margin_is_to_the_best_of_the_others() -> None:
    made = tracks([(0.0, 0.0), (3.0, 0.0)])
    found = pairs(made, camera([(1.0, 0.0)]), None)
    assert found.rows.tolist() == [0, 1]
    near, far = (named(row) for row in found.features)
    assert (near["rivals_of_place"], near["rivals_of_track"]) == (1.0, 0.0)
    assert (near["margin_of_place"], far["margin_of_place"]) == pytest.approx((3.0, -3.0))  # 4 less 1
    assert near["margin_of_track"] == far["margin_of_track"] == ALONE


def test_the_elder_of_two_tracks_in_reach_is_told_by_its_hits() -> None:
    made = tracks([(0.0, 0.0), (3.0, 0.0)])
    made.hits[:] = 9.0, 4.0
    elder, younger = (named(row)["elder"] for row in pairs(made, camera([(1.0, 0.0)]), None).features)
    assert (elder, younger) == pytest.approx((math.log(2.0), -math.log(2.0)))  # 10 to 5
    (alone,) = pairs(tracks([(0.0, 0.0)]), camera([(1.0, 0.0)]), None).features
    assert named(alone)["elder"] == ALONE


def test_only_pairs_within_the_wide_gate_are_told_of() -> None:
    inside, outside = (math.sqrt(WIDE_GATE) + off for off in (-0.01, 0.01))
    found = pairs(tracks([(0.0, 0.0)]), camera([(inside, 0.0), (outside, 0.0)]), None)
    assert found.columns.tolist() == [0]


@pytest.mark.parametrize(("here", "there"), [([], [(0.0, 0.0)]), ([(0.0, 0.0)], [(500.0, 0.0)])])
def test_nobody_near_is_no_row(here: list[tuple[float, float]], there: list[tuple[float, float]]) -> None:
    made = tracks(here) if here else Tracks(1)
    assert pairs(made, camera(there), None).features.shape == (0, len(FEATURES))
