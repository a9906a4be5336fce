"""The nouns: frozen, comparable, in SI; places that turn and come back."""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
import re
import typing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rsu_agent import world
from rsu_agent.world.place import (
    ECCENTRICITY2,
    SEMI_MAJOR_M,
    GeoPoint,
    LocalFrame,
    heading_deg,
    turn_deg,
)
from rsu_agent.world.road_user import MOTOR, NON_MOTOR, UserClass
from rsu_agent.world.signal import GO, Colour

MODULES = [importlib.import_module(f"rsu_agent.world.{m.name}") for m in pkgutil.iter_modules(world.__path__)]
NOUNS = [
    item
    for module in MODULES
    for item in vars(module).values()
    if isinstance(item, type) and dataclasses.is_dataclass(item) and item.__module__ == module.__name__
]
METRES = st.floats(-500.0, 500.0)
LATITUDES = st.floats(-60.0, 60.0)


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_a_noun_is_frozen_and_carries_no_list_that_could_change(noun: type) -> None:
    assert noun.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert hasattr(noun, "__slots__")
    for name, hint in typing.get_type_hints(noun).items():
        assert not re.search(r"\b(list|dict|set|bytearray)\b", str(hint)), f"{noun.__name__}.{name}"


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_measured_field_tells_its_unit(noun: type) -> None:
    units = ("_s", "_ms", "_m", "_mps", "_mps2", "_deg", "_ppm")
    plain = {"confidence", "seconds"}  # a probability; a word that is its own unit
    for name, hint in typing.get_type_hints(noun).items():
        if hint in (float, float | None):
            assert name.endswith(units) or name in plain, f"{noun.__name__}.{name} has no unit"


@given(LATITUDES, st.floats(-179.0, 179.0), METRES, METRES)
def test_a_place_turned_into_degrees_comes_back_within_a_micrometre(
    lat: float, lon: float, x: float, y: float
) -> None:
    frame = LocalFrame(GeoPoint(lat, lon))
    assert frame.to_local(frame.to_geo(x, y)) == pytest.approx((x, y), abs=1e-6)


def ecef(point: GeoPoint) -> tuple[float, float, float]:
    """Earth-centred coordinates on the ellipsoid: the reference reading."""
    lat, lon = math.radians(point.lat_deg), math.radians(point.lon_deg)
    n = SEMI_MAJOR_M / math.sqrt(1 - ECCENTRICITY2 * math.sin(lat) ** 2)
    return (
        n * math.cos(lat) * math.cos(lon),
        n * math.cos(lat) * math.sin(lon),
        n * (1 - ECCENTRICITY2) * math.sin(lat),
    )


@given(st.floats(18.0, 45.0), METRES, METRES)
def test_the_tangent_plane_agrees_with_the_ellipsoid_within_a_few_centimetres(
    lat: float, x: float, y: float
) -> None:
    origin = GeoPoint(lat, 114.34)
    far = LocalFrame(origin).to_geo(x, y)
    a, b = ecef(origin), ecef(far)
    d = [q - p for p, q in zip(a, b, strict=True)]
    phi, lam = math.radians(lat), math.radians(114.34)
    east = -math.sin(lam) * d[0] + math.cos(lam) * d[1]
    north = (
        -math.sin(phi) * math.cos(lam) * d[0] - math.sin(phi) * math.sin(lam) * d[1] + math.cos(phi) * d[2]
    )
    assert (east, north) == pytest.approx((x, y), abs=0.05)


@pytest.mark.parametrize(
    ("vector", "heading"), [((0, 1), 0), ((1, 0), 90), ((0, -1), 180), ((-1, 0), 270), ((1, 1), 45)]
)
def test_headings_count_clockwise_from_north(vector: tuple[int, int], heading: float) -> None:
    assert heading_deg(*vector) == pytest.approx(heading)


@given(st.floats(0.0, 359.99), st.floats(-180.0, 180.0))
def test_a_turn_is_the_smallest_and_takes_one_heading_to_the_other(start: float, turn: float) -> None:
    found = turn_deg(start, start + turn)
    assert -180.0 < found <= 180.0
    assert math.cos(math.radians(found - turn)) == pytest.approx(1.0)


@given(st.floats(0.01, 100.0), st.floats(0.0, 359.9))
def test_a_vector_of_a_heading_has_that_heading(length: float, heading: float) -> None:
    angle = math.radians(heading)
    found = heading_deg(length * math.sin(angle), length * math.cos(angle))
    assert turn_deg(heading, found) == pytest.approx(0.0, abs=1e-6)


def test_classes_are_told_apart_once_and_only_green_means_go() -> None:
    assert not MOTOR & NON_MOTOR
    assert set(UserClass) - MOTOR - NON_MOTOR == {UserClass.PEDESTRIAN, UserClass.UNKNOWN}
    assert {Colour.GREEN, Colour.GREEN_FLASH} == GO


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@example(-1e-20, 1.0)
def test_a_heading_is_never_360(east: float, north: float) -> None:
    assert 0.0 <= heading_deg(east, north) < 360.0
