"""Ground projection, tracks and fusion on made measurements."""

from __future__ import annotations

import math
import random
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hil.paint.lens import View
from rsu_agent.perception.associate import assign, costs
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.heads.detector import CentrePointDetector
from rsu_agent.perception.onnx import ModelRefused
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.ports.assets import asset
from rsu_agent.ports.devices import RadarFrame, RadarPoint, RadarTarget
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.road_user import UserClass
from tests.perception.posed import Pose

CAMERA = GroundCamera(Pose(), 430.0, 640, 384)
RADAR = GroundRadar(Pose(height_m=6.0, pitch_deg=0.0))
ROADWAY = Roadway(read_crossing(asset("config/crossings/virtual.geojson")))


def fusion() -> Fusion:
    return Fusion({"cam": CAMERA}, {"rad": RADAR}, ROADWAY)


def seen(
    x: float, y: float, kind: UserClass = UserClass.CAR, score: float = 0.9, noise: float = 0.0
) -> Detection:
    pixels, _ = CAMERA.to_pixels(np.array([[x, y, 0.0]]))
    u, v = (float(p) + random.gauss(0, noise) for p in pixels[0])
    return Detection(kind, score, (u - 10, v - 10, u + 10, v + 10), (u, v), grounded=True)


def returned(x: float, y: float, vx: float, vy: float) -> RadarPoint:
    """What a radar at the pose gives for a point."""
    dx, dy = x + 16.0, y + 19.0
    yaw = math.radians(45.0)
    forward = dx * math.sin(yaw) + dy * math.cos(yaw)
    left = -dx * math.cos(yaw) + dy * math.sin(yaw)
    away = math.hypot(dx, dy)
    slant = math.sqrt(away**2 + 36.0)
    return RadarPoint(forward * slant / away, left * slant / away, -6.0, (vx * dx + vy * dy) / away, 20.0)


@pytest.mark.parametrize("pose", [Pose(), Pose(roll_deg=3.0), Pose(yaw_deg=200, pitch_deg=25, x_east_m=20)])
def test_ground_points_survive_the_way_to_the_picture_and_back(pose: Pose) -> None:
    camera = GroundCamera(pose, 500.0, 640, 384)
    angle = math.radians(pose.yaw_deg)
    points = np.array(
        [
            (pose.x_east_m + math.sin(angle + o) * r, pose.y_north_m + math.cos(angle + o) * r)
            for r in (12, 30, 60)
            for o in (-0.3, 0, 0.3)
        ]
    )
    pixels, depth = camera.to_pixels(np.column_stack([points, np.zeros(len(points))]))
    assert (depth > 0).all()
    back, good = camera.to_ground(pixels)
    assert good.all()
    assert np.allclose(back, points, atol=1e-6)


def test_two_readings_of_the_camera_convention_agree() -> None:
    """The painter's lens was written apart from the product's."""
    rig = View(-16, -19, 8, 45, 12, 2.0, 430, 640, 384)
    ours = GroundCamera(Pose(roll_deg=2.0), 430.0, 640, 384)
    points = np.array([[x, y, z] for x in (0.0, 20.0) for y in (-5.0, 25.0) for z in (0.0, 2.0)])
    assert np.allclose(rig.project(points)[0], ours.to_pixels(points)[0], atol=1e-6)


def test_the_sky_meets_no_ground_and_far_points_are_less_certain_along_the_ray() -> None:
    _, good = CAMERA.to_ground(np.array([[320.0, 5.0], [320.0, 300.0]]))
    assert list(good) == [False, True]
    near, far = CAMERA.covariance(np.array([[-9.0, -12.0], [26.0, 23.0]]))
    ray = np.array([math.sqrt(0.5), math.sqrt(0.5)])
    assert ray @ far @ ray > 10 * (ray @ near @ ray)


def test_radar_points_come_to_the_same_ground() -> None:
    point = returned(10.0, 20.0, 0, 0)
    ground = RADAR.to_ground(np.array([point.x_forward_m]), np.array([point.y_left_m]))
    assert np.allclose(ground, [[10.0, 20.0]], atol=0.05)


def follow(
    made: Fusion, seconds: float, *, camera: bool = True, radar: bool = True, lag: float = 0.05
) -> list[float]:
    """A car from (-5, 30) southward at 8 m/s; errors of the track once it is confirmed."""
    random.seed(3)
    errors = []
    for step in range(int(seconds * 10)):
        now = 100.0 + step / 10
        x, y = -5.25, 30.0 - 8.0 * step / 10
        if camera:
            made.camera("cam", [seen(x, y + 8.0 * lag, noise=1.0)], now - lag)
        if radar:
            late = 8.0 * 0.08
            made.radar("rad", RadarFrame(step, now - 0.08, (returned(x, y + late, 0, -8.0),)))
        for person in made.users(now):
            errors.append(math.hypot(person.x_east_m - x, person.y_north_m - y))
    return errors


