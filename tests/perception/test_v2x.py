"""Vehicles that tell of themselves: who they are, what their word weighs, and what they do when they lie."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.v2x import ALONE_FROM, MATCHES, MOST, Vehicles
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.place import LocalFrame
from rsu_agent.world.road_user import V2X, RoadUser, UserClass

CROSSING = read_crossing(asset("config/crossings/virtual.geojson"))
FRAME, ROADWAY = LocalFrame(CROSSING.origin), Roadway(CROSSING)
(ENTERS_X, ENTERS_Y), (STOP_X, STOP_Y) = CROSSING.lanes[0].points[0], CROSSING.lanes[0].points[-1]
HEADING = math.degrees(math.atan2(STOP_X - ENTERS_X, STOP_Y - ENTERS_Y)) % 360
ALONG = math.sin(math.radians(HEADING)), math.cos(math.radians(HEADING))
X0, Y0 = STOP_X - 35 * ALONG[0], STOP_Y - 35 * ALONG[1]
ME, OTHER = "0102030405060708", "1112131415161718"
SPEED = 5.0


def at(seconds: float, aside: float = 0.0) -> tuple[float, float]:
    """Along a lane at five metres a second, from 35 m before its end; aside to the right."""
    way = SPEED * seconds
    return X0 + ALONG[0] * way + ALONG[1] * aside, Y0 + ALONG[1] * way - ALONG[0] * aside


def word(place: tuple[float, float], name: str = ME, sd_m: float | None = 0.5) -> HeardVehicle:
    return HeardVehicle(
        name, UserClass.CAR, 0.0, FRAME.to_geo(*place), SPEED, HEADING, 4.6, 1.9, position_sd_m=sd_m
    )


def body(place: tuple[float, float], track: int = 7, kind: UserClass = UserClass.CAR) -> RoadUser:
    vx, vy = SPEED * ALONG[0], SPEED * ALONG[1]
    return RoadUser(track, kind, *place, vx, vy, SPEED, HEADING, 4.5, 1.8, 1.5, 0.2, ("cam",), 0.0)


def followed(vehicles: Vehicles, until: int, *, aside: float = 0.0, first: int = 0) -> list[RoadUser]:
    users: list[RoadUser] = []
    for step in range(first, until):
        vehicles.hear(word(at(step / 10, aside)), step / 10)
        users, _ = vehicles.meet([body(at(step / 10))], step / 10)
    return users


def test_a_track_gets_the_id_of_who_lay_on_it_for_some_messages() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    assert followed(vehicles, MATCHES - 1)[0].v2x_id is None
    (user,) = followed(vehicles, MATCHES, first=MATCHES - 1)
    assert (user.v2x_id, user.track, user.sources) == (ME, 7, ("cam",))
    assert (vehicles.matched, vehicles.alone, vehicles.jumps) == (1, 0, 0)


def test_one_message_held_against_the_tracks_often_is_still_one_message() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    vehicles.hear(word(at(0)), 0.0)
    for step in range(8):
        (user,), _ = vehicles.meet([body(at(step / 10))], step / 10)
        assert user.v2x_id is None


def test_no_vehicle_is_a_pedestrian() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    for step in range(6):
        vehicles.hear(word(at(step / 10)), step / 10)
        users, _ = vehicles.meet([body(at(step / 10), kind=UserClass.PEDESTRIAN)], step / 10)
        assert users[0].v2x_id is None


def test_who_moves_otherwise_than_the_track_is_not_it() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    for step in range(6):
        vehicles.hear(word(at(step / 10)), step / 10)
        standing = RoadUser(
            7, UserClass.CAR, *at(step / 10), 0, 0, 0, HEADING, 4.5, 1.8, 1.5, 0.2, ("cam",), 0
        )
        users, _ = vehicles.meet([standing], step / 10)
        assert users[0].v2x_id is None


def test_two_vehicles_are_never_one_track_and_the_nearer_one_is_it() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    for step in range(6):
        vehicles.hear(word(at(step / 10, 1.5), OTHER), step / 10)
        vehicles.hear(word(at(step / 10, 0.3), ME), step / 10)
        users, _ = vehicles.meet([body(at(step / 10))], step / 10)
    assert [user.v2x_id for user in users] == [ME]


def test_who_lies_on_no_track_is_a_user_of_its_own_word_alone() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    vehicles.hear(word(at(0)), 0.0)
    (user,), measured = vehicles.meet([], 0.1)
    assert measured is None
    assert (user.sources, user.v2x_id, user.kind) == ((V2X,), ME, UserClass.CAR)
    assert user.track >= ALONE_FROM
    assert (user.x_east_m, user.y_north_m) == pytest.approx(at(0.1), abs=0.01)
    assert vehicles.meet([], 1.5)[0] == []  # silent


def test_who_is_beside_a_body_of_ours_is_not_told_twice() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    vehicles.hear(word(at(0, 3.0)), 0.0)
    users, _ = vehicles.meet([body(at(0))], 0.0)
    assert [user.sources for user in users] == [("cam",)]


def test_far_off_the_road_nobody_is_believed() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    vehicles.hear(word((4000.0, 0.0)), 0.0)
    assert vehicles.meet([], 0.0)[0] == []


def test_a_jump_off_the_tracked_body_is_an_attack_and_is_not_believed_for_a_minute() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    followed(vehicles, 10)
    users = followed(vehicles, 20, aside=3.0, first=10)
    assert vehicles.jumps == 1
    assert (vehicles.attacker, vehicles.attacked_s) == (ME, 1.0)
    assert [(user.track, user.v2x_id) for user in users] == [(7, None)]
    assert followed(vehicles, 40, first=20)[0].v2x_id is None  # back on the body, all the same
    for step in range(620, 630):
        vehicles.hear(word(at(0)), step / 10)
        users, _ = vehicles.meet([body(at(0))], step / 10)
    assert users[0].v2x_id == ME


def test_who_jumps_while_no_body_of_ours_is_its_own_is_no_attacker_and_not_believed_either() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    for step in range(5):
        vehicles.hear(word(at(step / 10)), step / 10)
        users, _ = vehicles.meet([], step / 10)
    assert [user.v2x_id for user in users] == [ME]
    vehicles.hear(word(at(0.5, 6.0)), 0.5)
    assert vehicles.meet([], 0.5)[0] == []
    assert vehicles.jumps == 0


def test_a_jump_that_ends_on_the_body_is_none() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    followed(vehicles, 10)
    vehicles.hear(word(at(1.0, 5.0)), 1.0)
    vehicles.hear(word(at(1.1)), 1.1)
    users, _ = vehicles.meet([body(at(1.1))], 1.1)
    assert (vehicles.jumps, users[0].v2x_id) == (0, ME)


def test_who_slowly_leaves_its_body_loses_it_and_is_not_told_elsewhere() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    followed(vehicles, 10)
    for step in range(10, 60):
        vehicles.hear(word(at(step / 10, (step - 10) * 0.1)), step / 10)
        users, _ = vehicles.meet([body(at(step / 10))], step / 10)
    assert vehicles.jumps == 0
    assert [(user.track, user.v2x_id) for user in users] == [(7, None)]


def test_a_track_of_ours_that_goes_to_another_body_makes_no_attacker() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    followed(vehicles, 10)
    for step in range(10, 20):
        vehicles.hear(word(at(step / 10)), step / 10)
        vehicles.meet([body(at(step / 10, 6.0))], step / 10)
    assert vehicles.jumps == 0


def test_many_ids_are_held_only_up_to_a_bound() -> None:
    vehicles = Vehicles(FRAME, ROADWAY)
    for number in range(3 * MOST):
        vehicles.hear(word(at(0), f"{number:016x}"), number / 1000)
    assert len(vehicles.meet([], 3 * MOST / 1000)[0]) <= MOST


def camera_word(place: tuple[float, float], at_s: float, sd_m: float = 0.4) -> Measured:
    spread = sd_m**2 * np.eye(2)[None]
    return Measured(
        "cam", "camera", at_s, np.array([place]), spread, classes=(UserClass.CAR,), scores=np.array([0.9])
    )


def fused(own_word_aside: float | None, camera_until: int = 40) -> tuple[Fusion, Vehicles, list[RoadUser]]:
    fusion, vehicles = Fusion({}, {}, ROADWAY), Vehicles(FRAME, ROADWAY)
    users: list[RoadUser] = []
    for step in range(40):
        now_s = step / 10
        if step < camera_until:
            fusion.take(camera_word(at(now_s), now_s))
        if own_word_aside is not None:
            vehicles.hear(word(at(now_s, own_word_aside)), now_s)
        users, measured = vehicles.meet(fusion.users(now_s), now_s)
        if measured is not None:
            fusion.take(measured)
    return fusion, vehicles, users


def test_its_word_moves_a_track_less_than_our_sensors_hold_it() -> None:
    _, _, users = fused(own_word_aside=1.6)
    (user,) = users
    away = (user.x_east_m - at(3.9)[0]) * ALONG[1] - (user.y_north_m - at(3.9)[1]) * ALONG[0]
    assert user.v2x_id == ME
    assert user.sources == ("cam", V2X)
    assert 0.02 < away < 0.5


def test_its_word_keeps_no_track_alive_and_it_goes_on_as_its_own_word() -> None:
    _, _, users = fused(own_word_aside=0.0, camera_until=20)
    (user,) = users
    assert (user.sources, user.v2x_id) == ((V2X,), ME)
    assert user.track >= ALONE_FROM


def test_its_word_begins_no_track() -> None:
    fusion = Fusion({}, {}, ROADWAY)
    for step in range(30):
        place, spread = np.array([at(step / 10)]), 0.25 * np.eye(2)[None]
        fusion.take(Measured(V2X, "v2x", step / 10, place, spread, tracks=(1,)))
    assert fusion.users(3.0) == []
