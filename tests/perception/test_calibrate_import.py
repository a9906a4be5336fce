"""Calibrations made elsewhere are taken over where all that they say agrees, and refused where not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.survey import BENT, VIEW, lens_yaml
from rsu_agent.perception.calibrate_import import Foreign, ImportRefused, lens_of, pose_of_import
from rsu_agent.perception.pose import CameraPose
from rsu_agent.settings.lens_file import read_lens_file

MATRIX = np.array([[1400.0, 0, 950.0], [0, 1390.0, 545.0], [0, 0, 1.0]])
R = VIEW.axes()
T = -R @ np.array([VIEW.x, VIEW.y, VIEW.height_m])
WHERE = CameraPose(VIEW.x, VIEW.y, VIEW.height_m, VIEW.yaw_deg, VIEW.pitch_deg, VIEW.roll_deg)
PROJECTION = MATRIX @ np.column_stack([R, T])
FOREIGN = Foreign(MATRIX)


def same(pose: CameraPose | None) -> bool:
    return pose is not None and pose.rounded() == WHERE.rounded()


def test_rotation_and_translation_become_the_site_files_pose() -> None:
    assert same(pose_of_import(replace(FOREIGN, rotation=R, translation=T.reshape(3, 1))))


@pytest.mark.parametrize("scale", [1.0, 0.001, -3.7])
def test_a_projection_matrix_at_any_scale_becomes_the_same_pose(scale: float) -> None:
    assert same(pose_of_import(replace(FOREIGN, projection=PROJECTION * scale)))


def test_both_are_taken_where_they_agree() -> None:
    assert same(pose_of_import(replace(FOREIGN, rotation=R, translation=T, projection=PROJECTION)))
    assert pose_of_import(FOREIGN) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"projection": np.diag([1.1, 1.1, 1]) @ PROJECTION}, "not the camera matrix times"),
        ({"projection": np.diag([1.1, 1, 1]) @ PROJECTION}, "not the camera matrix times"),
        ({"rotation": R, "translation": np.add(T, [0.0, 0.0, 0.4]), "projection": PROJECTION}, "apart"),
        ({"rotation": R * 1.05, "translation": T}, "no rotation"),
        ({"rotation": R * [[1.0], [1.0], [-1.0]], "translation": T}, "mirror"),
        ({"rotation": R}, "go together"),
        ({"rotation": R.T, "translation": np.array([VIEW.x, VIEW.y, VIEW.height_m])}, "over the road|axes"),
        ({"projection": np.column_stack([PROJECTION[:, :2], np.zeros(3), PROJECTION[:, 3]])}, "homography"),
        ({"projection": PROJECTION[:, :3]}, "3x4"),
    ],
)  # fmt: skip
def test_what_does_not_agree_is_refused(wrong: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        pose_of_import(replace(FOREIGN, **wrong))


def test_a_lens_is_taken_with_its_distortion() -> None:
    lens = lens_of(replace(FOREIGN, distortion=(-0.1, 0.02, 0.001, 0.002)), 1920, 1080)
    assert (lens.fx, lens.fy, lens.cx, lens.cy) == (1400.0, 1390.0, 950.0, 545.0)
    assert lens.distortion == (-0.1, 0.02, 0.001, 0.002, 0.0)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"size": (1280, 720)}, "measured on pictures of 1280x720 px, but the camera gives 1920x1080"),
        ({"model": "equidistant", "distortion": (0.1, 0.1, 0.1, 0.1)}, "equidistant"),
        ({"distortion": (0.1,) * 8}, "8 distortion coefficients"),
        ({"distortion": (0.1, 0.2, 0.3)}, "3 distortion coefficients"),
        ({"matrix": np.add(MATRIX, [[0, 5.0, 0], [0, 0, 0], [0, 0, 0]])}, "skew"),
        ({"matrix": MATRIX * [[1.0], [0.5], [1.0]]}, "do not belong"),
        ({"matrix": MATRIX * [[0.1], [0.1], [1.0]]}, "do not belong|principal"),
        ({"matrix": MATRIX[:2]}, "not 3x3"),
    ],
)
def test_a_lens_that_cannot_be_ours_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        lens_of(replace(FOREIGN, **wrong), 1920, 1080)


def written(folder: Path, text: str) -> Path:
    path = folder / "lens.yaml"
    path.write_text(text)
    return path


def test_opencvs_own_file_is_read(tmp_path: Path) -> None:
    found = read_lens_file(written(tmp_path, lens_yaml()))
    assert found.size == (VIEW.width, VIEW.height)
    assert found.matrix[0, 0] == VIEW.focal_px
    assert found.distortion == BENT


def test_camera_info_and_plain_keys_and_json_are_read(tmp_path: Path) -> None:
    info = "image_width: 640\nimage_height: 384\ndistortion_model: plumb_bob\n"
    info += "camera_matrix: {rows: 3, cols: 3, data: [430, 0, 320, 0, 430, 192, 0, 0, 1]}\n"
    assert read_lens_file(written(tmp_path, info)).size == (640, 384)
    plain = read_lens_file(written(tmp_path, "fx: 430\nfy: 431\ncx: 320\ncy: 192\n"))
    assert plain.matrix.tolist() == [[430, 0, 320], [0, 431, 192], [0, 0, 1]]
    told = '{"K": [[430, 0, 320], [0, 430, 192], [0, 0, 1]], "dist": [[-0.1, 0, 0, 0, 0]], '
    told += '"R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "t": [0, 0, 5]}'
    found = read_lens_file(written(tmp_path, told))
    assert found.distortion == (-0.1, 0, 0, 0, 0)
    assert found.rotation is not None
    assert found.translation is not None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no keys"), ("[1, 2]", "holds no keys"), ("{", "neither YAML nor JSON"),
        ("a: b\n", "no camera matrix"),
        ("fx: 430\n", "fy, cx, cy missing"), ("K: [1, 2, 3]\n", "3 numbers, not 9"),
        ("K: red\n", "no list of finite numbers"),
        ("fx: a\nfy: 1\ncx: 1\ncy: 1\n", "no number"), ("K: [" + "1," * 100 + "1]\n", "a few numbers"),
        ("\x00\x01", "neither YAML nor JSON"), ("K: [1, 0, .nan, 0, 1, 0, 0, 0, 1]\n", "finite"),
        ("a: " + "x" * (2 << 20), "larger than"), ("[" * 5000, "neither YAML nor JSON"),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_lens_is_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ImportRefused, match=words):
        read_lens_file(written(tmp_path, text))


def test_a_file_that_unfolds_to_a_thousand_million_numbers_is_refused_at_once(tmp_path: Path) -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n"
    bomb += "".join(f"{b}: &{b} [" + ",".join([f"*{a}"] * 9) + "]\n" for a, b in pairwise("abcdefghi"))
    with pytest.raises(ImportRefused, match="a few numbers"):
        read_lens_file(written(tmp_path, bomb + "K: *i\n"))


@given(
    st.one_of(
        st.binary(max_size=200), st.text("K:[]{}0123456789.,- \n&*a%!fxycwidth", max_size=120).map(str.encode)
    )
)
def test_any_bytes_are_a_lens_or_told_not_to_be(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    try:
        matrix = read_lens_file(path).matrix
    except ImportRefused as refused:
        told = str(refused)
    else:
        told = str(matrix.shape)
    assert told
