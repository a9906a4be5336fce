"""Places: a lane taken to pieces and a polygon in its box answer as the plain rules do."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.hazards.places import Area, LaneLine, Places, inside
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.world.crossing import Crossing, Lane, LaneRole, LaneUse, Points

coordinates = st.floats(-60, 60).map(lambda v: round(v, 3))
places = st.tuples(coordinates, coordinates)


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return read_crossing(asset("config/crossings/virtual.geojson"))


def lane(points: Points, width: float = 3.0) -> Lane:
    return Lane(1, "N", LaneRole.ENTRY, LaneUse.MOTOR, width, 10.0, points)


def distance(points: Points, x: float, y: float) -> float:
    """From a point to a line whose pieces are only asked beside them."""
    best = math.inf
    for (x0, y0), (x1, y1) in pairwise(points):
        length = math.dist((x0, y0), (x1, y1))
        dx, dy = (x1 - x0) / length, (y1 - y0) / length
        along = (x - x0) * dx + (y - y0) * dy
        if 0.0 <= along <= length:
            best = min(best, abs((x - x0) * dy - (y - y0) * dx))
    return best


@given(st.lists(places, min_size=2, max_size=6, unique=True), places, st.floats(0, 2))
def test_a_point_is_on_a_lane_when_it_is_beside_a_piece_of_it(points: list, at: tuple, margin: float) -> None:
    if any(math.dist(a, b) < 0.01 for a, b in pairwise(points)):
        return
    line = tuple(points)
    off = distance(line, *at)
    if abs(off - (1.5 + margin)) < 1e-6:
        return
    found = LaneLine(lane(line)).place(*at, margin)
    assert (found is not None) == (off <= 1.5 + margin)
    if found is not None:
        assert abs(found.right_m) == pytest.approx(off, abs=1e-6)
        assert math.dist((found.x_east_m, found.y_north_m), at) == pytest.approx(off, abs=1e-6)
        assert 0.0 <= found.along_m <= found.length_m + 1e-9


@given(st.lists(places, min_size=3, max_size=7, unique=True), places)
def test_an_area_holds_what_lies_inside_its_polygon(points: list, at: tuple) -> None:
    assert Area(tuple(points)).holds(*at) == inside(tuple(points), *at)


def test_the_middle_of_every_motor_lane_is_on_that_lane(crossing: Crossing) -> None:
    asked = Places(crossing)
    for one in crossing.lanes:
        if one.use is LaneUse.MOTOR:
            (x0, y0), (x1, y1) = one.points[0], one.points[1]
            found = asked.lane_at((x0 + x1) / 2, (y0 + y1) / 2)
            assert found is not None
            assert found.lane.lane == one.lane
            assert found.right_m == pytest.approx(0.0, abs=1e-6)


def test_the_box_and_the_walks_are_where_they_were_drawn(crossing: Crossing) -> None:
    asked = Places(crossing)
    assert asked.in_box(0.0, 0.0)
    assert not asked.in_box(50.0, 50.0)
    for walk in crossing.crosswalks:
        (x0, y0), (x1, y1) = walk.axis
        assert asked.walk_at((x0 + x1) / 2, (y0 + y1) / 2) == walk
    assert asked.walk_at(0.0, 0.0) is None
