"""The tracker inside the virtual radars: late births, coasting, numbers that come back at once."""

from __future__ import annotations

import statistics

import pytest

from hil.devices.radar_model import Hit, RoadRadar, Traits
from hil.devices.radar_tracks import GONE, Habits, State, Track, Tracker
from tests.hil.radar_road import mount, user

STEP_S = 0.05


def hit(x: float, y: float, vx: float = 0.0, vy: float = 5.0, number: int = 1) -> Hit:
    return Hit(user(x, y, vx, vy, number=number), y, -x, vy, -vx, 20.0, 10.0)


def born(seed: int, habits: Habits) -> tuple[Tracker, int]:
    """A tracker with one track, and how many looks it took."""
    tracker = Tracker(mount(), habits, seed)
    for look in range(1, 50):
        if tracker.update([hit(0, 30)], STEP_S):
            return tracker, look
    raise AssertionError("no track")


def states(tracker: Tracker, hits: list[Hit], looks: int) -> list[State]:
    found = []
    for _ in range(looks):
        found += [track.state for track in tracker.update(hits, STEP_S)]
    return found


def test_a_track_is_given_after_three_to_ten_looks() -> None:
    assert {born(seed, Habits())[1] for seed in range(200)} == set(range(3, 11))


def test_a_track_that_is_missed_ten_times_is_freed_and_told_so_once() -> None:
    tracker, _ = born(1, Habits())
    assert states(tracker, [], 20) == [State.PREDICTED] * 10 + [State.DELETED]


def test_a_track_that_stood_is_kept_for_as_long_as_static_tracks_are() -> None:
    tracker = Tracker(mount(), Habits(free_still_after=60), 1)
    for _ in range(30):
        tracker.update([hit(0, 30, 0, 0.0)], STEP_S)
    found = states(tracker, [], 100)
    assert found.count(State.PREDICTED) == 60


def test_a_coasting_track_goes_on_as_it_went() -> None:
    tracker, _ = born(1, Habits())
    for n in range(30):
        (track,) = tracker.update([hit(0, 30 + n * 0.25)], STEP_S)
    before = track.forward_m
    for _ in range(8):
        (track,) = tracker.update([], STEP_S)
    assert track.state is State.PREDICTED
    assert track.forward_m - before == pytest.approx(8 * 0.25, abs=0.3)


def test_numbers_come_back_at_once() -> None:
    tracker, _ = born(1, Habits(allocate=(1, 1)))
    states(tracker, [], 12)
    (again,) = tracker.update([hit(20, 50, number=7)], STEP_S)
    assert (again.number, again.state, again.key) == (0, State.NEW, 7)


def test_without_a_gain_the_errors_are_those_that_the_facts_give() -> None:
    """ARS408: 0.1 m along, 0.1 m and 0.004 of the range across, 0.1 m/s."""
    tracker = Tracker(
        mount(), Habits((1, 1), gain=1.0, long_sd_m=0.1, side_sd_m=0.1, side_per_m=0.004, speed_sd_mps=0.1), 1
    )
    tracks: list[Track] = []
    rows = []
    for _ in range(3000):
        (track,) = tracks = tracker.update([hit(0, 50, 0, 0.0)], 0.0)
        rows.append((track.forward_m, track.left_m, track.vf_mps))
    long, side, speed = (statistics.stdev(column) for column in zip(*rows, strict=True))
    assert (long, side, speed) == pytest.approx((0.1, 0.3, 0.1), rel=0.06)
    assert len(tracks) == 1


def test_existence_climbs_from_one_to_seven_in_ten_looks() -> None:
    tracker = Tracker(mount(), Habits((1, 1)), 1)
    codes = [tracker.update([hit(0, 30)], STEP_S)[0].exists for _ in range(14)]
    assert codes[0] == 1
    assert codes == sorted(codes)
    assert codes.index(7) in (9, 10)


def test_two_that_are_near_become_one_and_the_other_begins_anew() -> None:
    tracker = Tracker(mount(), Habits((1, 2), merges=0.2), 1)
    seen: set[State] = set()
    for _ in range(200):
        seen |= {t.state for t in tracker.update([hit(0, 30), hit(1.5, 31, number=2)], STEP_S)}
    assert {State.DELETED_FOR_MERGE, State.NEW_FROM_MERGE} <= seen
    apart = Tracker(mount(), Habits((1, 2), merges=0.2), 1)
    for _ in range(200):
        assert not [t for t in apart.update([hit(0, 30), hit(20, 60, number=2)], STEP_S) if t.state in GONE]


def test_no_more_tracks_are_kept_than_there_are_numbers() -> None:
    tracker = Tracker(mount(), Habits((1, 1), most=5), 1)
    crowd = [hit(0, 20 + n, number=n) for n in range(1, 12)]
    numbers = [track.number for track in tracker.update(crowd, STEP_S)]
    assert numbers == [0, 1, 2, 3, 4]


def test_tracks_of_nothing_live_for_few_looks() -> None:
    tracker = Tracker(mount(), Habits(phantoms=0.1), 1)
    lives: dict[int, int] = {}
    for _ in range(3000):
        for track in tracker.update([], STEP_S):
            lives[track.key] = lives.get(track.key, 0) + (track.state not in GONE)
    assert len(lives) == pytest.approx(300, rel=0.2)
    assert set(lives.values()) == {1, 2, 3, 4}


def test_hits_of_the_model_become_tracks_where_the_users_are() -> None:
    radar, tracker = RoadRadar(mount(), Traits(), 1), Tracker(mount(), Habits(), 2)
    for n in range(60):
        tracks = tracker.update(radar.look([user(-8, 30 + n * STEP_S * 5)]).hits, STEP_S)
    (track,) = tracks
    assert (track.forward_m, track.left_m) == pytest.approx((30 + 59 * STEP_S * 5, 8), abs=1.0)
    assert (track.vf_mps, track.vl_mps) == pytest.approx((5.0, 0.0), abs=0.6)
