"""The driver against the rig's own reading of the facts: a virtual ARS408 and MR76 before the session."""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any

import pytest

from drivers.ars40x.session import Session
from drivers.ars40x.settings import Settings
from hil.devices.ars_front import ArsFront
from rsu_agent.ports.can_line import CanFrame
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.world.road_user import UserClass
from tests.hil.radar_road import fitting, moved, user

STEP_S = 0.002
# before a radar at the origin that looks along y: x is to the right
CAR = user(-6.0, 20.0, 0.0, 5.0, "car", 1)
TRUCK = user(8.0, 90.0, 0.0, -8.0, "truck", 2)


def together(
    front: ArsFront, seconds: float, users: list[dict[str, Any]], **keys: Any
) -> tuple[list[RadarFrame], Session]:
    """Both in step; what is measured is stamped by the bus's own instants."""
    session = Session(Settings(**keys), 0.0, Counter())
    found: list[RadarFrame] = []
    for step in range(round(seconds / STEP_S)):
        now_s = step * STEP_S
        for data in front.due(now_s, moved(users, now_s)):
            frame = CanFrame(struct.unpack(">H", data[:2])[0], data[2:], now_s)
            found += session.receive(frame)
        found += session.tick(now_s)
        for frame_id, data in session.next_frames(now_s):
            front.hear(struct.pack(">H", frame_id) + data, now_s)
    return found, session


def near(found: list[RadarFrame], of: dict[str, Any]) -> list[tuple[RadarFrame, Any]]:
    """Targets where this user was when it was measured, by the frame's own instant."""
    hits = []
    for frame in found:
        (there,) = moved([of], frame.measured_s)
        for target in frame.targets:
            off = abs(target.x_forward_m - there["y"]), abs(-target.y_left_m - there["x"])
            if off[0] < 2.5 and off[1] < 2.0:
                hits.append((frame, target))
    return hits


@pytest.mark.parametrize("dialect", ["ars40x", "nanoradar"])
def test_users_are_found_where_they_drive_on_their_side_and_with_their_speed(dialect: str) -> None:
    options = {"dialect": "nano"} if dialect == "nanoradar" else {}
    found, session = together(
        ArsFront(fitting(**options)), 6.0, [CAR, TRUCK], dialect=dialect, model="mr76", sensor_id=0
    )
    for of, kind, least in ((CAR, UserClass.CAR, 40), (TRUCK, UserClass.TRUCK, 40)):
        hits = near(found, of)
        assert len(hits) >= least
        speeds = sorted(target.vx_forward_mps for _, target in hits)
        assert speeds[len(speeds) // 2] == pytest.approx(of["vy"], abs=0.3)
        kinds = Counter(target.kind for _, target in hits).most_common(1)[0][0]
        assert kinds is (kind if dialect == "ars40x" else UserClass.CAR)  # an MR76 knows vehicles only
        if dialect == "ars40x":
            lengths = Counter(target.length_m for _, target in hits).most_common(1)[0][0]
            assert lengths == pytest.approx(of["l"], abs=0.2)
    assert session.counters["cycles"] == pytest.approx(6.0 / 0.0725, abs=3)
    assert sum(session.counters[name] for name in ("incomplete", "missed", "late", "bad_length")) == 0


def test_a_car_that_drives_on_keeps_one_epoch_nearly_all_the_time() -> None:
    found, _ = together(ArsFront(fitting()), 8.0, [CAR], sensor_id=0)
    kept = Counter((target.target, target.epoch) for _, target in near(found, CAR))
    assert kept.most_common(1)[0][1] > 0.8 * kept.total()


def test_clusters_are_points_around_the_users_with_their_doppler() -> None:
    found, session = together(ArsFront(fitting(output="2")), 3.0, [CAR], sensor_id=0)
    dopplers = []
    for frame in found:
        (there,) = moved([CAR], frame.measured_s)
        for point in frame.points:
            if abs(point.x_forward_m - there["y"]) < 3 and abs(-point.y_left_m - there["x"]) < 2:
                dopplers.append(point.doppler_mps)
    assert len(dopplers) > 20
    away = 5.0 * 27.5 / (27.5**2 + 36.0) ** 0.5  # its speed along the ray half-way
    assert sorted(dopplers)[len(dopplers) // 2] == pytest.approx(away, abs=0.4)
    assert session.counters["incomplete"] == 0


@pytest.mark.parametrize("sensor", [0, 7])
@pytest.mark.parametrize("store", [False, True])
def test_a_silenced_radar_is_found_woken_and_set_and_keeps_it_only_if_asked(sensor: int, store: bool) -> None:
    front = ArsFront(fitting(output="3", sensor=str(sensor)))
    wanted = {"output": "objects", "quality": False, "max_distance_m": 120, "store": store}
    found, session = together(front, 7.0, [CAR], wanted=wanted)
    assert (front.config.output, front.config.quality, front.config.max_distance) == (1, 0, 120)
    assert (front.config.sensor, front.config.relay) == (sensor, 0)
    assert (front.stored.output, front.stored.max_distance) == ((1, 120) if store else (3, 200))
    assert session.counters["stores"] == store
    assert session.words == ()
    assert len(found) > 40
    assert all(target.exists is None for frame in found[5:] for target in frame.targets)


@pytest.mark.parametrize("dialect", ["ars40x", "nanoradar"])
def test_a_radar_that_is_told_that_it_stands_says_that_it_hears_it(dialect: str) -> None:
    options = {"dialect": "nano"} if dialect == "nanoradar" else {}
    told, untold = (
        together(ArsFront(fitting(**options)), 4.0, [], dialect=dialect, sensor_id=0, still=still)[1]
        for still in (True, False)
    )
    assert told.state is not None
    assert untold.state is not None
    assert (told.state.motion, untold.state.motion) == (0, 3)
    assert told.words == ()


def test_interference_in_the_air_is_a_word() -> None:
    kit = fitting()
    kit.faults.weather.interference = True
    _, session = together(ArsFront(kit), 3.0, [], sensor_id=0)
    assert session.words == ("interference",)