@pytest.mark.parametrize(("camera", "radar"), [(True, True), (True, False), (False, True)])
def test_a_car_is_followed_with_either_sensor_lost(camera: bool, radar: bool) -> None:
    made = fusion()
    errors = follow(made, 4.0, camera=camera, radar=radar)
    assert len(errors) > 25
    assert np.median(errors) < 0.8
    (person,) = made.users(104.0)
    assert person.speed_mps == pytest.approx(8.0, abs=1.0)
    assert person.heading_deg == pytest.approx(180.0, abs=10.0)


def test_late_pictures_are_fused_as_of_their_own_time() -> None:
    assert np.median(follow(fusion(), 4.0, lag=0.35)) < 0.6


def test_pictures_later_than_half_a_second_are_dropped_and_counted() -> None:
    made = fusion()
    made.camera("cam", [seen(0, 10)], 100.0)
    made.camera("cam", [seen(0, 10)], 99.4)
    assert made.counters["too_late"] == 1


def test_the_targets_of_a_radar_that_gives_no_echoes_are_followed() -> None:
    made = fusion()
    for step in range(30):
        now, y = 100.0 + step / 10, 30.0 - 0.8 * step
        echo = returned(-5.25, y, 0.0, -8.0)
        angle = math.radians(45.0)  # of the radar's yaw: south is backward and to the right of it
        forward, left = -8.0 * math.cos(angle), -8.0 * math.sin(angle)
        target = RadarTarget(7, echo.x_forward_m, echo.y_left_m, forward, left)
        made.radar("rad", RadarFrame(step, now, (), (target,)))
        made.users(now)
    (user,) = made.users(102.9)
    assert (user.x_east_m, user.y_north_m) == pytest.approx((-5.25, 6.8), abs=0.6)
    assert (user.speed_mps, user.heading_deg) == (pytest.approx(8.0, abs=0.6), pytest.approx(180.0, abs=6.0))


def test_a_picture_that_comes_late_changes_what_came_after_it() -> None:
    """The same words in another order of arrival give the same tracks."""
    words = [(100.0 + step / 10, "cam" if step % 2 else "rad") for step in range(40)]

    def told(order: list[tuple[float, str]], dice: random.Random) -> list[tuple[float, ...]]:
        made = fusion()
        for at_s, sensor in order:
            y = 30.0 - 8.0 * (at_s - 100.0)
            if sensor == "cam":
                made.camera("cam", [seen(-5.25, y)], at_s)
            else:
                made.radar("rad", RadarFrame(0, at_s, (returned(-5.25, y, 0, -8.0),)))
            if dice.random() < 0.7:
                made.users(at_s)
        return [(u.x_east_m, u.y_north_m, u.speed_mps) for u in made.users(104.0)]

    late = sorted(words, key=lambda word: word[0] + 0.25 * (word[1] == "cam"))
    assert told(words, random.Random(1)) == told(late, random.Random(2)) != []


def test_clutter_does_not_become_a_user() -> None:
    made, dice = fusion(), random.Random(4)
    most = 0
    for step in range(300):
        points = tuple(
            RadarPoint(dice.uniform(5, 60), dice.uniform(-30, 30), 0, dice.gauss(0, 1.5)) for _ in range(2)
        )
        made.radar("rad", RadarFrame(step, 100 + step / 10, points))
        most = max(most, len(made.users(100 + step / 10)))
    assert most == 0


def test_a_stopped_user_is_held_by_the_camera_and_keeps_its_heading() -> None:
    made = fusion()
    random.seed(5)
    for step in range(80):
        now = 100 + step / 10
        braking = min(max(step - 10, 0), 40) / 10
        y = 30.0 - 8.0 * min(step, 10) / 10 - 8.0 * braking + braking**2
        made.camera("cam", [seen(-5.25, y, noise=0.6)], now)
    (person,) = made.users(108.0)
    assert person.speed_mps == 0.0
    assert person.heading_deg == pytest.approx(180.0, abs=20.0)


def test_two_detections_in_one_bus_are_one_user() -> None:
    made = fusion()
    for step in range(30):
        now, y = 100 + step / 10, 25.0 - 0.6 * step
        made.camera("cam", [seen(-5.25, y, UserClass.BUS), seen(-5.25, y + 3.5, UserClass.CAR, 0.4)], now)
    assert len(made.users(103.0)) == 1


