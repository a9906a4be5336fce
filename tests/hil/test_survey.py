"""The surveyed virtual crossing: a lens that bends, marks painted where they are told, files that fit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hil.bench import calibration as bench
from hil.survey import MANHOLES, VIEW, bent, chosen, main, marks, pixels, still, table, unbent
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.ports.assets import asset
from rsu_agent.settings.points_file import read_points
from rsu_agent.settings.read import read_site

CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))


def test_bending_is_taken_back_over_the_whole_picture() -> None:
    u, v = np.meshgrid(np.linspace(0, VIEW.width, 30), np.linspace(0, VIEW.height, 20))
    slopes = (np.column_stack([u.ravel(), v.ravel()]) - [VIEW.width / 2, VIEW.height / 2]) / VIEW.focal_px
    assert bent(unbent(slopes)) == pytest.approx(slopes, abs=1e-6)


def test_a_lens_that_bends_draws_the_rim_inward() -> None:
    wide = np.array([[0.6, 0.0], [0.0, 0.35]])
    assert (np.hypot(*bent(wide).T) < np.hypot(*wide.T)).all()


def test_manholes_are_painted_where_the_table_says() -> None:
    grey = cv2.cvtColor(still(CROSSING), cv2.COLOR_BGR2GRAY).astype(float)
    for name, place in MANHOLES.items():
        u, v = pixels(np.array([[*place, 0.0]]))[0][0]
        at = grey[round(v) - 1 : round(v) + 2, round(u) - 2 : round(u) + 3].mean()
        beside = np.median(grey[round(v) - 30 : round(v) + 30, round(u) - 60 : round(u) + 60])
        assert at < beside - 25, name


def test_marks_are_in_the_picture_and_the_chosen_ones_far_apart() -> None:
    every = marks(CROSSING)
    spots, depth = pixels(np.array([(*place, 0.0) for place in every.values()]))
    assert len(every) > 25
    assert (depth > 0).all()
    assert (spots > 0).all()
    assert (spots < [VIEW.width, VIEW.height]).all()
    picked = chosen(CROSSING, 12)
    assert len(picked) == 12
    some = pixels(np.array([(*place, 0.0) for place in picked.values()]))[0]
    apart = np.hypot(*(some[:, None] - some[None]).transpose(2, 0, 1)) + np.eye(12) * 1e6
    assert apart.min() > 60


def test_the_table_is_what_a_survey_gives(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(table(CROSSING, 10, 3, 1.0, 0.02, clicks=True))
    origin = read_site(asset("config/virtual.yaml")).crossing.origin
    points, true = read_points(path, origin), chosen(CROSSING, 10)
    assert {point.name for point in points} == set(true)
    for point in points:
        assert (point.east_m, point.north_m) == pytest.approx(true[point.name], abs=0.1)
        assert point.click == pytest.approx(pixels(np.array([[*true[point.name], 0.0]]))[0][0], abs=5.0)
    path.write_text(table(CROSSING, 10, 3, 1.0, 0.02, clicks=False))
    assert all(point.click is None for point in read_points(path, origin))


def test_the_verb_writes_a_site_that_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["hil.survey", str(tmp_path), "--points", "8", "--unclicked"])
    main()
    site = read_site(tmp_path / "site.yaml")
    camera = site.settings.cameras[0]
    assert (camera.lens.width_px, camera.lens.height_px) == (VIEW.width, VIEW.height)
    assert camera.heads == []
    assert len(read_points(tmp_path / "points.csv", site.crossing.origin)) == 8
    assert cv2.imread(str(tmp_path / "still.png")).shape == (VIEW.height, VIEW.width, 3)


def test_the_benchmark_gives_a_row_a_layout_with_its_ratios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TRIALS", 25)
    monkeypatch.setattr(bench, "WHOLE", 3)
    told = bench.calibration(1)
    assert set(bench.ROWS) == {key.removeprefix("points_") for key in told if key.startswith("points_")}
    for name, (_, _, table_m) in bench.ROWS.items():
        row = told[f"points_{name}"]
        assert row["table_m"] == list(table_m)
        assert len(row["ratio"]) == len(row["median_m"]) == len(row["within_sd"]) == 4
        assert all(0 <= share <= 1 for share in row["within_sd"])
        assert row["median_m"] == sorted(row["median_m"]) or name == "10_far"
    assert 0.5 < told["ratio"] < 2.0
