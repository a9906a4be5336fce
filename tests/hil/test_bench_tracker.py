"""The tracker's benchmark: the crowd, the fit of growth, and the peers by turns with ours."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import hil.bench.command as command
import hil.bench.tracker_ratio as tracker_ratio
from hil.bench.command import over
from hil.bench.crowd import SPREAD_M, crowd
from hil.bench.peers.environment import is_ready
from hil.bench.tracker_ratio import PEERS_A_BLOCK, Ours, against_peers, exponent, growth
from tests.hil.test_bench import APP

GOOD = {"update_100_ms": 0.9, "growth_exponent": 1.1, "ratio_stonesoup": 150.0, "ratio_fastest_peer": 3.2}


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_that_of_the_line_through_all_sizes(power: float) -> None:
    assert exponent({size: 0.3 * size**power for size in (50, 100, 200, 400, 800)}) == pytest.approx(power)


def test_one_size_that_is_off_moves_the_exponent_a_little() -> None:
    ms = {size: float(size) for size in (50, 100, 200, 400, 800)}
    ms[800] *= 2
    assert 1.0 < exponent(ms) < 1.3


def test_the_crowd_moves_keeps_its_distance_and_comes_in_any_order() -> None:
    frames = crowd(100, 4, 30)
    assert len({tuple(frame.who) for frame in frames}) == 30
    first, last = (frame.xy[np.argsort(frame.who)] for frame in (frames[0], frames[-1]))
    assert np.hypot(*(last - first).T).max() > 5.0
    away = np.hypot(*(first[:, None] - first[None]).transpose(2, 0, 1)) + np.eye(100) * 99
    assert away.min() > 4.0 - 8 * SPREAD_M
    assert np.hypot(*first.T).max() < 90.0


def test_ours_has_a_track_for_everybody_beyond_the_usual_bound() -> None:
    ours = Ours(crowd(450, 1, 8))
    ours.go(8)
    assert ours.told == 450
    assert len(ours.taken.seconds) == 8


def test_growth_is_not_told_when_users_were_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracker_ratio, "GROWTH_FRAMES", 10)
    figures = growth(2, (10, 20, 40))
    assert figures["growth_exponent"] is not None
    assert figures["growth_ms"].keys() == {"10", "20", "40"}
    monkeypatch.setattr(tracker_ratio, "WITHIN", 1.1)
    assert growth(2, (10, 20))["growth_exponent"] is None


def test_what_could_not_be_measured_or_is_too_slow_is_missed() -> None:
    assert over("tracker", GOOD) == []
    assert over("tracker", {**GOOD, "update_100_ms": 1.1}) == ["update_100_ms 1.1 > 1"]
    assert over("tracker", {**GOOD, "ratio_fastest_peer": None}) == ["ratio_fastest_peer None < 3"]


def test_the_object_on_the_last_line_has_the_four_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(_seed: int) -> dict[str, Any]:
        return {"ratio": 2.0, **GOOD}

    monkeypatch.setitem(command.TABLE, "tracker", made)
    result = CliRunner().invoke(APP, ["--only", "tracker"])
    assert result.exit_code == 0, result.output
    assert GOOD.keys() < json.loads(result.stdout.splitlines()[-1]).keys()


def test_the_peers_take_their_turns_and_all_track_the_crowd() -> None:
    if not is_ready():
        pytest.skip("the peers' environment is not there: python -m hil.bench.peers.install")
    figures = against_peers(5, blocks=1)
    assert figures["peers_ms"].keys() == PEERS_A_BLOCK.keys(), figures["tracks"]
    assert figures["ratio_stonesoup"] > figures["ratio_fastest_peer"] > 0
    assert figures["fastest_peer"] in ("motpy", "sort", "bytetrack", "ocsort")
