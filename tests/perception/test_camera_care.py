"""A camera that is soft, dirty, turned or slow is named; night, rain, dusk and standing traffic are not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from hil.paint.scene import Look
from rsu_agent.perception.camera_care import COVERS, DRIFT_PERIOD_S, REFERENCE_LOOKS, TRUST, CameraCare
from rsu_agent.perception.drift import ALARM_PX, BETWEEN_S, LOOKS
from rsu_agent.perception.frame_rate import FrameRate
from rsu_agent.perception.sharpness import LASTS_S
from tests.perception.road_pictures import PICTURES, dirty, picture, soft

NIGHT, RAIN, WET_NIGHT = Look(night=True), Look(rain=True), Look(night=True, rain=True)
STEP_S = 2  # between two pictures: twice what is looked at, half the time
LEARNS_S = STEP_S * (REFERENCE_LOOKS + 20)
QUARTER_HOUR_S = 900


class Camera:
    """A watch that is shown a picture every other second; what it said, in order."""

    def __init__(self, care: CameraCare | None = None, at_s: int = 0) -> None:
        self.care, self.now_s = care or CameraCare(FrameRate(0.5)), at_s

    def sees(self, show: Callable[[int], Any], seconds: int) -> list[str]:
        """The different words of these seconds."""
        words = []
        for _ in range(0, seconds, STEP_S):
            number = self.now_s // STEP_S * 7 % PICTURES
            self.care.saw(show(number), float(self.now_s), self.now_s // 3600 % 24, good=True)
            self.now_s += STEP_S
            words.append(self.care.reason)
        return list(dict.fromkeys(words))

    def seconds_until(self, word: str, show: Callable[[int], Any], most_s: int) -> int | None:
        began_s = self.now_s
        while self.now_s - began_s < most_s:
            if word in self.sees(show, 1):
                return self.now_s - began_s
        return None


@cache
def once_learnt(at_s: int) -> Camera:
    camera = Camera(at_s=at_s)
    assert camera.sees(picture, LEARNS_S) == ["ok"]
    assert camera.care.drift is not None
    return camera


def learnt(at_s: int = 0) -> Camera:
    return copy.deepcopy(once_learnt(at_s))


@pytest.mark.parametrize("look", [NIGHT, RAIN, WET_NIGHT, Look(gain=1.4), Look(sun_deg=100.0)])
def test_night_rain_and_another_sun_are_no_fault(look: Look) -> None:
    camera = learnt()
    assert camera.sees(lambda n: picture(n, look=look), QUARTER_HOUR_S) == ["ok"]


@pytest.mark.parametrize("jam", [11, 12])
def test_traffic_that_stands_for_twenty_minutes_is_no_dirt(jam: int) -> None:
    camera = learnt()
    assert camera.sees(lambda n: picture(n, jam=jam), 1200) == ["ok"]


def test_a_day_that_goes_through_dusk_into_a_wet_night_and_dawn_is_ok_throughout() -> None:
    """Hours change on the way; none of them was known before."""
    camera = learnt(at_s=3600 * 17 + 2400)
    for step in range(8):
        look = Look(gain=1.0 - 0.08 * step)
        assert camera.sees(lambda n, look=look: picture(n, look=look), 240) == ["ok"]
    assert camera.sees(lambda n: picture(n, look=NIGHT), 1200) == ["ok"]
    assert camera.sees(lambda n: picture(n, look=WET_NIGHT), 900) == ["ok"]
    assert camera.sees(picture, 600) == ["ok"]


@pytest.mark.parametrize("look", [Look(), NIGHT], ids=["day", "night"])
def test_a_soft_picture_is_defocused_after_a_minute_and_ok_again_when_sharp(look: Look) -> None:
    camera = learnt()
    camera.sees(lambda n: picture(n, look=look), 120)
    took_s = camera.seconds_until("defocused", lambda n: soft(n, look), 180)
    assert took_s is not None
    assert took_s >= LASTS_S["defocused"]
    assert camera.care.sharpness.sharp_ratio is not None
    assert camera.care.sharpness.sharp_ratio < 0.4
    assert camera.seconds_until("ok", lambda n: picture(n, look=look), 120) is not None


@pytest.mark.parametrize("look", [Look(), NIGHT], ids=["day", "night"])
def test_dirt_is_named_within_a_quarter_of_an_hour_but_not_what_soon_goes_away(look: Look) -> None:
    camera = learnt()
    camera.sees(lambda n: picture(n, look=look), 120)
    assert camera.sees(lambda n: dirty(n, look), 240) == ["ok"]
    assert camera.sees(lambda n: picture(n, look=look), 120) == ["ok"]
    took_s = camera.seconds_until("dirty", lambda n: dirty(n, look), QUARTER_HOUR_S)
    assert took_s is not None
    assert took_s >= LASTS_S["dirty"]
    assert camera.care.sharpness.kept_ratio is not None
    assert 0.7 < camera.care.sharpness.kept_ratio < 0.95
    assert camera.sees(lambda n: dirty(n, look), 900) == ["dirty"], "it is not learnt as the usual"
    assert camera.seconds_until("ok", lambda n: picture(n, look=look), 120) is not None


def test_dirt_stays_dirt_when_an_hour_begins_that_is_not_known_yet() -> None:
    camera = learnt(at_s=3600 * 9 + 2000)
    assert camera.seconds_until("dirty", dirty, QUARTER_HOUR_S) is not None
    assert camera.sees(dirty, 1800) == ["dirty"]
    assert camera.now_s // 3600 == 10


@pytest.mark.parametrize("left_s", [60, 200])
def test_dirt_that_came_just_before_an_hour_not_known_yet_is_named_and_so_is_its_end(left_s: int) -> None:
    camera = learnt(at_s=3600 * 10 - left_s - LEARNS_S)
    took_s = camera.seconds_until("dirty", dirty, QUARTER_HOUR_S)
    assert took_s is not None
    assert took_s < LASTS_S["dirty"] + 100
    assert camera.now_s // 3600 == 10
    assert camera.seconds_until("ok", picture, 120) is not None


def test_a_knocked_camera_has_moved_within_a_quarter_of_an_hour_and_is_called_nothing_else() -> None:
    camera = learnt()
    words = camera.sees(lambda n: picture(n, knocked=True), QUARTER_HOUR_S)
    assert words == ["ok", "moved"]
    assert camera.care.shift_px is not None
    assert camera.care.shift_px == pytest.approx(11.3, abs=2.0), "430 px times the tangent of 1.5 degrees"


def test_a_knock_just_after_a_measurement_waits_for_the_next_and_no_longer() -> None:
    camera = learnt()
    took_s = camera.seconds_until("moved", lambda n: picture(n, knocked=True), QUARTER_HOUR_S)
    assert took_s is not None
    assert took_s <= DRIFT_PERIOD_S + LOOKS * BETWEEN_S + 60


def test_a_camera_turned_back_is_ok_within_three_minutes() -> None:
    camera = learnt()
    camera.sees(lambda n: picture(n, knocked=True), QUARTER_HOUR_S)
    took_s = camera.seconds_until("ok", picture, QUARTER_HOUR_S)
    assert took_s is not None
    assert took_s <= 180


def test_a_wide_picture_is_reduced_and_its_shift_told_in_its_own_pixels() -> None:
    def wide(number: int, *, knocked: bool = False) -> Any:
        return picture(number, knocked=knocked).repeat(2, axis=0).repeat(2, axis=1)

    camera = Camera()
    camera.sees(wide, LEARNS_S)
    camera.sees(lambda n: wide(n, knocked=True), QUARTER_HOUR_S)
    assert camera.care.reason == "moved"
    assert camera.care.shift_px == pytest.approx(22.6, abs=4.0)


def test_after_a_restart_it_knows_its_view_and_its_edges() -> None:
    kept = json.loads(json.dumps(learnt().care.learnt()))
    for show, word in ((lambda n: picture(n, knocked=True), "moved"), (dirty, "dirty"), (soft, "defocused")):
        care = CameraCare(FrameRate(0.5))
        care.restore(kept)
        assert Camera(care).seconds_until(word, show, QUARTER_HOUR_S) is not None, word


def test_what_is_kept_is_small_and_holds_no_picture() -> None:
    kept = learnt().care.learnt()
    assert set(kept) == {"rate_hz", "view", "hours"}
    assert set(kept["view"]) == {"size", "spots", "tiles", "points", "words"}
    tiles = [bytes.fromhex(tile) for tile in kept["view"]["tiles"]]
    assert tiles
    assert all(len(tile) == 64 and max(tile) <= 15 for tile in tiles), "8x8 cells of sixteen steps each"
    assert all(np.array(edges).shape == (10, 16) for edges in kept["hours"].values())
    assert len(json.dumps(kept)) < 120_000


def hostile() -> list[Any]:
    good = learnt().care.learnt()
    view = good["view"]
    return [
        None, [], {}, {"rate_hz": 5}, {**good, "rate_hz": "fast"}, {**good, "rate_hz": float("nan")},
        {**good, "rate_hz": -1.0}, {**good, "hours": {"24": good["hours"]["0"]}},
        {**good, "hours": {"0": [[1]]}},
        {**good, "hours": {"0": np.full((10, 16), np.inf).tolist()}}, {**good, "hours": []},
        {**good, "view": {**view, "size": [384, -640]}}, {**good, "view": {**view, "size": [384]}},
        {**good, "view": {**view, "spots": [[639, 383]] * len(view["tiles"])}},
        {**good, "view": {**view, "tiles": view["tiles"][:-1]}}, {**good, "view": {**view, "tiles": ["zz"]}},
        {**good, "view": {**view, "words": ["00" * 32] * 100_000}}, {**good, "view": {**view, "spots": "x"}},
        {**good, "view": {**view, "points": [[1e30, float("nan")]] * len(view["words"])}},
    ]  # fmt: skip


def test_a_spoilt_file_is_refused_and_changes_nothing() -> None:
    for told in hostile():
        care = CameraCare()
        with pytest.raises(ValueError, match=r"."):
            care.restore(told)
        assert (care.drift, care.sharpness.hours, care.rate.expected_hz) == (None, {}, None), told


def test_every_word_widens_covariance_and_those_that_see_nobody_cover_nothing() -> None:
    assert all(factor > 1.0 for factor in TRUST.values())
    assert COVERS & set(TRUST) == {"slow", "dirty", "moved"}
    assert ALARM_PX == 3.0


def rated(rate: FrameRate, hz: float, from_s: float, seconds: float) -> float:
    for n in range(round(seconds * hz)):
        rate.saw(from_s + n / hz)
    return from_s + seconds


def test_a_camera_that_gives_less_than_its_share_is_slow_until_it_gives_enough() -> None:
    rate = FrameRate(10.0, 0.6)
    end_s = rated(rate, 10.0, 0.0, 15.0)
    assert not rate.slow
    end_s = rated(rate, 5.0, end_s, 21.0)
    assert rate.slow
    assert rate.rate_hz == pytest.approx(5.0, abs=0.6)
    rated(rate, 7.0, end_s, 21.0)
    assert not rate.slow


def test_the_rate_is_learnt_from_the_first_minute_and_only_ever_upwards() -> None:
    rate = FrameRate()
    end_s = rated(rate, 12.0, 0.0, 65.0)
    assert rate.expected_hz == pytest.approx(12.0, rel=0.05)
    end_s = rated(rate, 4.0, end_s, 600.0)
    assert rate.slow, "slowness is not learnt"
    rated(rate, 25.0, end_s, 75.0)
    assert rate.expected_hz == pytest.approx(25.0, rel=0.05)


def test_a_camera_that_was_away_is_measured_anew_and_not_called_slow_for_it() -> None:
    rate = FrameRate(10.0)
    rated(rate, 10.0, 0.0, 12.0)
    rated(rate, 10.0, 60.0, 9.0)
    assert not rate.slow
    rate.restore(99.0)
    assert rate.expected_hz == 10.0, "the setting stands above what was learnt"


def test_a_camera_of_one_picture_in_two_seconds_can_be_slow_too() -> None:
    rate = FrameRate(0.5)
    end_s = rated(rate, 0.5, 0.0, 40.0)
    assert not rate.slow
    rated(rate, 0.2, end_s, 60.0)
    assert rate.slow
