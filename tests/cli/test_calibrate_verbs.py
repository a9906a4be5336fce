"""`rsu calibrate camera`, `radar`, `tracks` as they are typed: what is told, drawn, written and refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import typer
from speaking import one_object, rsu

from hil.survey import VIEW, write
from rsu_agent.cli.calibrate_subject import still_of
from rsu_agent.cli.exits import Exit
from rsu_agent.perception.still import FILL
from rsu_agent.ports.assets import asset
from rsu_agent.ports.declare import Declared
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings import model as settings_model
from rsu_agent.settings.read import read_site
from tests.perception.test_calibrate_radar import recorded


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A surveyed crossing, painted once."""
    folder = tmp_path_factory.mktemp("survey")
    write(folder)
    return folder


@pytest.fixture
def survey(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "survey"))


def camera(folder: Path, *more: str | Path, points: str = "points.csv") -> Any:
    given = [
        "--points",
        folder / points,
        "--intrinsics",
        folder / "lens.yaml",
        "--site",
        folder / "site.yaml",
    ]
    return rsu("calibrate", "camera", "south-west", *given, *more)


def test_a_pose_is_found_told_and_not_written_unless_asked(survey: Path) -> None:
    before = (survey / "site.yaml").read_bytes()
    done = camera(survey)
    assert done.returncode == Exit.OK, done
    assert "residuals" in done.stdout
    assert "90   m" in done.stdout
    assert "pose.yaw_deg: 43.0 -> 4" in done.stdout
    assert "nothing is written" in done.stdout
    assert (survey / "site.yaml").read_bytes() == before


def test_written_it_is_what_the_agent_reads_and_comments_stay(survey: Path) -> None:
    lines = (survey / "site.yaml").read_text().splitlines()
    told = one_object(camera(survey, "--write", "--json"))
    assert (told["accepted"], told["written"], told["bad"]) == (True, True, [])
    section = read_site(survey / "site.yaml").settings.cameras[0]
    assert (section.pose.x_east_m, section.pose.y_north_m) == pytest.approx((VIEW.x, VIEW.y), abs=0.15)
    assert section.pose.yaw_deg == pytest.approx(VIEW.yaw_deg, abs=0.1)
    assert section.lens.focal_px is None
    assert section.lens.distortion[0] == -0.17
    after = (survey / "site.yaml").read_text().splitlines()
    assert len(after) == len(lines)
    assert sum(a != b for a, b in zip(lines, after, strict=True)) == 2, "the lines of pose and lens"
    assert next(line for line in after if "pose:" in line).endswith("# by eye")
    again = one_object(camera(survey, "--write", "--json"))
    assert again["changes"] == {}


def test_the_overlay_is_drawn_where_the_still_has_its_lines(survey: Path) -> None:
    out = survey / "check.png"
    told = one_object(camera(survey, "--still", survey / "still.png", "--out", out, "--json"))
    assert told["picture"] == str(out)
    still, picture = (cv2.imread(str(path)) for path in (survey / "still.png", out))
    assert picture.shape == still.shape
    stop = np.all(picture == (60, 60, 255), axis=2) & ~np.all(still == (60, 60, 255), axis=2)
    road = cv2.cvtColor(still, cv2.COLOR_BGR2GRAY).astype(float)
    assert stop.sum() > 300
    assert road[stop].mean() > road[600:].mean() + 40, "stop lines are drawn on white paint"


def test_a_bad_point_is_named_in_words_and_in_json(survey: Path) -> None:
    text = (survey / "points.csv").read_text().splitlines()
    name, *cells = text[5].split(",")
    text[5] = ",".join([name, *cells[:3], str(float(cells[3]) + 60), cells[4]])
    (survey / "points.csv").write_text("\n".join(text) + "\n")
    assert one_object(camera(survey, "--json"))["bad"] == [name]
    line = next(line for line in camera(survey).stdout.splitlines() if line.startswith(name))
    assert line.endswith("does not fit: not used")


def test_what_is_refused_says_what_to_do_and_writes_nothing(survey: Path) -> None:
    before = (survey / "site.yaml").read_bytes()
    rows = (survey / "points.csv").read_text().splitlines()
    (survey / "few.csv").write_text("\n".join(rows[:5]) + "\n")
    done = camera(survey, "--write", points="few.csv")
    assert done.returncode == Exit.CHECK_FAILED
    assert "do: survey and click more" in done.stderr
    told = one_object(camera(survey, "--write", "--json", points="few.csv"))
    assert (told["accepted"], told["reason"], told["written"]) == (False, "four_points", False)
    assert (survey / "site.yaml").read_bytes() == before


