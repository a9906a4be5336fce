"""What a camera still sees, where the road is, and pixels and returns on it."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.pipeline import PERIOD_S, Perception
from rsu_agent.perception.roadway import FARTHEST_M, Roadway
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.ports.assets import asset
from rsu_agent.ports.devices import Frame, RadarFrame, SpeedReading
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import HEARD_EVERY_S
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.road_user import UserClass
from rsu_agent.world.spot import SpotReading

CROSSING = read_crossing(asset("config/crossings/virtual.geojson"))
DICE = np.random.default_rng(1)


@dataclass(frozen=True)
class Pose:
    x_east_m: float = -16.0
    y_north_m: float = -16.0
    height_m: float = 7.0
    yaw_deg: float = 45.0
    pitch_deg: float = 12.0
    roll_deg: float = 0.0


def noise(level: int = 128) -> np.ndarray[Any, Any]:
    return DICE.integers(level - 8, level + 8, (96, 160, 3)).clip(0, 255).astype(np.uint8)


def watched(pictures: list[np.ndarray[Any, Any]]) -> str:
    watch = CameraWatch()
    for n, picture in enumerate(pictures):
        watch.saw(picture, n * 0.1)
    return watch.reason((len(pictures) - 1) * 0.1)


def test_a_frozen_camera_that_moves_again_is_ok_at_once() -> None:
    still = [noise()] * 30
    assert watched(still) == "frozen"
    assert watched([*still, noise()]) == "ok"


@given(st.floats(-200.0, 800.0), st.floats(-400.0, 60.0))
def test_pixels_at_and_above_the_horizon_meet_no_road(u: float, v: float) -> None:
    level = GroundCamera(Pose(pitch_deg=0.0), 520.0, 640, 384)
    _, good = level.to_ground(np.array([[u, v]]))
    assert not good[0]


@given(st.floats(5.0, 70.0), st.floats(0.0, 359.0))
def test_uncertainty_is_positive_grows_with_distance_and_is_longest_along_the_ray(
    away: float, bearing: float
) -> None:
    eye = GroundCamera(Pose(), 520.0, 640, 384)
    ray = np.array([math.sin(math.radians(bearing)), math.cos(math.radians(bearing))])
    near, far = eye.covariance(np.array([-16.0, -16.0]) + np.array([ray * away, ray * (away + 10.0)]))
    assert (np.linalg.eigvalsh(near) > 0).all()
    assert np.trace(far) > np.trace(near)
    if away > 15.0:
        values, vectors = np.linalg.eigh(near)
        assert abs(vectors[:, values.argmax()] @ ray) == pytest.approx(1.0, abs=1e-6)


def test_a_return_straight_ahead_lies_on_the_road_below_its_slant() -> None:
    radar = GroundRadar(Pose(yaw_deg=0.0))
    (point,) = radar.to_ground(np.array([25.0]), np.array([0.0]))
    assert point == pytest.approx((-16.0, -16.0 + math.sqrt(25.0**2 - 7.0**2)))
    (ray,) = radar.rays(np.array([[-16.0, 4.0]]))
    assert ray == pytest.approx((0.0, 1.0))


def test_every_lane_and_crosswalk_is_road_and_the_far_field_is_not() -> None:
    road = Roadway(CROSSING)
    places = [p for lane in CROSSING.lanes for p in lane.points if math.hypot(*p) < FARTHEST_M]
    assert all(road.on_road(*place) for place in places)
    assert all(road.near(*place) for place in places)
    assert not road.near(0.0, FARTHEST_M + 1.0)
    assert not road.on_road(40.0, 40.0)


def test_on_a_lane_the_heading_is_the_lanes_and_beside_it_there_is_none() -> None:
    road = Roadway(CROSSING)
    lane = next(lane for lane in CROSSING.lanes if lane.lane == 2)
    (ax, ay), (bx, by) = lane.points[0], lane.points[1]
    heading = road.heading((ax + bx) / 2, (ay + by) / 2)
    assert heading == pytest.approx(math.degrees(math.atan2(bx - ax, by - ay)) % 360.0)
    assert road.heading(40.0, 40.0) is None


class Seen:
    """A detector that finds one car, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def detect(self, _image: object, _radar: object, _threshold: float) -> list[Detection]:
        self.asked += 1
        return [Detection(UserClass.CAR, 0.9, (300, 180, 340, 200), (320.0, 200.0))]


async def frames(pictures: list[np.ndarray[Any, Any]], at_s: float) -> AsyncIterator[Frame]:
    for n, picture in enumerate(pictures):
        yield Frame(n, at_s + n * 0.1, at_s + n * 0.1, picture)


def perception(detector: Seen, clock: FakeClock) -> Perception:
    eye = GroundCamera(Pose(), 520.0, 640, 384)
    cover = {"cam": ("N",), "rad": ("E",)}
    return Perception({"cam": eye}, {"rad": GroundRadar(Pose())}, cover, {"cam": detector}, CROSSING, clock)


