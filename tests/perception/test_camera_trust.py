"""A camera in doubt weighs less in fusion and reads no lamps when turned; one that misses many is blind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from rsu_agent.perception.blind import LEAST_S, Blind
from rsu_agent.perception.camera_care import CameraCare
from rsu_agent.perception.frame_rate import FrameRate
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.pipeline import Perception
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.ports.assets import asset
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.settings.sections import Pose
from rsu_agent.world.road_user import RoadUser, UserClass
from tests.perception.road_pictures import picture

CROSSING = read_crossing(asset("config/crossings/virtual.geojson"))
EYE = GroundCamera(Pose(x_east_m=-16, y_north_m=-16, height_m=7, yaw_deg=45, pitch_deg=12), 520.0, 640, 384)
DICE_PX = (0.0, 1.5, -1.0, 0.5, -0.5, 1.0)


class Seen:
    """A detector that finds one car."""

    def detect(self, _image: object, _radar: object, _threshold: float) -> list[Detection]:
        return [Detection(UserClass.CAR, 0.9, (300, 180, 340, 200), (320.0, 200.0))]


class Lamps:
    """Counts how often it was asked."""

    asked = 0

    def saw(self, _image: object, _at_s: float) -> None:
        self.asked += 1


class Said(CameraCare):
    """A care that says one word."""

    def __init__(self, word: str) -> None:
        super().__init__(FrameRate(10.0))
        self.word = word

    @property
    def reason(self) -> str:
        return self.word


async def pictures(at_s: float) -> AsyncIterator[Frame]:
    for n in range(8):
        yield Frame(n, at_s + n * 0.1, at_s + n * 0.1, picture(n))


async def looked(word: str) -> tuple[Any, float, Lamps]:
    clock, lamps = FakeClock(), Lamps()
    watches = {"cam": CameraWatch(Said(word))}
    senses = Perception(
        {"cam": EYE}, {}, {"cam": ("N",)}, {"cam": Seen()}, CROSSING, clock, {"cam": lamps}, watches  # type: ignore[dict-item]
    )  # fmt: skip
    await senses.watch_camera("cam", pictures(clock.now_s()), lambda: None)  # type: ignore[arg-type]
    scene = senses.scene(clock.now_s() + 0.75)
    (user,) = scene.users
    return scene.sensors[0], user.position_sd_m, lamps


@pytest.mark.anyio
async def test_what_a_doubtful_camera_measures_is_less_sure() -> None:
    _, sure_m, _ = await looked("ok")
    before_m = sure_m
    for word in ("slow", "dirty", "moved"):
        health, spread_m, _ = await looked(word)
        assert spread_m > before_m, word
        assert (health.healthy, health.reason) == (True, word), "it still sees who is there"
        before_m = spread_m
    assert before_m > 1.5 * sure_m


@pytest.mark.anyio
@pytest.mark.parametrize(("word", "reads"), [("ok", 8), ("dirty", 8), ("moved", 0), ("defocused", 0)])
async def test_lamps_are_not_read_where_the_boxes_lie_beside_the_heads(word: str, reads: int) -> None:
    _, _, lamps = await looked(word)
    assert lamps.asked == reads


@pytest.mark.anyio
@pytest.mark.parametrize("word", ["defocused", "blind"])
async def test_a_camera_that_sees_nobody_covers_nothing(word: str) -> None:
    health, _, _ = await looked(word)
    assert (health.healthy, health.reason) == (False, word)


def user(*sources: str, x: float = 0.0, y: float = 0.0, speed: float = 8.0) -> RoadUser:
    return RoadUser(
        1, UserClass.CAR, x, y, 0.0, speed, speed, 0.0, 4.5, 1.8, 1.5, 0.3, tuple(sources), first_seen_s=0.0
    )


def watched(users: list[RoadUser], seconds: float, blind: Blind | None = None, from_s: float = 0.0) -> Blind:
    blind = blind or Blind({"cam": EYE}, ["rad"])
    for n in range(int(seconds * 2)):
        blind.tick(users, from_s + n / 2, ["cam"])
    return blind


def test_a_camera_that_misses_what_the_radar_counts_is_blind_and_sees_again() -> None:
    blind = watched([user("rad"), user("rad")], 10.0)
    assert not blind.now, "too few yet"
    watched([user("rad"), user("rad")], LEAST_S, blind, 10.0)
    assert blind.now == {"cam"}
    watched([user("rad", "cam"), user("rad", "cam")], 200.0, blind, 10.0 + LEAST_S)
    assert not blind.now


@pytest.mark.parametrize(
    "others",
    [
        [user("rad", "cam"), user("rad")],  # half of them hidden behind a bus
        [user("cam")],  # no radar saw it
        [user("rad", x=-60.0, y=-60.0)],  # behind the camera
        [user("rad", x=45.0, y=45.0)],  # far away
        [user("rad", speed=0.4)],  # stands
    ],
)
def test_what_a_camera_need_not_see_makes_it_not_blind(others: list[RoadUser]) -> None:
    assert not watched(others, 400.0).now


def test_a_camera_without_pictures_is_not_called_blind() -> None:
    blind = Blind({"cam": EYE}, ["rad"])
    for n in range(400):
        blind.tick([user("rad")], n / 2, [])
    assert not blind.now


def test_speeds_below_walking_are_not_counted_at_all() -> None:
    assert not watched([replace(user("rad"), speed_mps=1.0)] * 5, 400.0).now
