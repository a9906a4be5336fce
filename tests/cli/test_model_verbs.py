"""`rsu model check` and `rsu model list`: what a file is, in words and as an object; exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from tests.perception.made_nets import image, net

RUN = CliRunner()
SHIPPED = str(Path(__file__).parents[2] / "models" / "detector" / "detector.onnx")


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    """A YOLOv8 look-alike that sees one car."""
    table = np.full((1, 84, 8400), 0.001, np.float32)
    table[0, :4, 3], table[0, 4 + 2, 3] = (320, 320, 100, 60), 0.9
    return net(tmp_path / "net.onnx", {"output0": table}, image())


@pytest.fixture
def street(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.zeros((720, 1280, 3), np.uint8))
    return path


def test_the_object_holds_everything_that_a_site_would_rely_on(
    dense: Path, street: Path, tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn.png"
    done = RUN.invoke(
        app, ["model", "check", str(dense), "--image", str(street), "--out", str(drawn), "--json"]
    )
    assert done.exit_code == Exit.OK, done.output
    told = json.loads(done.stdout)
    assert told["head"] == "ultralytics"
    assert told["recognised_by"] == "one output of 4 + 80 rows, 8400 cells"
    assert told["input"] == {
        "width": 640,
        "height": 640,
        "resize": "letterbox_centred",
        "colour": "rgb",
        "mean": [0, 0, 0],
        "std": [255, 255, 255],
        "pad": 114,
    }
    assert told["classes"]["in_file"] == 80
    assert set(told["classes"]["used"].values()) == {
        "pedestrian",
        "bicycle",
        "car",
        "motorcycle",
        "bus",
        "truck",
    }
    assert told["providers"]["nodes"] == {"CPUExecutionProvider": 1.0}
    assert told["speed_ms"].keys() == {"pre", "inference", "post", "runs"}
    assert all(value > 0 for value in told["speed_ms"].values())
    assert told["licence"] is None
    assert told["warnings"] == ["no licence is stated: production needs `licence` in model.toml"]
    assert told["detections"] == [
        {"kind": "car", "score": 0.9, "box": [540.0, 300.0, 740.0, 420.0], "grounded": False}
    ]
    picture = cv2.imread(str(drawn))
    assert picture[300, 600].any()  # the upper edge of the box
    assert not picture[350, 600].any()


def test_for_people_every_matter_has_a_line(dense: Path) -> None:
    done = RUN.invoke(app, ["model", "check", str(dense)])
    assert done.exit_code == Exit.OK
    for words in (
        "head ",
        "input ",
        "outputs ",
        "classes ",
        "74 others are dropped",
        "runs on ",
        "median of 30",
    ):
        assert words in done.stdout
    assert "found" not in done.stdout


def test_the_shipped_model_is_marked_and_not_refused_here() -> None:
    done = RUN.invoke(app, ["model", "check", SHIPPED, "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == Exit.OK
    assert (told["use"], told["licence"], told["head"]) == (
        "simulation_only",
        "Apache-2.0",
        "rsu_centre_point",
    )
    assert told["classes"]["used"]["tricycle"] == "tricycle"


def test_a_file_that_would_be_refused_is_status_4_with_the_reason(tmp_path: Path) -> None:
    path = net(tmp_path / "m.onnx", {"logits": np.zeros((1, 1000), np.float32)}, image())
    done = RUN.invoke(app, ["model", "check", str(path), "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["reason"]) == (Exit.CHECK_FAILED, "refused")
    assert "logits [1, 1000] float32" in told["error"]


def test_a_wrong_sidecar_is_status_3_and_one_may_be_named(dense: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("colour = 1\n")
    done = RUN.invoke(app, ["model", "check", str(dense), "--sidecar", str(wrong), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (Exit.INVALID, "sidecar")
    wrong.write_text('licence = "MIT"\nhead = "ultralytics"\n')
    told = json.loads(
        RUN.invoke(app, ["model", "check", str(dense), "--sidecar", str(wrong), "--json"]).stdout
    )
    assert (told["licence"], told["warnings"], told["recognised_by"]) == ("MIT", [], "model.toml")


def test_a_provider_that_is_wanted_and_not_there_is_refused(dense: Path) -> None:
    done = RUN.invoke(app, ["model", "check", str(dense), "--provider", "CUDAExecutionProvider"])
    assert done.exit_code == Exit.CHECK_FAILED
    assert "CUDAExecutionProvider is not used" in done.stderr


@pytest.mark.parametrize(
    ("more", "status", "reason"),
    [
        (["--out", "x.png"], Exit.USAGE, "usage"),
        (["--image", "none.png"], Exit.FAILED, "picture"),
        (["--image", "STREET", "--out", "/none/such/x.png"], Exit.FAILED, "picture"),
        (["--image", "STREET", "--out", "x.nonsense"], Exit.FAILED, "picture"),
    ],
)
def test_pictures_that_cannot_be_read_or_written_end_with_words(
    more: list[str], status: Exit, reason: str, dense: Path, street: Path
) -> None:
    words = [str(street) if word == "STREET" else word for word in more]
    done = RUN.invoke(app, ["model", "check", str(dense), *words, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (status, reason)


def test_a_file_that_is_not_there_is_status_1(tmp_path: Path) -> None:
    done = RUN.invoke(app, ["model", "check", str(tmp_path / "none.onnx"), "--json"])
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (Exit.FAILED, "missing")


def test_the_shipped_models_are_listed_with_the_line_of_their_card() -> None:
    rows = json.loads(RUN.invoke(app, ["model", "list", "--json"]).stdout)["models"]
    files = [row["model"] for row in rows if row["model"].startswith("models/detector/")]
    assert files == ["models/detector/detector.int8.onnx", "models/detector/detector.onnx"]
    words = RUN.invoke(app, ["model", "list"]).stdout
    for row in (row for row in rows if row["model"] in files):
        assert row["use"] == "simulation_only"
        assert "simulation only" in row["card"]
        assert row["model"] in words
    assert "simulation_only" in words
    assert onnx.load(SHIPPED).metadata_props  # what is listed is what is shipped
