"""Others' trackers on a feed: what each is shown, and that each follows who is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import hil.bench.peers.environment as environment
from hil.bench.crowd import as_feed, crowd
from hil.bench.peers.environment import is_ready, peers_python
from hil.bench.peers.feed import ONE_BODY_M, BadFeed, merged, steps
from hil.bench.peers.settings import SETTINGS
from hil.bench.peers.track import NAMES, track
from hil.processes import RigFailure

FIELDS = ("t", "sensor", "frame", "xy", "cov", "score", "frame_t", "frame_sensor", "ask_t")


def feed(path: Path, **changed: np.ndarray) -> Path:
    """Two sensors: the first measures at 10.0 and comes at 10.1, the second measures and comes at 10.1."""
    told = {
        "t": np.array([10.0, 10.0, 10.1]),
        "sensor": np.array([0, 0, 1]),
        "frame": np.array([0, 0, 1]),
        "xy": np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 0.0]]),
        "cov": np.tile(np.eye(2), (3, 1, 1)),
        "score": np.array([0.9, 0.2, 0.5]),
        "frame_t": np.array([10.1, 10.1]),
        "frame_sensor": np.array([0, 1]),
        "ask_t": np.array([10.0, 10.1, 10.2]),
    }
    np.savez(path, **{**told, **changed})
    return path


def test_detections_of_one_body_become_one_weighted_by_how_sure_they_are() -> None:
    xy = np.array([[0.0, 0.0], [1.0, 0.0], [20.0, 0.0]])
    cov = np.array([np.diag([1.0, 1.0]), np.diag([3.0, 1.0]), np.eye(2)])
    places, spreads, scores = merged(xy, cov, np.array([0.4, 0.9, 0.5]), np.array([0, 1, 1]))
    assert np.allclose(places, [[0.25, 0.0], [20.0, 0.0]])
    assert np.allclose(spreads[0], np.diag([0.75, 0.5]))
    assert scores.tolist() == [0.9, 0.5]


def test_one_sensor_never_sees_one_body_twice_and_far_ones_stay_apart() -> None:
    xy = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, ONE_BODY_M + 0.1], [0.5, 0.0]])
    places, *_ = merged(xy, np.tile(np.eye(2), (4, 1, 1)), np.ones(4), np.array([0, 0, 1, 1]))
    assert len(places) == 3
    assert [0.25, 0.0] in places.tolist()


def test_nothing_merges_to_nothing() -> None:
    places, spreads, scores = merged(np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros(0), np.zeros(0, int))
    assert (places.shape, spreads.shape, scores.shape) == ((0, 2), (0, 2, 2), (0,))


def test_a_frame_is_shown_when_it_has_come_and_not_before(tmp_path: Path) -> None:
    shown = list(steps(feed(tmp_path / "a.npz"), 0.35, 0.0))
    assert [[frame.sensor for frame in step.frames] for step in shown] == [[], [0, 1], []]
    assert shown[1].at_s == pytest.approx(10.05)
    assert np.allclose(shown[1].xy, [[0.5, 0.0]])  # the weak detection is not shown


def test_frames_held_back_are_merged_as_of_one_instant(tmp_path: Path) -> None:
    shown = list(steps(feed(tmp_path / "a.npz"), 0.0, 0.1))
    assert [[frame.sensor for frame in step.frames] for step in shown] == [[], [0], [1]]
    assert len(shown[1].xy) == 2
    assert shown[1].at_s == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frame": np.array([0, 0, 2])}, "outside 0..1"),
        ({"xy": np.zeros((3, 3))}, "xy has shape"),
        ({"score": np.zeros(2)}, "score has shape"),
        ({"ask_t": np.array([1.0, 0.0])}, "backwards"),
        ({"frame_sensor": np.array([0])}, "as long as"),
    ],
)
def test_a_feed_that_cannot_be_is_refused(tmp_path: Path, changed: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(BadFeed, match=words):
        list(steps(feed(tmp_path / "a.npz", **changed), 0.0, 0.0))


def test_a_feed_without_an_array_says_which(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", t=np.zeros(1))
    with pytest.raises(BadFeed, match="ask_t, cov, frame"):
        list(steps(tmp_path / "a.npz", 0.0, 0.0))


def test_without_a_network_the_reason_and_the_remedy_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "HOME", tmp_path / "peers-venv")
    monkeypatch.setattr(environment.venv, "create", lambda home, **_: home.mkdir())
    refused = subprocess.CompletedProcess([], 1, "", "ERROR: no matching distribution")
    monkeypatch.setattr(environment.subprocess, "run", lambda *_, **__: refused)
    with pytest.raises(RigFailure, match=r"(?s)hil\.bench\.peers\.install.*no matching distribution"):
        peers_python()
    assert not is_ready()


def test_a_lock_that_has_changed_makes_the_environment_out_of_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "HOME", tmp_path)
    (tmp_path / environment.READY).write_text("of another lock")
    assert not is_ready()
    (tmp_path / environment.READY).write_text(environment._lock())
    assert is_ready()


def there() -> None:
    if not is_ready():
        pytest.skip("the peers' environment is not there: python -m hil.bench.peers.install")


@pytest.mark.parametrize("name", NAMES)
def test_each_peer_follows_a_small_crowd_with_places_speeds_and_identities(name: str, tmp_path: Path) -> None:
    there()
    frames = crowd(12, 3, 45)
    as_feed(frames, tmp_path / "feed.npz")
    track(name, tmp_path / "feed.npz", tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as file:
        found = {each: file[each] for each in ("t_index", "id", "xy", "v")}
    for number in (30, 44):
        rows = found["t_index"] == number
        assert rows.sum() == 12
        order = np.argsort(frames[number].who)
        # the lanes are 4 m apart: everybody has a track of its own within half of that
        away = np.hypot(*(frames[number].xy[order][:, None] - found["xy"][rows][None]).transpose(2, 0, 1))
        assert sorted(away.argmin(axis=1).tolist()) == list(range(12))
        assert away.min(axis=1).max() < 2.0
        before = frames[number - 10].xy[np.argsort(frames[number - 10].who)]
        true_speed = (frames[number].xy[order] - before) / 1.0
        off = found["v"][rows][away.argmin(axis=1)] - true_speed
        assert np.median(np.hypot(*off.T)) < 2.5
    early, late = (set(found["id"][found["t_index"] == number]) for number in (30, 44))
    assert early == late


def test_a_peer_that_cannot_read_its_feed_says_so(tmp_path: Path) -> None:
    there()
    np.savez(tmp_path / "bad.npz", t=np.zeros(1))
    with pytest.raises(RigFailure, match="no array"):
        track("sort", tmp_path / "bad.npz", tmp_path / "out.npz")


def test_every_peer_has_its_settings() -> None:
    assert all({"least_score", "hold_s", "confirm"} <= told.keys() for told in SETTINGS.values())
