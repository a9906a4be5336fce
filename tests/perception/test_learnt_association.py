"""The learnt association costs what its weights give by hand; a file that is not its own is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from rsu_agent.perception.associate import GATE, GATE_WITH_DOPPLER, Costs
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.learnt_association import BUNDLED, LEAST_LOGIT, LearntAssociation, in_gate
from rsu_agent.perception.life import SECOND_GATE, by_gate
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.onnx_file import checksum
from rsu_agent.perception.pair_features import FEATURES, pairs
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.tracks import Tracks
from rsu_agent.ports.assets import asset
from rsu_agent.settings.crossing import read_crossing

SHIPPED = asset(BUNDLED)


def road(seed: int) -> tuple[Tracks, Measured]:
    """Thirty standing tracks on forty metres and a radar's forty detections among them."""
    dice = np.random.default_rng(seed)
    tracks = Tracks(1)
    tracks.motion.at_s = 10.0
    tracks.add(dice.uniform(-20, 20, (30, 2)), np.tile(0.8 * np.eye(2), (30, 1, 1)), 10.0)
    points, spreads = dice.uniform(-20, 20, (40, 2)), np.tile(0.3 * np.eye(2), (40, 1, 1))
    return tracks, Measured("rad", "radar", 10.0, points, spreads, dice.normal(0, 3, 40), np.zeros(2))


def by_hand(features: np.ndarray) -> np.ndarray:
    """Logits by the shipped weights in plain numpy."""
    weights = {each.name: numpy_helper.to_array(each) for each in onnx.load(str(SHIPPED)).graph.initializer}
    x = (features - weights["mean"]) / weights["spread"]
    for layer in (0, 2, 4):
        x = x @ weights[f"layers.{layer}.weight"].T + weights[f"layers.{layer}.bias"]
        x = np.maximum(x, 0.0) if layer < 4 else x
    return x[:, 0]


def pairs_of(costs: Costs) -> list[tuple[int, int]]:
    return list(zip(costs.rows, costs.columns, strict=True))


def copied(folder: Path, **metadata: str) -> Path:
    """The shipped file with other words in it, and a manifest that agrees with the file."""
    model = onnx.load(str(SHIPPED))
    for entry in model.metadata_props:
        entry.value = metadata.get(entry.key, entry.value)
    path = folder / "association.onnx"
    onnx.save(model, str(path))
    (folder / "manifest.json").write_text(json.dumps({"sha256": checksum(path)}))
    return path


@pytest.mark.parametrize("seed", range(5))
def test_costs_are_those_of_the_weights_worked_out_without_the_run_time(seed: int) -> None:
    tracks, measured = road(seed)
    cost = LearntAssociation(SHIPPED)(tracks, measured, None)
    found = pairs(tracks, measured, None)
    logits = by_hand(found.features)
    held = in_gate(found.features) | (logits > LEAST_LOGIT)
    assert held.any()
    assert not held.all()
    assert pairs_of(cost) == list(zip(found.rows[held], found.columns[held], strict=True))
    assert np.allclose(cost.cost, SECOND_GATE - logits[held], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_what_the_classical_gate_holds_is_held_too(seed: int) -> None:
    tracks, measured = road(seed)
    classical, learnt = by_gate(tracks, measured, None), LearntAssociation(SHIPPED)(tracks, measured, None)
    assert len(classical.rows)
    assert set(pairs_of(classical)) <= set(pairs_of(learnt))


def test_the_gate_of_a_pair_with_doppler_is_wider_and_counts_the_doppler() -> None:
    rows = np.zeros((4, len(FEATURES)), np.float32)
    distance, doppler, has = (FEATURES.index(name) for name in ("distance", "doppler", "has_doppler"))
    rows[:, distance] = GATE - 0.1, GATE + 0.1, GATE + 0.1, GATE_WITH_DOPPLER - 1.0
    rows[2:, has] = 1.0
    rows[3, doppler] = 1.1
    assert in_gate(rows).tolist() == [True, False, True, False]


def test_a_detection_on_the_track_costs_less_than_one_beside_it() -> None:
    tracks, measured = road(1)
    here = tracks.motion.combined()[0][:1, :2]
    points = np.vstack([here, here + 1.5])
    beside = Measured("rad", "radar", 10.0, points, measured.covariances[:2], np.zeros(2), np.zeros(2))
    cost = LearntAssociation(SHIPPED)(tracks, beside, None)
    table = cost.table((30, 2))
    assert table[0, 0] < table[0, 1]


def test_without_tracks_or_detections_there_is_no_cost() -> None:
    tracks, measured = road(1)
    nothing = Measured("rad", "radar", 10.0, np.zeros((0, 2)), np.zeros((0, 2, 2)), np.zeros(0), np.zeros(2))
    learnt = LearntAssociation(SHIPPED)
    assert pairs_of(learnt(tracks, nothing, None)) == []
    assert pairs_of(learnt(Tracks(1), measured, None)) == []


def test_the_fusion_follows_a_user_by_it() -> None:
    roadway = Roadway(read_crossing(asset("config/crossings/virtual.geojson")))
    fusion = Fusion({}, {}, roadway, associate=LearntAssociation(SHIPPED))
    for n in range(20):
        point = np.array([[1.6, 40.0 - 0.8 * n]])
        radial = np.array([-8.0 * point[0, 1] / np.hypot(*point[0])])
        fusion.take(Measured("r", "radar", n * 0.1, point, 0.2 * np.eye(2)[None], radial, np.zeros(2)))
        users = fusion.users(n * 0.1)
    assert len(users) == 1
    assert users[0].track == 1
    assert users[0].vy_north_mps == pytest.approx(-8.0, abs=0.3)


@pytest.mark.parametrize(
    ("words", "why"),
    [({"head": "rsu_centre_point"}, "not those of this version"), ({"features": "along"}, "inputs")],
)
def test_a_net_for_other_inputs_is_refused(tmp_path: Path, words: dict[str, str], why: str) -> None:
    with pytest.raises(ModelRefused, match=why):
        LearntAssociation(copied(tmp_path, **words))


def test_a_copy_that_agrees_with_its_manifest_is_taken(tmp_path: Path) -> None:
    assert pairs_of(LearntAssociation(copied(tmp_path))(*road(1), None))


def test_a_file_that_is_not_there_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ModelRefused, match=r"no such file; make it again: python -m models\.train_association"
    ):
        LearntAssociation(tmp_path / "association.onnx")


def test_a_file_that_is_not_of_its_manifest_is_refused(tmp_path: Path) -> None:
    path = copied(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelRefused, match="sha256"):
        LearntAssociation(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 9000, "\xff"])
def test_a_spoilt_manifest_is_refused(tmp_path: Path, text: str) -> None:
    path = copied(tmp_path)
    path.with_name("manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelRefused, match="cannot be read"):
        LearntAssociation(path)


def test_bytes_that_are_no_net_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "association.onnx"
    path.write_bytes(b"not a net")
    (tmp_path / "manifest.json").write_text(json.dumps({"sha256": checksum(path)}))
    with pytest.raises(ModelRefused, match="cannot be loaded"):
        LearntAssociation(path)
