"""Whatever numbers a net gives, what leaves is finite, inside the picture and of a class of ours."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.heads.picture import Placement
from rsu_agent.perception.heads.suppress import strongest, suppress
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, INT64, image, net

Arrays = dict[str, np.ndarray[Any, Any]]
OURS = {"head": "rsu_centre_point", "classes": "car,pedestrian"}
WIDE, HIGH = 96, 64
CELLS = 126  # 12 8 + 6 4 + 3 2


def low(*shape: int) -> np.ndarray[Any, Any]:
    return np.full((1, *shape), 0.01, np.float32)


def distributions() -> Arrays:
    made = {f"c{n}": low(n, 80) for n in (96, 24, 6)}
    return made | {f"d{n}": low(n, 32) for n in (96, 24, 6)}


PICTURE = image(WIDE, HIGH)
MADE: dict[str, tuple[Arrays, dict[str, Any], dict[str, str]]] = {
    "rt_detr": (
        {"labels": np.zeros((1, 9), np.int64), "boxes": low(9, 4), "scores": low(9)},
        PICTURE | {"orig_target_sizes": (INT64, [1, 2])},
        {},
    ),
    "ultralytics": ({"o": low(84, CELLS)}, PICTURE, {}),
    "ultralytics_end_to_end": ({"o": low(300, 6)}, PICTURE, {}),
    "yolox": ({"o": low(CELLS, 85)}, PICTURE, {}),
    "yolov5": ({"o": low(3 * CELLS, 85)}, PICTURE, {}),
    "nanodet": (distributions(), PICTURE, {}),
    "picodet": (distributions() | {"c2": low(2, 80), "d2": low(2, 32)}, PICTURE, {}),
    "nanodet_plus": ({"o": low(CELLS + 2, 112)}, PICTURE, {}),
    "fastestdet": ({"o": low(85, 4, 6)}, PICTURE, {}),
    "rsu_centre_point": (
        {"cls": low(2, 8, 12), "reg": low(6, 8, 12)},
        {"image": (FLOAT, [1, 3, HIGH, WIDE]), "radar": (FLOAT, [1, 2, 16, 24])},
        OURS,
    ),
}


@pytest.fixture(scope="module")
def detector_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Detector]:
    """A detector of a family, made once."""
    folder, kept = tmp_path_factory.mktemp("families"), {}

    def give(name: str) -> Detector:
        if name not in kept:
            kept[name] = Detector(net(folder / f"{name}.onnx", *MADE[name]))
        return kept[name]

    return give


@pytest.mark.parametrize("name", MADE)
def test_every_family_is_recognised_without_configuration(
    name: str, detector_of: Callable[[str], Detector]
) -> None:
    assert detector_of(name).family.name == name


def hostile(shape: tuple[int, ...], kind: str, seed: int, spread: float) -> np.ndarray[Any, Any]:
    """Random numbers with the worst ones strewn in."""
    dice = np.random.default_rng(seed)
    if kind in "iu":
        return dice.integers(-(2**62), 2**62, shape) if spread > 1 else dice.integers(-3, 90, shape)
    with np.errstate(over="ignore"):
        value = dice.normal(0.5, spread, shape).astype(np.float32)
    for bad in (np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0):
        value[dice.random(shape) < 0.03] = bad
    return value


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([0.2, 1.0, 30.0, 1e9, 1e38]),
    threshold=st.floats(0.05, 0.95),
    wide=st.integers(1, 2000),
    high=st.integers(1, 2000),
)
def test_random_outputs_never_crash_and_never_leave_as_what_is_no_box(
    name: str,
    detector_of: Callable[[str], Detector],
    seed: int,
    spread: float,
    threshold: float,
    wide: int,
    high: int,
) -> None:
    detector = detector_of(name)
    made = [hostile(v.shape, v.dtype.kind, seed + n, spread) for n, v in enumerate(MADE[name][0].values())]
    placement = Placement((WIDE / wide, HIGH / high), (0.0, 0.0))
    found = detector.finish(made, placement, (wide, high), threshold)
    assert len(found) <= 300
    for item in found:
        assert item.kind in set(detector.classes.values())
        assert item.score > threshold
        assert all(map(math.isfinite, (*item.box, *item.ground, item.score)))
        assert item.box[0] < item.box[2]
        assert item.box[1] < item.box[3]
        if name != "rsu_centre_point":
            assert 0 <= item.box[0] < item.box[2] <= wide
            assert 0 <= item.box[1] < item.box[3] <= high
            assert item.ground == pytest.approx(((item.box[0] + item.box[2]) / 2, item.box[3]))


@pytest.mark.parametrize("name", MADE)
def test_outputs_that_are_no_numbers_at_all_give_nothing(
    name: str, detector_of: Callable[[str], Detector]
) -> None:
    detector = detector_of(name)
    made = [np.full_like(v, np.nan) if v.dtype.kind == "f" else v for v in MADE[name][0].values()]
    assert detector.finish(made, Placement((1.0, 1.0), (0.0, 0.0)), (WIDE, HIGH), 0.3) == []


def test_a_net_without_one_finite_number_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    made = np.full((1, 84, CELLS), np.nan, np.float32)
    with pytest.raises(ModelRefused, match="no finite number"):
        Detector(net(tmp_path / "m.onnx", {"o": made}, PICTURE))


def test_infinite_boxes_are_counted(tmp_path: Path) -> None:
    made = low(84, CELLS)
    made[0, 2, 3], made[0, 4, 3] = np.inf, 0.9
    detector = Detector(net(tmp_path / "m.onnx", {"o": made}, PICTURE))
    assert detector.detect(np.zeros((HIGH, WIDE, 3), np.uint8), None, 0.3) == []
    assert detector.dropped["no_box"] == 1


@pytest.mark.parametrize("junk", [b"", b"\x00" * 64, b"not a model", b"\x08\x08\x12\x04"])
def test_what_is_no_model_is_refused(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(junk)
    with pytest.raises(ModelRefused, match="cannot be loaded"):
        Detector(path)


def test_nets_that_find_no_road_users_are_refused(tmp_path: Path) -> None:
    for name, made in (("classes", low(1000)), ("depth", low(1, HIGH, WIDE)), ("pose", low(56, CELLS))):
        with pytest.raises(ModelRefused, match=r"no known head|without names"):
            Detector(net(tmp_path / f"{name}.onnx", {name: made}, PICTURE))


boxes = st.lists(
    st.tuples(st.floats(-50, 90), st.floats(-50, 90), st.floats(1, 40), st.floats(1, 40), st.integers(0, 2)),
    max_size=40,
)


@given(boxes=boxes)
def test_suppression_is_the_greedy_one_class_by_class(boxes: list[tuple[float, ...]]) -> None:
    table = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in boxes]).reshape(-1, 4)
    groups = np.array([g for *_, g in boxes], int)
    shared = [[overlap(a, b) for b in table] for a in table]
    assume(all(abs(each - 0.6) > 1e-4 for row in shared for each in row))  # on the border either is right
    kept: list[int] = []
    for n in range(len(table)):
        if all(groups[n] != groups[m] or shared[n][m] < 0.6 for m in kept):
            kept.append(n)
    scores = np.linspace(0.9, 0.1, len(table))
    assert suppress(table, scores, groups).tolist() == kept


def overlap(a: Any, b: Any) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, wide) * max(0.0, high)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_two_classes_that_are_one_of_ours_compete_and_others_do_not(tmp_path: Path) -> None:
    made = low(4 + 3, CELLS)
    for n, (kind, score) in enumerate(((0, 0.9), (1, 0.8), (2, 0.7))):
        made[0, :4, n], made[0, 4 + kind, n] = (32, 32, 20, 20), score
    path = net(tmp_path / "m.onnx", {"o": made}, PICTURE)
    (tmp_path / "m.toml").write_text('[classes]\n0 = "car"\n1 = "car"\n2 = "truck"\n')
    found = Detector(path).detect(np.zeros((HIGH, WIDE, 3), np.uint8), None, 0.3)
    assert [item.kind for item in found] == [UserClass.CAR, UserClass.TRUCK]


def test_only_the_strongest_three_hundred_are_looked_at() -> None:
    scores = np.linspace(0, 1, 1000)
    assert strongest(scores).tolist() == list(range(999, 699, -1))
