"""What the learnt association is trained on, and that weights, manifest, card and default agree."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from hil.bench.fusion.config import read
from hil.bench.fusion.measurements import measure
from hil.bench.fusion.ours import track
from hil.bench.fusion.sensors import NOBODY
from hil.bench.fusion.truth import Step, Truth
from hil.world.sumo import KINDS
from models.association import Recorder, owners, whom_of
from rsu_agent.perception.pair_features import FEATURES
from rsu_agent.settings.sections import PerceptionSection
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.place import GeoPoint

FOLDER = Path(__file__).parents[2] / "models" / "association"
CROSSING = Crossing(
    1, 0, "", GeoPoint(0, 0), "", "", "", 0.1, arms=(), lanes=(), crosswalks=(), waiting_areas=(), heads=(),
    conflict_area=((-12.0, -12.0), (12.0, -12.0), (12.0, 12.0), (-12.0, 12.0)),
)  # fmt: skip
CONFIG = replace(read(), steps=40)


def step(number: int) -> Step:
    """Two cars, ids 7 and 9, northward in two lanes."""
    places = np.array([(2.0, -20.0 + number), (6.0, 15.0 + number)])
    return Step(
        np.array([7, 9]), np.full(2, KINDS.index("car")), places, np.tile([0.0, 10.0], (2, 1)), np.zeros(2),
        np.tile([4.5, 1.8, 1.5], (2, 1)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Truth:
    return Truth(tuple(step(number) for number in range(CONFIG.steps)), CROSSING, Path("made.npz"))


@pytest.fixture(scope="module")
def manifest() -> dict[str, object]:
    return json.loads((FOLDER / "manifest.json").read_text())


def test_every_measurement_says_whom_it_shows_and_false_ones_say_nobody(world: Truth) -> None:
    measured = measure(CONFIG, world, 101, night=False)
    assert set(measured.user.tolist()) == {7, 9, NOBODY}
    camera = (measured.kind == 0) & (measured.user != NOBODY)
    number = np.round((measured.t[camera] - 1000.0) / CONFIG.step_s).astype(int)
    true = np.array(
        [
            world.steps[n].xy[0 if one == 7 else 1]
            for n, one in zip(number, measured.user[camera], strict=True)
        ]
    )
    assert np.hypot(*(measured.xy[camera] - true).T).max() < 3.0
    only = measured.only((0,))
    assert len(only.user) == len(only.t)


def test_a_track_is_of_the_nearest_user_and_of_several_the_one_with_most_hits() -> None:
    places = np.array([(2.0, -19.0), (2.5, -20.0), (6.0, 17.6), (6.0, 14.0)])
    assert owners(places, np.array([9.0, 2.0, 5.0, 1.0]), step(0)).tolist() == [7, NOBODY, NOBODY, 9]
    assert owners(places, np.array([2.0, 9.0, 5.0, 1.0]), step(0)).tolist() == [NOBODY, 7, NOBODY, 9]
    assert owners(np.zeros((0, 2)), np.zeros(0), step(0)).tolist() == []


def test_the_recorder_changes_nothing_and_labels_pairs_by_the_truth(world: Truth) -> None:
    measured = measure(CONFIG, world, 101, night=False)
    recorder = Recorder(CONFIG, world, measured)
    beside, plain = (track(CONFIG, CROSSING, measured, associate=each) for each in (recorder, None))
    assert np.array_equal(beside.result.xy, plain.result.xy)
    found = recorder.examples()
    assert found.features.shape == (len(found.same), len(FEATURES))
    distance = found.features[:, FEATURES.index("distance")]
    assert 0.5 < found.same.mean() < 1.0
    assert np.median(distance[found.same == 1]) < np.median(distance[found.same == 0])
    shown = sum(int((rows != NOBODY).sum()) for rows in whom_of(CONFIG, measured).values())
    assert found.same.sum() <= shown  # no detection is of two tracks


def test_the_weights_are_those_that_the_manifest_describes(manifest: dict[str, object]) -> None:
    data = (FOLDER / "association.onnx").read_bytes()
    assert hashlib.sha256(data).hexdigest() == manifest["sha256"]
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    described = session.get_modelmeta().custom_metadata_map
    for name in ("head", "features", "trained_on", "licence"):
        assert described[name] == manifest[name]
    assert manifest["features"] == ",".join(FEATURES)


def test_no_seed_of_the_benchmark_was_trained_on(manifest: dict[str, object]) -> None:
    told = manifest["trained_with"]
    assert isinstance(told, dict)
    seeds = {*told["days"], *told["nights"], *told["unseen"]}
    assert len(seeds) == len(told["days"]) + len(told["nights"]) + len(told["unseen"])
    assert min(seeds) > 100


def test_the_default_is_the_one_that_the_card_measured_as_the_better(manifest: dict[str, object]) -> None:
    card = (FOLDER / "CARD.md").read_text()
    assert "trained on simulated detections only" in card
    assert f"{manifest['parameters']:,}" in card
    assert str(manifest["sha256"])[:16] in card  # the figures are of these weights
    means = {
        name: [float(each) for each in re.findall(r"\d+\.\d+", row)]
        for name, row in re.findall(r"^\| (gate|learnt), days [^|]+, mean \|(.*)$", card, re.MULTILINE)
    }
    gospa = {name: figures[3] for name, figures in means.items()}  # after MOTA, IDF1 and HOTA
    assert set(gospa) == {"gate", "learnt"}
    assert PerceptionSection().association == min(gospa, key=gospa.__getitem__)
