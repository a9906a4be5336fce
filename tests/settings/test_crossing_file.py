"""Crossing files: every sort of broken GeoJSON is refused with its reasons, and nothing else ever happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import LARGEST_CROSSING_BYTES, CrossingInvalid, read_crossing

VIRTUAL = asset("config/crossings/virtual.geojson")
Change = Callable[[dict[str, Any]], object]


def document() -> dict[str, Any]:
    return json.loads(VIRTUAL.read_text())


def first(whole: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(f for f in whole["features"] if f["properties"]["kind"] == kind)


def reasons(tmp_path: Path, text: str | bytes) -> list[str]:
    """Why a file of this text is refused; none when it is not."""
    path = tmp_path / "c.geojson"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        read_crossing(path)
    except CrossingInvalid as invalid:
        found = invalid.reasons
    else:
        return []
    assert found
    assert all(reason.startswith("c.geojson") for reason in found)
    return found


def reasons_after(tmp_path: Path, change: Change) -> list[str]:
    whole = document()
    change(whole)
    return reasons(tmp_path, json.dumps(whole))


def test_the_virtual_crossing_is_read_whole() -> None:
    crossing = read_crossing(VIRTUAL)
    assert [arm.arm for arm in crossing.arms] == ["N", "E", "S", "W"]
    assert len(crossing.conflict_area) >= 3
    assert {lane.arm for lane in crossing.lanes} == {"N", "E", "S", "W"}
    assert len({head.group for head in crossing.heads}) == 24


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b"{}",
        b"\xff\xfe\x00",
        b"{",
        b"[" * 100_000,
        b'{"crossing": {}}',
        b'{"crossing": 5, "features": []}',
        b'"crossing features"',
    ],
)
def test_what_is_no_crossing_file_is_refused_with_a_reason(text: bytes, tmp_path: Path) -> None:
    assert reasons(tmp_path, text)


def test_a_file_that_would_fill_memory_is_refused_unread(tmp_path: Path) -> None:
    (reason,) = reasons(tmp_path, b" " * (LARGEST_CROSSING_BYTES + 1))
    assert "larger than" in reason


@pytest.mark.parametrize("features", [None, {}, 7, "a"])
def test_features_must_be_a_list(features: Any, tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda whole: whole.update(features=features))
    assert found == ["c.geojson: features must be a list"]


@pytest.mark.parametrize("feature", [None, 7, [], {}, {"properties": None}, {"properties": {"kind": []}}])
def test_a_feature_that_is_none_is_named_by_its_number(feature: Any, tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda whole: whole["features"].append(feature))
    assert len(found) == 1
    assert found[0].startswith(f"c.geojson: feature {len(document()['features'])}: ")


def test_a_misspelt_kind_is_told_with_what_was_meant(tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda w: first(w, "lane")["properties"].update(kind="lnae"))
    assert any("no such kind 'lnae'; did you mean lane?" in reason for reason in found)


@pytest.mark.parametrize(
    ("kind", "geometry", "said"),
    [
        ("lane", {"type": "Point", "coordinates": [114.34, 22.69]}, "lane must be a LineString, not Point"),
        ("lane", {"type": "LineString", "coordinates": []}, "needs 2 different points"),
        ("lane", {"type": "LineString", "coordinates": [[114.34, 22.69]] * 3}, "needs 2 different points"),
        ("lane", {"type": "LineString", "coordinates": [[114.34], [22.69]]}, "not enough values"),
        ("lane", {"type": "LineString", "coordinates": [["a", "b"], [1, 2]]}, "could not convert"),
        ("lane", {"type": "LineString", "coordinates": [[None, 1], [1, 2]]}, "float()"),
        ("lane", {"type": "LineString", "coordinates": [[22.69, 114.34], [22.7, 114.35]]}, "[longitude, lat"),
        (
            "lane",
            {"type": "LineString", "coordinates": [[float("nan"), 22.69], [114, 22]]},
            "[longitude, lat",
        ),
        (
            "lane",
            {"type": "LineString", "coordinates": [[float("inf"), 22.69], [114, 22]]},
            "[longitude, lat",
        ),
        ("lane", {"type": "LineString", "coordinates": [[10**400, 22.69], [114, 22]]}, "too large"),
        ("lane", {"type": "LineString"}, "coordinates is missing"),
        ("lane", {"coordinates": [[114.34, 22.69]]}, "type is missing"),
        ("lane", None, "feature"),
        ("conflict_area", {"type": "Polygon", "coordinates": []}, "index out of range"),
        ("conflict_area", {"type": "Polygon", "coordinates": [[[114.34, 22.69]] * 4]}, "3 different points"),
        ("arm", {"type": "MultiPoint", "coordinates": [[114.34, 22.69]]}, "arm must be a Point"),
        ("signal_head", {"type": "Point", "coordinates": [115.34, 22.69]}, "lies more than 2000 m"),
    ],
)
def test_a_broken_geometry_is_told(kind: str, geometry: Any, said: str, tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda whole: first(whole, kind).update(geometry=geometry))
    assert any(said in reason for reason in found), found


@pytest.mark.parametrize(
    ("kind", "key", "value", "said"),
    [
        ("lane", "lane", 0, "greater than or equal to 1"),
        ("lane", "lane", 255, "less than or equal to 254"),
        ("lane", "role", "inn", "role"),
        ("lane", "use", "boat", "use"),
        ("lane", "width_m", 0.1, "greater than 0.5"),
        ("lane", "width_m", float("nan"), "finite"),
        ("lane", "speed_limit_kmh", -50, "greater than 0"),
        ("lane", "arm", "X", "names arm X, which is not given"),
        ("crosswalk", "arm", "X", "names arm X, which is not given"),
        ("crosswalk", "axis", [[114.34, 22.69]], "at least 2"),
        ("connection", "turn", "up", "turn"),
        ("connection", "to_lane", 99, "names a lane that is not given"),
        ("connection", "from_lane", 5, "from an entry lane to an exit lane"),
        ("waiting_area", "lane", 99, "waiting area names lane 99"),
        ("arm", "upstream_node", 70000, "less than or equal to 65535"),
        ("arm", "bearing_deg", "north", "valid number"),
    ],
)
def test_a_wrong_property_is_told(kind: str, key: str, value: Any, said: str, tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda whole: first(whole, kind)["properties"].update({key: value}))
    assert any(said in reason for reason in found), found


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("node", 70000),
        ("node", "twelve"),
        ("reference", {"lat": 91, "lon": 0}),
        ("reference", {"lat": float("nan"), "lon": 0}),
        ("datum", "wgs84"),
        ("datum", "gcj02@2000.0"),
        ("survey_source", ""),
        ("accuracy_m", 0),
    ],
)
def test_a_wrong_head_is_told_with_its_key(key: str, value: Any, tmp_path: Path) -> None:
    (reason,) = reasons_after(tmp_path, lambda whole: whole["crossing"].update({key: value}))
    assert key in reason


@pytest.mark.parametrize("kind", ["arm", "lane", "crosswalk", "connection"])
def test_what_is_given_twice_is_told(kind: str, tmp_path: Path) -> None:
    found = reasons_after(tmp_path, lambda whole: whole["features"].append(first(whole, kind)))
    assert len(found) == 1
    assert f"{kind} " in found[0]
    assert found[0].endswith("is given twice")


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_conflict_area_is_needed(count: int, tmp_path: Path) -> None:
    def change(whole: dict[str, Any]) -> None:
        area = first(whole, "conflict_area")
        whole["features"].remove(area)
        whole["features"] += [area] * count

    assert reasons_after(tmp_path, change) == ["c.geojson: exactly one conflict_area is needed"]


def test_every_reason_is_told_at_once(tmp_path: Path) -> None:
    def change(whole: dict[str, Any]) -> None:
        first(whole, "lane")["properties"]["width_m"] = -1
        first(whole, "crosswalk")["properties"]["arm"] = "X"
        first(whole, "arm")["geometry"]["type"] = "Polygon"

    found = reasons_after(tmp_path, change)
    assert sum("width_m" in r for r in found) == 1
    assert sum("names arm X" in r for r in found) == 1
    assert sum("arm must be a Point" in r for r in found) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
TREE = document()


def places_in(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(deeper for step, inner in steps for deeper in places_in(inner, (*path, step)))]


PLACES = [place for place in places_in(TREE) if place]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_is_read_or_refused_with_reasons(
    place: tuple[Any, ...], value: Any, tmp_path: Path
) -> None:
    whole = document()
    node: Any = whole
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = value
    reasons(tmp_path, json.dumps(whole))  # read, or refused: anything else is raised here
