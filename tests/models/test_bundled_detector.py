"""The committed weights are those of the manifest, the card says what they are, and they still find users."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnxruntime
import pytest

from models.decode import Found
from models.evaluate import Class, evaluate, overlap
from models.scenes import CLASSES

DETECTOR = Path(__file__).parents[2] / "models" / "detector"


@pytest.fixture(scope="module")
def manifest() -> dict[str, object]:
    return json.loads((DETECTOR / "manifest.json").read_text())


def test_the_weights_are_those_that_the_manifest_describes(manifest: dict[str, object]) -> None:
    data = (DETECTOR / "detector.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest["sha256"]
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert {i.name: i.shape for i in session.get_inputs()} == manifest["inputs"]
    assert {o.name: o.shape for o in session.get_outputs()} == manifest["outputs"]


def test_weights_manifest_and_card_say_that_it_is_for_simulation_only(manifest: dict[str, object]) -> None:
    session = onnxruntime.InferenceSession(DETECTOR / "detector.onnx", providers=["CPUExecutionProvider"])
    described = session.get_modelmeta().custom_metadata_map
    assert described["use"] == manifest["use"] == "simulation_only"
    assert described["classes"] == manifest["classes"] == ",".join(CLASSES)
    card = (DETECTOR / "CARD.md").read_text()
    assert "simulation only" in card
    assert f"{manifest['parameters']:,}" in card


def test_on_scenes_of_a_seed_that_training_did_not_use_it_finds_most_users() -> None:
    figures = evaluate(DETECTOR / "detector.onnx", scenes=24, seed=900777)
    assert figures["camera.all"]["map50"] > 0.65
    assert figures["camera.all"]["ground_median_m"] < 0.6
    assert sum(figures["camera.all"]["labels"].values()) > 100


def test_average_precision_of_all_right_is_one_and_of_nothing_found_is_zero() -> None:
    assert Class([(0.9, True), (0.8, True)], wanted=2).average_precision() == 1.0
    assert Class([], wanted=2).average_precision() == 0.0
    assert Class([(0.9, False)], wanted=0).average_precision() is None


def test_a_wrong_detection_that_is_stronger_costs_precision_and_a_weaker_one_does_not() -> None:
    assert Class([(0.9, False), (0.8, True)], wanted=1).average_precision() == pytest.approx(0.5)
    assert Class([(0.9, True), (0.8, False)], wanted=1).average_precision() == 1.0


def test_overlap_is_that_of_the_boxes_areas() -> None:
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1.0
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0.0
    found = Found(0, 0.5, (0.0, 0.0, 4.0, 4.0), (2.0, 4.0))
    assert overlap(found.box, (0, 0, 4, 2)) == 0.5


def test_the_eight_bit_weights_are_those_of_their_manifest_and_find_nearly_as_much() -> None:
    described = json.loads((DETECTOR / "manifest.int8.json").read_text())
    path = DETECTOR / described["file"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == described["sha256"]
    whole, small = (evaluate(each, 24, 910_001) for each in (DETECTOR / "detector.onnx", path))
    assert small["camera.all"]["map50"] > whole["camera.all"]["map50"] - 0.06
    assert path.stat().st_size < 0.3 * (DETECTOR / "detector.onnx").stat().st_size
