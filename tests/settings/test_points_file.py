"""The table of surveyed points: every form that a survey comes in, every fault told, clicks written back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.settings.points_file import PointsInvalid, clicked, read_points, write_clicks
from rsu_agent.world.place import GeoPoint, LocalFrame

ORIGIN = GeoPoint(22.69, 114.34)
LOCAL = "name,east_m,north_m,up_m,u_px,v_px\nK1,10.5,-3,0.02,640,360.5\nK2,-4,22,0,,\n"


def told(folder: Path, text: str | bytes) -> Path:
    path = folder / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> str:
    with pytest.raises(PointsInvalid) as caught:
        read_points(told(folder, text), ORIGIN)
    return str(caught.value)


def test_metres_are_taken_as_they_are_and_a_point_may_wait_for_its_click(tmp_path: Path) -> None:
    one, two = read_points(told(tmp_path, LOCAL), ORIGIN)
    assert (one.name, one.east_m, one.north_m, one.up_m, one.click) == (
        "K1",
        10.5,
        -3.0,
        0.02,
        (640.0, 360.5),
    )
    assert two.click is None
    assert [point.name for point in clicked((one, two))] == ["K1"]


def test_degrees_become_metres_in_the_crossings_frame(tmp_path: Path) -> None:
    place = LocalFrame(ORIGIN).to_geo(-31.25, 17.5)
    text = f"point;latitude;longitude;height;u;v\nA;{place.lat_deg:.9f};{place.lon_deg:.9f};31.2;1;2\n"
    (found,) = read_points(told(tmp_path, text), ORIGIN)
    assert (found.east_m, found.north_m) == pytest.approx((-31.25, 17.5), abs=1e-3)
    assert found.up_m == 31.2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_of_an_office_program_in_chinese_is_read(tmp_path: Path, encoding: str) -> None:
    text = "点名\t东\tx\ty\t高程\r\n停止线左端\t\t5\t6\t0\r\n"
    (found,) = read_points(told(tmp_path, text.encode(encoding)), ORIGIN)
    assert (found.name, found.east_m, found.north_m) == ("停止线左端", 5.0, 6.0)


@pytest.mark.parametrize("column", ["lat_gcj02", "bd09_lat"])
def test_deflected_columns_are_refused(tmp_path: Path, column: str) -> None:
    assert "GCJ-02" in faults(tmp_path, f"name,{column},lat,lon\nA,1,22.69,114.34\n")


def test_deflected_coordinates_are_refused_by_their_datum_and_by_where_they_lie(tmp_path: Path) -> None:
    assert "GCJ-02" in faults(tmp_path, "name,lat,lon,datum\nA,22.69,114.34,gcj02\n")
    rows = "".join(f"P{n},{22.6873 + n * 1e-5},{114.3449 + n * 1e-5}\n" for n in range(6))
    assert "looks like GCJ-02" in faults(tmp_path, "name,lat,lon\n" + rows)
    ok = "name,lat,lon,datum\nA,22.6901,114.3401,CGCS2000@2000.0\n"
    assert len(read_points(told(tmp_path, ok), ORIGIN)) == 1


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    said = faults(
        tmp_path, "name,east_m,north_m,u_px,v_px\nA,1,2,3,4\nA,1,2,3,4\n,1,2,3,4\nB,one,2,3,4\nC,1,2,3,\n"
    )
    assert [word in said for word in ("csv:4", "csv:5: B: east_m is 'one'", "csv:6: C: v_px is ''")] == [
        True
    ] * 3
    assert "two points are named A" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("name,u,v\nA,1,2\n", "the first line names the columns"),
        ("name,east_m,north_m\n", "holds no point"),
        ("name,east_m,north_m\nA,1e5,3\n", "100000 m from the crossing"),
        ("name,lat,lon\nA,99,114\n", "in degrees"),
        ("name,east_m,north_m\nA,nan,3\n", "no number"),
        ("name,lat,lon,datum\nA,22.69,114.34,bessel\n", "wgs84, cgcs2000 or itrf"),
        ("name,east_m,north_m\n" + "".join(f"P{n},1,{n % 40}\n" for n in range(201)), "200 are the most"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_used_says_why(tmp_path: Path, text: str, words: str) -> None:
    assert words in faults(tmp_path, text)


def test_clicks_are_written_beside_their_names_and_nothing_else_changes(tmp_path: Path) -> None:
    text = '\ufeffname;note;east_m;north_m;u_px;v_px\r\nK1;"left; far";1;2;5;6\r\n\r\nK2;;3;4\r\n'
    path = told(tmp_path, text)
    write_clicks(path, {"K1": None, "K2": (12.345, 7.0), "K9": (1.0, 2.0)})
    after = path.read_bytes().decode()
    assert (
        after == '\ufeffname;note;east_m;north_m;u_px;v_px\r\nK1;"left; far";1;2;;\r\n\r\nK2;;3;4;12.35;7\r\n'
    )
    assert not list(tmp_path.glob(".*.new"))


def test_a_table_without_columns_for_clicks_gets_them(tmp_path: Path) -> None:
    path = told(tmp_path, "name,east_m,north_m\nA,1,2\nB,3,4\n")
    write_clicks(path, {"B": (8.5, 9.25)})
    assert path.read_text() == "name,east_m,north_m,u_px,v_px\nA,1,2,,\nB,3,4,8.5,9.25\n"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_told_not_to_be(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = told(tmp_path_factory.getbasetemp(), data)
    try:
        points = read_points(path, ORIGIN)
    except PointsInvalid as invalid:
        reasons = invalid.reasons
    else:
        reasons = [point.name for point in points]
    assert reasons
