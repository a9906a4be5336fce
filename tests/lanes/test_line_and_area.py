"""A lane taken to pieces, a polygon in its box, an edge that is crossed: as the plain rules have them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.lanes.area import Area, edge_share, inside
from rsu_agent.lanes.line import LaneLine
from rsu_agent.world.crossing import Lane, LaneRole, LaneUse, Points

coordinates = st.floats(-60, 60).map(lambda v: round(v, 3))
places = st.tuples(coordinates, coordinates)
BENT: Points = ((-30.0, 20.0), (0.0, 20.0), (0.0, 20.0), (0.0, 0.0))
SQUARE: Points = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))


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


@pytest.mark.parametrize(
    ("point", "before_m"),
    [
        ((0.0, 5.0), 5.0),
        ((1.9, 5.0), 5.0),
        ((-10.0, 20.0), 30.0),
        ((0.0, -11.0), -11.0),
        ((-30.0, 21.0), 50.0),
    ],
)
def test_distance_to_the_end_runs_along_a_bent_lane(point: tuple[float, float], before_m: float) -> None:
    place = LaneLine(lane(BENT, 4.0), past_m=12.0).place(*point)
    assert place is not None
    assert place.before_m == pytest.approx(before_m)


@pytest.mark.parametrize("point", [(2.1, 5.0), (-31.0, 20.0), (0.0, -12.1), (-10.0, 17.0), (500.0, 5.0)])
def test_beside_the_lane_before_its_start_and_far_past_its_end_is_nowhere(point: tuple[float, float]) -> None:
    assert LaneLine(lane(BENT, 4.0), past_m=12.0).place(*point) is None


def test_how_far_past_the_end_and_beside_it_is_told_of_any_point() -> None:
    line = LaneLine(lane(BENT))
    assert line.past_end_m(3.0, -7.0) == pytest.approx(7.0)
    assert line.end_aside_m(3.0, -7.0) == pytest.approx(3.0)
    assert line.past_end_m(-3.0, 7.0) == pytest.approx(-7.0)


@given(st.lists(places, min_size=2, max_size=6, unique=True), places)
def test_the_nearest_place_of_a_line_is_nearer_than_any_point_of_it(points: list, at: tuple) -> None:
    if any(math.dist(a, b) < 0.01 for a, b in pairwise(points)):
        return
    along_m, away_m = LaneLine(lane(tuple(points))).nearest(*at)
    marks = [
        (a[0] + (b[0] - a[0]) * n / 50, a[1] + (b[1] - a[1]) * n / 50)
        for a, b in pairwise(points)
        for n in range(51)
    ]
    closest = min(math.dist(mark, at) for mark in marks)
    assert away_m <= closest + 1e-6
    assert away_m >= closest - max(math.dist(a, b) for a, b in pairwise(points)) / 50
    assert 0.0 <= along_m <= sum(math.dist(a, b) for a, b in pairwise(points)) + 1e-6


@given(st.floats(-9, -0.01), st.floats(0.01, 9), st.floats(1, 9))
def test_an_edge_is_found_where_the_way_goes_over_it(start: float, end: float, y: float) -> None:
    share = edge_share(Area(SQUARE).holds, (start, y), (end, y))
    assert start + (end - start) * share == pytest.approx(0.0, abs=0.002)
    assert edge_share(Area(SQUARE).holds, (end, y), (start, y)) == pytest.approx(1.0 - share, abs=0.001)