def test_an_existing_calibration_is_taken_over_with_its_pose(survey: Path) -> None:
    rotation = VIEW.axes()
    shift = -rotation @ np.array([VIEW.x, VIEW.y, VIEW.height_m])
    more = f"R: {rotation.tolist()}\nt: {shift.tolist()}\n"
    (survey / "whole.yaml").write_text((survey / "lens.yaml").read_text() + more)
    site = ["--site", survey / "site.yaml"]
    told = one_object(
        rsu("calibrate", "camera", "south-west", "--intrinsics", survey / "whole.yaml", *site, "--json")
    )
    assert told["pose"]["yaw_deg"] == pytest.approx(VIEW.yaw_deg)
    bare = rsu("calibrate", "camera", "south-west", "--intrinsics", survey / "lens.yaml", *site, "--json")
    assert (bare.returncode, json.loads(bare.stdout)["reason"]) == (Exit.USAGE, "points")


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["north", "--points", "points.csv"], Exit.USAGE, "camera"),
        (["south-west"], Exit.USAGE, "points"),
        (["south-west", "--points", "none.csv"], Exit.FAILED, "table"),
        (["south-west", "--points", "site.yaml"], Exit.INVALID, "table"),
        (
            ["south-west", "--points", "points.csv", "--intrinsics", "points.csv"],
            Exit.CHECK_FAILED,
            "intrinsics",
        ),
    ],
)
def test_a_wrong_word_is_told(survey: Path, arguments: list[str], code: Exit, reason: str) -> None:
    given = [survey / each if "." in each else each for each in arguments]
    done = rsu("calibrate", "camera", *given, "--site", survey / "site.yaml", "--json")
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (code, reason)
    assert "Traceback" not in done.stderr


@pytest.fixture
def watched(survey: Path) -> Path:
    """A minute of tracks as `rsu calibrate tracks` writes them."""
    camera_looks, radar_looks = recorded()
    rows = [
        {"sensor": "south-west", "at_s": look.at_s, "points": look.places.tolist()} for look in camera_looks
    ]
    rows += [
        {
            "sensor": "radar-south-west",
            "at_s": each.at_s,
            "points": np.column_stack([each.places, each.extra]).tolist(),
        }
        for each in radar_looks
    ]
    (survey / "seen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"sensor": "torn')
    text = (survey / "site.yaml").read_text()
    (survey / "site.yaml").write_text(
        text.replace("height_m: 6.0, yaw_deg: 45.0", "height_m: 6.0, yaw_deg: 41.5")
    )
    return survey


def radar(folder: Path, *more: str | Path) -> Any:
    given = ["--from-tracks", folder / "seen.jsonl", "--site", folder / "site.yaml"]
    return rsu("calibrate", "radar", "radar-south-west", *given, *more)


def test_a_radar_is_aligned_from_what_both_saw(watched: Path) -> None:
    words = radar(watched)
    assert words.returncode == Exit.OK, words
    assert "pose.yaw_deg: 41.5 -> 4" in words.stdout
    assert "nothing is written" in words.stdout
    told = one_object(radar(watched, "--write", "--json"))
    assert told["written"] is True
    pose = read_site(watched / "site.yaml").settings.radars[0].pose
    assert pose.yaw_deg == pytest.approx(45.0, abs=0.5)
    assert pose.height_m == 6.0


def test_tracks_that_do_not_suffice_are_refused_and_nothing_is_written(watched: Path) -> None:
    lines = (watched / "seen.jsonl").read_text().splitlines(keepends=True)
    before = (watched / "site.yaml").read_bytes()
    (watched / "seen.jsonl").write_text("".join(lines[:30]))
    done = radar(watched, "--json")
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (Exit.INVALID, "tracks")
    short = [
        line
        for line in lines
        if float(line.split('"at_s": ')[-1].split(",")[0] if "at_s" in line else 0) < 1004
    ]
    (watched / "seen.jsonl").write_text("".join(short))
    done = radar(watched, "--write", "--json")
    assert (done.returncode, json.loads(done.stdout)["reason"]) == (Exit.CHECK_FAILED, "little_movement")
    (watched / "seen.jsonl").write_text("no tracks\n")
    done = radar(watched)
    assert done.returncode == Exit.INVALID
    assert "line 1" in done.stderr
    assert (watched / "site.yaml").read_bytes() == before


def camera_that(gives: list[Any]) -> Plugin:
    """A driver whose camera gives these pictures and is lost then."""

    @asynccontextmanager
    async def opened(_settings: Any, _clock: Any) -> AsyncIterator[AsyncIterator[Frame]]:
        async def frames() -> AsyncIterator[Frame]:
            for number, image in enumerate(gives):
                yield Frame(number, number * 0.4, number * 0.4, image)
            raise DeviceLost("refused", "nobody is there", "switch it on")

        yield frames()

    return Plugin("mjpeg_http", Kind.CAMERA, Declared, opened)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((384, 640, 3), ""),
        ((100, 200, 3), "gives 200x100 px, but its lens says 640x384 px"),
        (None, "nobody is there"),
    ],
)
def test_without_a_still_one_is_taken_of_the_camera(
    shape: tuple[int, ...] | None,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = read_site(asset("config/virtual.yaml"))
    section = site.settings.cameras[0]
    images = [] if shape is None else [np.full(shape, 7, np.uint8)] * 40
    monkeypatch.setattr(settings_model, "plugins", lambda: {"mjpeg_http": camera_that(images)})
    if not words:
        still = still_of(None, section, site, as_json=False)
        assert set(np.unique(still)) <= {7, FILL}
        return
    with pytest.raises(typer.Exit) as ended:
        still_of(None, section, site, as_json=True)
    assert ended.value.exit_code == Exit.FAILED
    assert words in json.loads(capsys.readouterr().out)["error"]


def test_watching_devices_that_are_not_there_says_so_and_fails(survey: Path) -> None:
    out = survey / "nothing.jsonl"
    done = rsu("calibrate", "tracks", "--out", out, "--for", "10", "--site", survey / "site.yaml", "--json")
    sensors = json.loads(done.stdout)["sensors"]
    assert done.returncode == Exit.FAILED
    assert sensors["radar-south-west"]["trouble"].startswith("missing: ")
    assert "nothing was seen" in done.stderr
    assert out.read_text() == ""
