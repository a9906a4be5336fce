"""`rsu map` as it is typed: check, build, show, import, export, and what each says when it cannot."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from speaking import one_object, rsu

from rsu_agent.cli.exits import Exit
from rsu_agent.ports.assets import asset
from tests.settings import maps

SITE = asset("config/virtual.yaml")
CROSSING = asset("config/crossings/virtual.geojson")


def broken(folder: Path) -> Path:
    """The virtual crossing with one lane's points reversed."""
    document = json.loads(CROSSING.read_text())
    lane = next(f for f in document["features"] if f["properties"].get("lane") == 2)
    lane["geometry"]["coordinates"].reverse()
    (folder / "broken.geojson").write_text(json.dumps(document))
    return folder / "broken.geojson"


def test_a_good_site_passes_with_hints(tmp_path: Path) -> None:
    told = one_object(rsu("map", "check", SITE, "--json"))
    assert (told["error"], told["gap"]) == (0, 0)
    assert {finding["rule"] for finding in told["findings"]} == {"test-id", "region", "datum"}
    bare = rsu("map", "check", CROSSING)
    assert bare.returncode == Exit.OK
    assert "phases are not checked" in bare.stderr


def test_a_broken_crossing_fails_with_feature_and_coordinate(tmp_path: Path) -> None:
    done = rsu("map", "check", broken(tmp_path), "--json")
    assert done.returncode == Exit.CHECK_FAILED
    found = [f for f in json.loads(done.stdout)["findings"] if f["rule"] == "direction"]
    assert [f["feature"] for f in found] == ["lane 2 (entry, motor, arm N)"]
    assert found[0]["lat"] == pytest.approx(22.6902, abs=1e-4)
    words = rsu("map", "check", broken(tmp_path))
    assert "error direction (geometry): lane 2" in words.stdout


def test_deflected_coordinates_are_refused_by_the_poles_gnss_mean() -> None:
    done = rsu("map", "check", SITE, "--gnss", "22.6873,114.3449", "--pole", "22.69,114.34")
    assert done.returncode == Exit.CHECK_FAILED
    assert "GCJ-02" in done.stdout
    assert rsu("map", "check", SITE, "--gnss", "22.69,114.34").returncode == Exit.USAGE
    assert rsu("map", "check", SITE, "--gnss", "north", "--pole", "22.69,114.34").returncode == Exit.USAGE


def test_the_map_is_built_in_every_set_and_read_back(tmp_path: Path) -> None:
    rows = one_object(rsu("map", "build", SITE, "--out", tmp_path / "out", "--json"))["frames"]
    assert [row["set"] for row in rows] == ["csae53-2020", "etsi", "j2735"]
    for row, name in zip(rows, ("MAP", "MAPEM", "MAP"), strict=True):
        assert Path(row["file"]).read_bytes().hex() == row["hex"]
        assert one_object(rsu("decode", "--json", "--file", row["file"]))["message"] == name
    only = one_object(rsu("map", "build", CROSSING, "--json"))["frames"]
    assert [row["set"] for row in only] == ["etsi", "j2735"]
    assert rsu("map", "build", CROSSING, "--set", "csae53").returncode == Exit.USAGE
    assert rsu("map", "build", SITE, "--set", "morse").returncode == Exit.USAGE


def test_the_picture_is_svg_with_every_lane_and_marks_what_is_wrong(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.svg", tmp_path / "bad.svg"
    assert rsu("map", "show", SITE, "--out", good).returncode == Exit.OK
    told = one_object(rsu("map", "show", broken(tmp_path), "--out", bad, "--json"))
    titles = [e.text or "" for e in ElementTree.parse(good).iter("{http://www.w3.org/2000/svg}title")]
    assert sum(title.startswith("lane ") for title in titles) == 29
    assert sum("crosswalk" in title for title in titles) == 4
    marks = ElementTree.parse(bad).findall(".//{http://www.w3.org/2000/svg}circle")
    assert len(marks) == told["marked"] > 0


def test_a_map_of_others_becomes_a_crossing_that_can_be_looked_at(tmp_path: Path) -> None:
    out = tmp_path / "drafted.geojson"
    osm = maps.four_arms(tmp_path / "a.osm")
    done = rsu("map", "import", osm, "--at", f"{maps.LAT},{maps.LON}", "--out", out)
    assert done.returncode == Exit.OK
    assert "counted, not known" in done.stdout
    assert one_object(rsu("map", "check", out, "--json"))["error"] == 0
    net = maps.sumo(tmp_path / "a.net.xml")
    told = one_object(
        rsu("map", "import", net, "--junction", "J", "--at", "22.69,114.34", "--out", out, "--json")
    )
    assert told["crossing"] == str(out)
    assert rsu("map", "show", out, "--out", tmp_path / "x.svg").returncode == Exit.OK


def test_an_import_that_cannot_be_says_what_is_missing(tmp_path: Path) -> None:
    out, net = tmp_path / "o.geojson", maps.sumo(tmp_path / "a.net.xml")
    osm = maps.four_arms(tmp_path / "a.osm")
    for arguments, words in (
        ((net,), "--junction ID"),
        ((osm,), "--at LAT,LON"),
        ((SITE,), "what is it?"),
        ((net, "--junction", "X"), "no junction 'X'"),
        ((tmp_path / "gone.osm", "--at", "1,2"), "No such file"),
    ):
        done = rsu("map", "import", *arguments, "--out", out)
        assert done.returncode in (Exit.USAGE, Exit.FAILED)
        assert words in done.stderr
    assert not out.exists()


def test_what_is_exported_is_what_a_vehicle_hears_or_kml(tmp_path: Path) -> None:
    heard = json.loads(rsu("map", "export", SITE, "--set", "csae53").stdout)
    lanes = {f["properties"]["lane"]: f["geometry"]["coordinates"] for f in heard["features"]}
    assert len(lanes) == 21
    lane = next(f for f in json.loads(CROSSING.read_text())["features"] if f["properties"].get("lane") == 1)
    assert lanes[1][0] == pytest.approx(lane["geometry"]["coordinates"][0], abs=2e-7)
    assert rsu("map", "export", SITE, "--to", "kml", "--out", tmp_path / "x.kml").returncode == Exit.OK
    names = [
        e.text or ""
        for e in ElementTree.parse(tmp_path / "x.kml").iter("{http://www.opengis.net/kml/2.2}name")
    ]
    assert "lane 1 (entry, motor, arm N)" in names
    assert rsu("map", "export", SITE, "--to", "dxf").returncode == Exit.USAGE
