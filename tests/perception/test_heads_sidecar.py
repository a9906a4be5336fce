"""model.toml: it overrides what was found out, and complains of every fault at its key."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.heads.families import FAMILIES
from rsu_agent.perception.heads.picture import Preparation
from rsu_agent.perception.heads.sidecar import HeadName, Sidecar, SidecarInvalid, read_sidecar
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass
from tests.perception.made_nets import FLOAT, image, net, picture


def dense(path: Path, classes: int = 3) -> Path:
    """A YOLOv8 look-alike of these classes; class 1 is seen at (320, 320), 40 x 80."""
    table = np.full((1, 4 + classes, 8400), 0.001, np.float32)
    table[0, :4, 5], table[0, 5, 5] = (320, 320, 40, 80), 0.9
    return net(path, {"output0": table}, image())


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "model.toml"
    path.write_text(text)
    return path


def test_every_key_is_read_and_the_file_beside_the_model_is_found(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx")
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    written(
        tmp_path,
        f"""
        head = "ultralytics"
        size = [640, 640]
        colour = "bgr"
        mean = [1.0, 2.0, 3.0]
        std = [4.0, 5.0, 6.0]
        resize = "stretch"
        pad = 0
        sha256 = "{digest.upper()}"
        licence = "MIT"
        [classes]
        1 = "tricycle"
        """,
    )
    detector = Detector(model)
    assert detector.preparation == Preparation("stretch", "bgr", (1, 2, 3), (4, 5, 6), 0)
    assert detector.classes == {1: UserClass.TRICYCLE}
    assert detector.licence == "MIT"
    assert detector.warnings == ()
    (found,) = detector.detect(picture(1280, 320), None, 0.3)
    assert found.kind is UserClass.TRICYCLE
    assert found.box == pytest.approx((600, 140, 680, 180))  # stretched: twice as wide, half as high


def test_a_sidecar_of_the_models_own_name_goes_before_model_toml(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx")
    written(tmp_path, '[classes]\n1 = "car"\n')
    (tmp_path / "mine.toml").write_text('[classes]\n1 = "bus"\n')
    assert Detector(model).classes == {1: UserClass.BUS}
    assert Detector(model, sidecar=tmp_path / "model.toml").classes == {1: UserClass.CAR}


def test_a_checksum_of_another_file_is_refused_with_the_right_one(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx")
    written(tmp_path, f'sha256 = "{"0" * 64}"\n')
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    with pytest.raises(ModelRefused, match=digest):
        Detector(model)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = \n", "line 1"),
        ('color = "rgb"\n', "color: no such key; there are head, size, colour"),
        (
            'resize = "crop"\n',
            "resize: input should be 'stretch', 'letterbox' or 'letterbox_centred', not 'crop'",
        ),
        ("std = [1.0, 0.0, 1.0]\n", "std.1: input should be greater than 0, not 0.0"),
        ("size = [640]\n", "size.1: field required"),
        ("size = [640, 9999]\n", "size.1: input should be less than or equal to 4096, not 9999"),
        ('sha256 = "abc"\n', "sha256: string should match pattern"),
        ('[classes]\n0 = "lorry"\n', "classes.0: input should be 'car', 'truck'"),
        ('head = "detr"\n', "head: input should be"),
        ("mean = [inf, 0.0, 0.0]\n", "mean.0"),
    ],
)
def test_a_fault_names_file_key_and_what_may_stand_there(text: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SidecarInvalid) as invalid:
        read_sidecar(path)
    assert str(path) in str(invalid.value)
    assert words in str(invalid.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SidecarInvalid) as invalid:
        read_sidecar(written(tmp_path, 'colour = "grey"\nnothing = 1\npad = 300\n'))
    assert len(str(invalid.value).splitlines()) == 3


def test_a_file_that_is_not_there_not_text_or_huge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SidecarInvalid, match="cannot be read"):
        read_sidecar(tmp_path / "none.toml")
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SidecarInvalid, match="decode"):
        read_sidecar(binary)
    binary.write_bytes(b"#" * (1 << 19))
    with pytest.raises(SidecarInvalid, match="larger"):
        read_sidecar(binary)


def test_colours_turned_by_the_sidecar_turn_the_familys_mean_with_them() -> None:
    usual = Preparation("stretch", "bgr", (1, 2, 3), (4, 5, 6))
    assert Sidecar(colour="rgb").over(usual) == Preparation("stretch", "rgb", (3, 2, 1), (6, 5, 4))
    assert Sidecar(colour="rgb", mean=(7, 8, 9)).over(usual).mean == (7, 8, 9)


def test_a_head_that_does_not_fit_is_refused_not_guessed(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx", 80)
    written(tmp_path, 'head = "picodet"\n')
    with pytest.raises(
        ModelRefused, match=r"its outputs are not those of picodet(.|\n)*output0 \[1, 84, 8400\]"
    ):
        Detector(model)


def test_the_page_for_operators_names_every_family_and_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "detectors.md").read_text()
    assert [f.name for f in FAMILIES if f"| `{f.name}`" not in page] == []
    assert [key for key in Sidecar.model_fields if f"\n{key} = " not in page and f"[{key}]" not in page] == []


def test_the_sidecar_can_name_every_family_of_the_table_and_no_other() -> None:
    assert set(HeadName.__args__) == {"", *(family.name for family in FAMILIES)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[classes]\nhelmet = "pedestrian"\n',
            "classes.helmet: no such class in the file; it has person, bicycle",
        ),
        ('[classes]\n80 = "pedestrian"\n', "classes.80: the file has classes 0 to 79"),
    ],
)
def test_classes_that_the_file_has_not_are_refused(text: str, words: str, tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx", 80)
    written(tmp_path, text)
    with pytest.raises(ModelRefused, match=words):
        Detector(model)


def test_names_of_coco_may_be_used_where_the_file_names_nothing(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx", 80)
    written(tmp_path, '[classes]\nperson = "pedestrian"\n9 = "unknown"\n')
    assert Detector(model).classes == {0: UserClass.PEDESTRIAN, 9: UserClass.UNKNOWN}


def test_a_dynamic_export_takes_its_size_from_the_sidecar_and_is_refused_without(tmp_path: Path) -> None:
    table = np.full((1, 84, 1680), 0.001, np.float32)  # of 640 x 128: 80 16 + 40 8 + 20 4
    model = net(
        tmp_path / "mine.onnx", {"o": table}, {"x": (FLOAT, ["n", 3, "h", "w"])}, shapes={"o": ["a", 84, "b"]}
    )
    with pytest.raises(ModelRefused, match=r"no fixed size; write size = \[WIDTH, HEIGHT\] into model.toml"):
        Detector(model)
    written(tmp_path, "size = [640, 128]\n")
    detector = Detector(model)
    assert (detector.width, detector.height, detector.family.name) == (640, 128, "ultralytics")


def test_a_size_that_a_fixed_export_does_not_take_is_refused(tmp_path: Path) -> None:
    model = dense(tmp_path / "mine.onnx", 80)
    written(tmp_path, "size = [320, 320]\n")
    with pytest.raises(ModelRefused, match="the file takes only"):
        Detector(model)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"x": (FLOAT, [1, 640, 640, 3])}, "channels first"),
        ({"x": (FLOAT, [4, 3, 640, 640])}, "export it with batch 1, not 4"),
        ({"x": (FLOAT, [1, 3, 640, 640]), "anchors": (FLOAT, [9, 2])}, "nobody knows what to feed"),
        ({"x": (FLOAT, [1, 3, 9000, 9000])}, "cannot be meant"),
        ({"x": (FLOAT, [1, 640])}, "one picture input"),
    ],
)
def test_inputs_that_cannot_be_fed_are_refused_with_what_to_do(
    inputs: dict[str, tuple[int, list[int]]], words: str, tmp_path: Path
) -> None:
    table = np.full((1, 84, 8400), 0.001, np.float32)
    with pytest.raises(ModelRefused, match=words):
        Detector(net(tmp_path / "m.onnx", {"o": table}, inputs))
