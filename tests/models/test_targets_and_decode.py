"""What the net shall say and how that is read: label to target to decoded user, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.paint.scene import Label
from models.decode import MOST, decode
from models.render import as_targets, flipped
from models.scenes import CLASSES, HEIGHT, WIDTH
from models.targets import COLUMNS, ROWS, SCALE, STRIDE, targets

SHARP = 12.0


@st.composite
def seen_users(draw: st.DrawFn) -> list[Label]:
    """Up to six users, each in a part of the picture of its own so that no bump meets another."""
    spots = draw(st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True))
    made = []
    for number, spot in enumerate(spots):
        cx = (spot % 4 + 0.5) * WIDTH / 4 + draw(st.floats(-20, 20))
        cy = (spot // 4 + 0.5) * HEIGHT / 3 + draw(st.floats(-15, 15))
        half_w, half_h = draw(st.floats(4, 50)), draw(st.floats(4, 35))
        box = cx - half_w, cy - half_h, cx + half_w, cy + half_h
        ground = cx + draw(st.floats(-10, 10)), cy + half_h
        made.append(Label(number, draw(st.sampled_from(CLASSES)), box, ground, 1.0, 0.0, 0.0))
    return made


def logits(heat: np.ndarray) -> np.ndarray:
    """What a net would have said that learnt the heat map by heart."""
    return np.log((heat + 1e-9) / (1 - heat + 1e-9)).clip(-SHARP, SHARP)


@given(seen_users())
def test_a_net_that_says_its_targets_is_read_as_the_users_that_were_labelled(users: list[Label]) -> None:
    heat, reg, _ = targets(users)
    found = decode(logits(heat), reg, 0.9)
    assert len(found) == len(users)
    for label in users:
        match = min(
            found, key=lambda item: abs(item.ground[0] - label.ground[0]) + abs(item.box[1] - label.box[1])
        )
        assert CLASSES[match.cls] == label.cls
        assert match.box == pytest.approx(label.box, abs=0.01)
        assert match.ground == pytest.approx(label.ground, abs=0.01)


@given(seen_users())
def test_every_user_weighs_the_same_however_large_it_is(users: list[Label]) -> None:
    _, _, weight = targets(users)
    assert weight.sum() == pytest.approx(len(users), rel=1e-4)


def test_a_box_that_leaves_the_picture_is_clipped_and_its_centre_stays_in() -> None:
    label = Label(1, "bus", (WIDTH - 30.0, -20.0, WIDTH + 90.0, 60.0), (WIDTH + 5.0, 58.0), 1.0, 0.0, 0.0)
    heat, reg, _ = targets([label])
    (found,) = decode(logits(heat), reg, 0.9)
    assert found.box == pytest.approx((WIDTH - 30.0, 0.0, WIDTH - 1.0, 60.0), abs=0.01)
    assert found.ground == pytest.approx(label.ground, abs=0.01), "the ground point may lie outside"


def test_where_two_boxes_meet_the_smaller_one_is_trained() -> None:
    bus = Label(1, "bus", (100.0, 100.0, 300.0, 220.0), (200.0, 210.0), 1.0, 0.0, 0.0)
    walker = Label(2, "pedestrian", (192.0, 140.0, 208.0, 180.0), (200.0, 178.0), 1.0, 0.0, 0.0)
    for order in ([bus, walker], [walker, bus]):
        _, reg, _ = targets(order)
        row, column = int(160 / STRIDE), int(200 / STRIDE)
        left = reg[0, row, column] * SCALE
        assert left == pytest.approx(column * STRIDE + STRIDE / 2 - 192.0)


def test_an_empty_picture_teaches_nothing_and_is_read_as_nobody() -> None:
    heat, reg, weight = targets([])
    assert heat.shape == (len(CLASSES), ROWS, COLUMNS)
    assert not heat.any()
    assert not weight.any()
    assert decode(logits(heat), reg, 0.1) == []


def test_at_most_so_many_peaks_are_read_and_the_strongest_of_them() -> None:
    dice = np.random.default_rng(3)
    cls = np.full((2, ROWS, COLUMNS), -9.0)
    spots = [(row, column) for row in range(0, ROWS, 2) for column in range(0, COLUMNS, 2)]
    for row, column in spots:
        cls[1, row, column] = dice.uniform(0.0, 4.0)
    found = decode(cls, np.zeros((6, ROWS, COLUMNS)), 0.3)
    assert len(found) == MOST < len(spots)
    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    weakest = sorted((cls[1, row, column] for row, column in spots), reverse=True)[MOST - 1]
    assert scores[-1] == pytest.approx(1 / (1 + np.exp(-weakest)))


@given(seen_users())
def test_a_mirrored_sample_is_that_sample_again_when_mirrored_again(users: list[Label]) -> None:
    dice = np.random.default_rng(1)
    image = dice.integers(0, 255, (HEIGHT // 8, WIDTH, 3)).astype(np.uint8)
    radar = dice.integers(0, 255, (2, HEIGHT // 4, WIDTH // 4)).astype(np.uint8)
    rows = [(CLASSES.index(label.cls), *label.box, *label.ground) for label in users]
    once = flipped(image, radar, rows)
    again = flipped(*once)
    assert np.array_equal(again[0], image)
    assert np.array_equal(again[1], radar)
    assert np.allclose(again[2], rows)
    assert all(row[1] < row[3] for row in once[2]), "left stays left of right"


def test_label_rows_of_the_training_file_give_the_targets_of_their_labels() -> None:
    label = Label(1, "truck", (100.0, 100.0, 180.0, 160.0), (140.0, 158.0), 1.0, 3.0, 4.0)
    row = (CLASSES.index(label.cls), *label.box, *label.ground)
    for mine, theirs in zip(as_targets([row]), targets([label]), strict=True):
        assert np.array_equal(mine, theirs)
