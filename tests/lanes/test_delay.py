"""The time that nothing holds up: speed, bend, limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.lanes.delay import BRAKES_MPS2, LEAST_TURN_MPS, FreeWay, bend_mps
from rsu_agent.lanes.events import LinePassed
from rsu_agent.world.crossing import Connection, Lane, LaneRole, LaneUse, Points, Turn
from rsu_agent.world.road_user import UserClass

LIMIT_MPS = 50 / 3.6
FROM_M = 40.0
STRAIGHT: Points = ((0.0, 0.0), (0.0, 20.0), (0.5, 40.0))


def bow(radius_m: float, degrees: float) -> Points:
    angles = [math.radians(degrees) * n / 20 for n in range(21)]
    return tuple((radius_m - radius_m * math.cos(a), radius_m * math.sin(a)) for a in angles)


def entry(*paths: Points) -> Lane:
    ways = tuple(Connection(9, Turn.RIGHT, 1, uncontrolled=False, path=path) for path in paths)
    points = ((0.0, -77.0), (0.0, 0.0))
    return Lane(1, "N", LaneRole.ENTRY, LaneUse.MOTOR, 3.5, LIMIT_MPS, points, ways)


def passed(travel_s: float | None, fastest_mps: float) -> LinePassed:
    return LinePassed(1, UserClass.CAR, 1, 100.0, 8.0, True, travel_s, FROM_M, fastest_mps, 0)


@pytest.mark.parametrize(("fastest", "speed"), [(12.0, 12.0), (30.0, LIMIT_MPS), (1.0, 0.8 * LIMIT_MPS)])
def test_straight_on_it_is_the_way_at_the_users_own_speed_within_the_limit(
    fastest: float, speed: float
) -> None:
    assert FreeWay(entry(STRAIGHT)).free_s(fastest, FROM_M) == pytest.approx(FROM_M / speed)


def test_who_turns_slows_down_for_the_bend() -> None:
    way, bend = FreeWay(entry(bow(18.0, 90.0))), 6.0  # 2 m/s2 at a radius of 18 m
    brakes_m = (12.0**2 - bend**2) / (2 * BRAKES_MPS2)
    free_s = (FROM_M - brakes_m) / 12.0 + (12.0 - bend) / BRAKES_MPS2
    assert way.free_s(12.0, FROM_M) == pytest.approx(free_s, abs=0.05)  # the bow is drawn with corners
    slowest = 0.8 * LIMIT_MPS  # nobody wants to drive more slowly
    brakes_m = (slowest**2 - bend**2) / (2 * BRAKES_MPS2)
    assert way.free_s(3.0, FROM_M) == pytest.approx(
        (FROM_M - brakes_m) / slowest + (slowest - bend) / BRAKES_MPS2, abs=0.05
    )


def test_of_several_ways_the_fastest_counts_and_a_tight_one_has_a_floor() -> None:
    assert FreeWay(entry(bow(18.0, 90.0), STRAIGHT)).free_s(12.5, FROM_M) == pytest.approx(3.2)
    turning = Connection(9, Turn.U_TURN, 1, uncontrolled=False, path=bow(1.7, 180.0))
    assert bend_mps(turning) == LEAST_TURN_MPS


def test_a_track_that_began_too_late_has_no_delay() -> None:
    way = FreeWay(entry(STRAIGHT))
    assert way.delay_s(passed(None, 10.0)) is None
    assert way.delay_s(passed(23.2, 12.5)) == pytest.approx(20.0)


@given(st.floats(0.0, 40.0), st.floats(2.0, 60.0), st.floats(25.0, 180.0))
def test_a_bend_never_makes_the_free_way_shorter_or_endless(
    fastest: float, radius: float, degrees: float
) -> None:
    bent, straight = FreeWay(entry(bow(radius, degrees))), FreeWay(entry(STRAIGHT))
    assert (
        straight.free_s(fastest, FROM_M) - 1e-9
        <= bent.free_s(fastest, FROM_M)
        <= 2.5 * FROM_M / LEAST_TURN_MPS
    )
