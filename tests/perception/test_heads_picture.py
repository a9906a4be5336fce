"""Pictures into a net's input: colours, mean and deviation, where the grey is, and the way back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.perception.heads.families import FAMILIES
from rsu_agent.perception.heads.picture import Fitting, Placement, Preparation, Resize

BLUE_GREEN_RED = (10, 20, 30)


def plain(width: int, height: int) -> np.ndarray:
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = BLUE_GREEN_RED
    return picture


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_gets_its_colours_less_mean_over_deviation(family) -> None:
    way = family.preparation
    blob, _ = Fitting(way, 64, 32).fit(plain(128, 64))
    values = BLUE_GREEN_RED[::-1] if way.colour == "rgb" else BLUE_GREEN_RED
    expected = [(v - m) / s for v, m, s in zip(values, way.mean, way.std, strict=True)]
    assert blob.shape == (1, 3, 32, 64)
    assert blob.dtype == np.float32
    assert blob.min(axis=(0, 2, 3)) == pytest.approx(expected, rel=1e-5)
    assert blob.max(axis=(0, 2, 3)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("dtype", "expected"), [("uint8", 30), ("float16", 30 / 255)])
def test_a_net_that_takes_bytes_or_half_floats_gets_them(dtype: str, expected: float) -> None:
    way = Preparation("letterbox", "rgb", (0, 0, 0), (255, 255, 255))
    blob, _ = Fitting(way, 64, 64, dtype).fit(plain(64, 64))
    assert blob.dtype == dtype
    assert blob[0, 0, 5, 5] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("resize", "top", "bottom"), [("letterbox", 0, 36), ("letterbox_centred", 14, 50), ("stretch", 0, 64)]
)
def test_the_grey_is_where_it_belongs(resize: Resize, top: int, bottom: int) -> None:
    fitting = Fitting(Preparation(resize, "bgr", (0, 0, 0), (1, 1, 1)), 64, 64)
    for _ in range(2):  # the canvas is used again
        blob, placement = fitting.fit(plain(128, 72))
        rows = np.flatnonzero(blob[0, 0, :, 0] == 10)
        assert (rows[0], rows[-1] + 1) == (top, bottom)
        assert set(np.unique(blob[0, 0])) <= {10.0, 114.0}
    assert placement.back(np.array([[0.0, top, 64.0, bottom]])) == pytest.approx(np.array([[0, 0, 128, 72]]))


def test_another_size_of_picture_leaves_nothing_of_the_last_one() -> None:
    fitting = Fitting(Preparation("letterbox_centred", "bgr", (0, 0, 0), (1, 1, 1)), 64, 64)
    fitting.fit(plain(64, 64))
    blob, _ = fitting.fit(plain(64, 16))
    assert (blob[0, 0, :24] == 114).all()
    assert (blob[0, 0, 40:] == 114).all()


@given(
    wide=st.integers(16, 900),
    high=st.integers(16, 900),
    width=st.integers(2, 30).map(lambda n: n * 16),
    height=st.integers(2, 30).map(lambda n: n * 16),
    resize=st.sampled_from(["stretch", "letterbox", "letterbox_centred"]),
)
def test_a_bright_block_is_found_again_where_it_was(
    wide: int, high: int, width: int, height: int, resize: Resize
) -> None:
    picture = np.zeros((high, wide, 3), np.uint8)
    left, top, right, bottom = wide // 4, high // 4, wide * 3 // 4, high * 3 // 4
    picture[top:bottom, left:right] = 255
    way = Preparation(resize, "bgr", (0, 0, 0), (1, 1, 1), pad=0)
    blob, placement = Fitting(way, width, height).fit(picture)
    rows, columns = np.nonzero(blob[0, 0] > 127)
    if not len(rows):
        return  # a picture so much longer than the input that half of it is less than a pixel
    box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
    pixel = np.array([1 / placement.scale[0], 1 / placement.scale[1]] * 2)  # one of the input, in the picture
    assert (abs(placement.back(box) - (left, top, right, bottom)) <= np.maximum(pixel, 1.0) + 1e-6).all()


def test_points_come_back_as_boxes_do() -> None:
    placed = Placement((0.5, 0.25), (10.0, 20.0))
    assert placed.back(np.array([[20.0, 30.0]])).tolist() == [[20.0, 40.0]]
