"""TI mmWave doppler against the radar's own tracks: wrapped speeds are found, so is a wrong sign."""

from __future__ import annotations

from collections import Counter

from drivers.ti_mmwave.doppler import VOTES, DopplerWatch
from rsu_agent.ports.devices import RadarPoint, RadarTarget

LIMIT_MPS = 11.57  # facts 1.4: the Traffic Monitoring profile, 41 km/h


def wrapped(speed_mps: float, limit_mps: float = LIMIT_MPS) -> float:
    return (speed_mps + limit_mps) % (2 * limit_mps) - limit_mps


def drive(
    speed_mps: float, sign: int = 1, limit_mps: float | None = LIMIT_MPS, cars: int = VOTES
) -> Counter[str]:
    """Cars one after the other, straight towards the radar or away at this speed."""
    counters: Counter[str] = Counter()
    watch = DopplerWatch(limit_mps, counters)
    for car in range(cars):
        range_m = 20.0 if speed_mps > 0 else 60.0
        for frame in range(round(6.0 / abs(speed_mps) * 20) + 1):
            told_mps = sign * (speed_mps if limit_mps is None else wrapped(speed_mps, limit_mps))
            point = RadarPoint(range_m, 0.0, 0.0, told_mps)
            watch.points([point])
            target = RadarTarget(car, range_m, 0.0, speed_mps, 0.0)
            watch.tracked([target], {car: [point]}, car * 60 + frame * 0.05)
            range_m += speed_mps * 0.05
    return counters


def test_speeds_below_the_boundary_are_taken_as_they_are() -> None:
    for speed_mps in (-8.0, 8.0):
        counters = drive(speed_mps)
        assert (
            not counters["aliased_points"]
            + counters["near_doppler_limit"]
            + counters["doppler_sign_mismatch"]
        )


def test_fifty_kilometres_an_hour_wrap_and_are_counted_as_wrapped_and_not_as_a_wrong_sign() -> None:
    for speed_mps in (-13.9, 13.9):
        counters = drive(speed_mps)
        assert counters["aliased_points"] > 100
        assert not counters["doppler_sign_mismatch"]


def test_points_near_the_boundary_are_counted() -> None:
    assert drive(-11.0)["near_doppler_limit"] > 100
    assert not drive(-11.0, limit_mps=None)["near_doppler_limit"]


def test_a_wrong_sign_shows_after_twenty_tracks_and_is_told_each_time() -> None:
    assert drive(-8.0, sign=-1, cars=VOTES // 2 - 1)["doppler_sign_mismatch"] == 0
    assert drive(-8.0, sign=-1)["doppler_sign_mismatch"] >= 1
    assert drive(8.0, sign=-1, limit_mps=None)["doppler_sign_mismatch"] >= 1


def test_what_stands_or_has_no_points_votes_for_nothing() -> None:
    counters: Counter[str] = Counter()
    watch = DopplerWatch(None, counters)
    for frame in range(2000):
        still = RadarTarget(1, 30.0, 0.0, 0.0, 0.0)
        carried_on = RadarTarget(2, 30.0 + frame * 0.5, 0.0, 10.0, 0.0)
        watch.tracked([still, carried_on], {1: [RadarPoint(30.0, 0.0, 0.0, -0.2)]}, frame * 0.05)
    assert not +counters


def test_tracks_that_ended_are_forgotten() -> None:
    watch = DopplerWatch(None, Counter())
    for epoch in range(1000):
        watch.tracked([RadarTarget(epoch % 250, 30.0, 0.0, 0.0, 0.0, epoch=epoch)], {}, epoch * 0.05)
    assert len(watch._anchors) == 1