@pytest.mark.anyio
async def test_a_black_picture_is_not_looked_at_and_its_camera_covers_nothing() -> None:
    clock, detector = FakeClock(), Seen()
    senses = perception(detector, clock)
    await senses.watch_camera("cam", frames([noise(5)] * 3, clock.now_s()), lambda: None)
    scene = senses.scene(clock.now_s() + 0.2)
    assert detector.asked == 0
    assert {s.sensor: (s.healthy, s.reason) for s in scene.sensors}["cam"] == (False, "black")


@pytest.mark.anyio
async def test_pictures_become_users_and_the_scene_names_the_frame_it_used() -> None:
    clock, detector = FakeClock(), Seen()
    senses = perception(detector, clock)
    await senses.watch_camera("cam", frames([noise() for _ in range(6)], clock.now_s()), lambda: None)
    scene = senses.scene(clock.now_s() + 0.55)
    assert detector.asked == 6
    assert [used.frame for used in scene.frames] == [5]
    (car,) = scene.users
    assert (car.kind, car.sources) == (UserClass.CAR, ("cam",))


@pytest.mark.anyio
async def test_a_radar_is_healthy_until_its_last_frame_is_a_second_old() -> None:
    clock = FakeClock()
    senses, began_s = perception(Seen(), clock), clock.now_s()

    async def radar() -> AsyncIterator[RadarFrame]:
        yield RadarFrame(1, began_s, ())

    def healthy(at_s: float) -> bool:
        return next(s.healthy for s in senses.scene(at_s).sensors if s.sensor == "rad")

    assert not healthy(began_s)
    await senses.watch_radar("rad", radar(), lambda: None)
    assert healthy(began_s + HEARD_EVERY_S)
    assert not healthy(began_s + HEARD_EVERY_S + 0.01)


@pytest.mark.anyio
async def test_what_a_radar_without_places_sees_is_told_with_each_frame() -> None:
    clock = FakeClock()
    senses, told, heard = perception(Seen(), clock), list[SpotReading](), list[int]()
    senses.spotted = told.append
    senses.heard = lambda _name, frame: heard.append(frame.number)

    async def radar() -> AsyncIterator[RadarFrame]:
        for number in (1, 2):
            yield RadarFrame(number, 5.0, (), speeds=(SpeedReading(10.0 * number, True),))
            assert len(told) == number, "not only when the line has ended"

    await senses.watch_radar("rad", radar(), lambda: None)
    assert [reading.speed_mps for reading in told] == [10.0, 20.0]
    assert heard == [1, 2]


class Road:
    """A radar of vehicles: `passes` is set when one comes, `ends` when the line does."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.passes, self.ends = anyio.Event(), anyio.Event()

    async def __aiter__(self) -> AsyncIterator[RadarFrame]:
        await self.passes.wait()
        yield RadarFrame(1, 0.0, ())
        await self.ends.wait()
        raise DeviceLost("closed", "unplugged")


@pytest.mark.anyio
@pytest.mark.parametrize(("every_s", "well_in_silence"), [(None, True), (1.0, False), (3600.0, False)])
async def test_a_radar_that_tells_of_vehicles_only_is_well_while_its_line_is_open(
    every_s: float | None, well_in_silence: bool
) -> None:
    clock, road, served = FakeClock(), Road(), []
    eye, cover = GroundRadar(Pose()), {"rad": ("E",)}
    senses = Perception({}, {"rad": eye}, cover, {}, CROSSING, clock, heard_every_s={"rad": every_s})

    def health() -> tuple[bool, str]:
        (told,) = senses.scene(clock.now_s()).sensors
        return told.healthy, told.reason

    async def watch() -> None:
        with pytest.raises(DeviceLost):
            await senses.watch_radar("rad", road, lambda: served.append(clock.now_s()))

    assert health() == (False, "silent"), "its line is not open yet"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await clock.advance(600.0)
        assert health() == ((True, "ok") if well_in_silence else (False, "silent"))
        assert bool(served) == well_in_silence
        road.passes.set()
        await clock.advance(0.1)
        assert health() == (True, "ok")
        await clock.advance(1800.0)
        assert health()[0] == (every_s != 1.0)
        road.ends.set()
        await clock.advance(0.1)
    assert health() == (False, "silent"), "no open line vouches for it any more"


def test_the_beat_slides_to_just_after_the_pictures_by_a_few_milliseconds_a_tick() -> None:
    clock = FakeClock()
    senses = perception(Seen(), clock)
    assert senses._pull(clock.now_s()) == 0.0, "without pictures nothing pulls"
    senses._picture_s = picture_s = clock.now_s()
    at_s = picture_s + 0.050
    for _ in range(60):
        at_s += PERIOD_S + senses._pull(at_s)
        senses._picture_s = picture_s + math.floor((at_s - picture_s) / PERIOD_S + 1e-9) * PERIOD_S
    assert (at_s - picture_s) % PERIOD_S == pytest.approx(0.004, abs=0.001)