def test_two_trucks_abreast_in_neighbouring_lanes_are_two() -> None:
    """They come and stop; no picture shows both, so that no frame tells them apart."""
    made = fusion()
    for step in range(60):
        now, y = 100 + step / 10, 25.0 - 0.6 * min(step, 30)
        x = (-5.25, -8.45)[step // 3 % 2]
        made.camera("cam", [seen(x, y, UserClass.TRUCK)], now)
    assert len(made.users(106.0)) == 2


def test_two_cars_that_one_picture_shows_end_to_end_are_two() -> None:
    made = fusion()
    for step in range(30):
        made.camera("cam", [seen(-5.25, 20.0), seen(-5.25, 21.6)], 100 + step / 10)
    assert len(made.users(103.0)) == 2


def test_a_lost_user_is_let_go_within_two_seconds() -> None:
    made = fusion()
    follow(made, 3.0)
    made.camera("cam", [], 104.0)
    made.camera("cam", [], 105.5)
    assert made.users(105.5) == []


def test_assignment_prefers_the_nearest_and_respects_the_gate() -> None:
    mean = np.array([[0.0, 0.0, 0.0, 0.0], [5.0, 0.0, 0.0, 0.0]])
    points = np.array([[4.8, 0.1], [0.1, 0.0], [40.0, 0.0]])
    spreads = np.tile(np.eye(2) * 0.2, (3, 1, 1))
    rows, columns = assign(costs(mean, np.tile(np.eye(4) * 0.2, (2, 1, 1)), points, spreads))
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == {0: 1, 1: 0}


def test_a_frozen_a_black_and_a_stalled_camera_are_told_apart() -> None:
    dice = np.random.default_rng(1)
    watch = CameraWatch()
    assert watch.reason(0.0) == "starting"
    picture = dice.integers(60, 200, (384, 640, 3), dtype=np.uint8)
    for step in range(30):
        watch.saw(
            np.clip(picture.astype(int) + dice.normal(0, 9, picture.shape), 0, 255).astype(np.uint8),
            step / 10,
        )
    assert watch.reason(2.9) == "ok"
    for step in range(30, 55):
        watch.saw(picture, step / 10)
    assert watch.reason(5.4) == "frozen"
    watch.saw(np.zeros_like(picture), 6.0)
    assert watch.reason(6.0) == "black"
    assert watch.reason(8.0) == "stalled"


def made_model(path: Path, metadata: dict[str, str]) -> Path:
    """A net whose outputs are constants: one peak of class 1 in row 10, column 20."""
    cls = np.full((1, 2, 48, 80), -9.0, np.float32)
    cls[0, 1, 10, 20] = 3.0
    reg = np.zeros((1, 6, 48, 80), np.float32)
    reg[0, :, 10, 20] = np.array([1.0, 0.5, 1.0, 0.5, 0.25, 0.5])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 384, 640])
    radar = helper.make_tensor_value_info("radar", TensorProto.FLOAT, [1, 2, 96, 160])
    outputs = [
        helper.make_tensor_value_info("cls", TensorProto.FLOAT, [1, 2, 48, 80]),
        helper.make_tensor_value_info("reg", TensorProto.FLOAT, [1, 6, 48, 80]),
    ]
    constants = [onnx.numpy_helper.from_array(cls, "c"), onnx.numpy_helper.from_array(reg, "r")]
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mi"], keepdims=0),
        helper.make_node("ReduceMean", ["radar"], ["mr"], keepdims=0),
        helper.make_node("Add", ["mi", "mr"], ["m"]),
        helper.make_node("Sub", ["m", "m"], ["zero"]),
        helper.make_node("Add", ["c", "zero"], ["cls"]),
        helper.make_node("Add", ["r", "zero"], ["reg"]),
    ]
    graph = helper.make_graph(nodes, "g", [image, radar], outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))
    return path


HEAD = {"head": "rsu_centre_point", "classes": "car,pedestrian", "stride": "8", "scale": "32"}


def test_our_head_is_decoded_to_the_pixel(tmp_path: Path) -> None:
    detector = CentrePointDetector(made_model(tmp_path / "m.onnx", HEAD))
    (found,) = detector.detect(np.zeros((768, 1280, 3), np.uint8), None, 0.3)
    assert found.kind is UserClass.PEDESTRIAN
    assert found.score == pytest.approx(1 / (1 + math.exp(-3)))
    assert found.box == pytest.approx((2 * (164 - 32), 2 * (84 - 16), 2 * (164 + 32), 2 * (84 + 16)))
    assert found.ground == pytest.approx((2 * (164 + 8), 2 * (84 + 16)))
    assert detector.provider == "CPUExecutionProvider"


def test_simulation_weights_are_refused_unless_the_site_allows_them(tmp_path: Path) -> None:
    path = made_model(tmp_path / "m.onnx", {**HEAD, "use": "simulation_only"})
    with pytest.raises(ModelRefused, match="rendered pictures"):
        CentrePointDetector(path)
    CentrePointDetector(path, ["simulation_only"])


def test_our_head_without_metadata_is_known_by_its_tensors_but_not_its_classes(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="2 classes without names"):
        CentrePointDetector(made_model(tmp_path / "m.onnx", {}))
