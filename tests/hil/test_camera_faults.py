"""What befalls the virtual camera while it runs: dirt, a soft lens, a knock, too few pictures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from hil.devices.camera_faults import KNOCK_DEG, MUD_OPAQUE, SLOWER, Mishaps, dirtied, mud
from hil.devices.fault_table import FAULTS
from hil.paint.lens import View
from hil.paint.scene import Look

VIEW = View(0.0, 0.0, 7.0, 45.0, 12.0, 0.0, 430.0, 640, 384)
DICE = np.random.default_rng(2)
PICTURE = DICE.integers(0, 255, (384, 640, 3), np.uint8)


def test_the_table_names_every_mishap_and_each_goes_on_and_off() -> None:
    for name in ("defocus", "dirt", "rain", "shift", "slow"):
        assert name in FAULTS["camera"]
        mishaps = Mishaps()
        assert mishaps.obey(name, True)
        assert getattr(mishaps, name)
        assert mishaps.obey(name, False)
        assert mishaps == Mishaps()
    assert not Mishaps().obey("black", True), "that is the camera's own"


def test_without_a_mishap_nothing_changes() -> None:
    mishaps = Mishaps()
    assert mishaps.through(PICTURE) is PICTURE
    assert mishaps.view(VIEW) is VIEW
    assert all(mishaps.exposes(tick) for tick in range(20))


def test_mud_covers_a_part_and_leaves_the_rest_as_it_was() -> None:
    share = mud(640, 384)
    assert 0.08 < float((share > 0.5).mean()) < 0.3
    assert share.max() <= MUD_OPAQUE + 1e-6
    spoilt = dirtied(PICTURE)
    clean = share < 1e-4
    assert clean.any()
    assert np.abs(spoilt[clean].astype(int) - PICTURE[clean]).max() <= 1
    assert spoilt[share > 0.9].std() < 0.2 * PICTURE.std()


def test_a_soft_lens_takes_fine_structure_everywhere() -> None:
    soft = Mishaps(defocus=True).through(PICTURE)
    assert cv2.Laplacian(soft, cv2.CV_32F).std() < 0.1 * cv2.Laplacian(PICTURE, cv2.CV_32F).std()


def test_a_knock_turns_the_view_and_nothing_else() -> None:
    knocked = Mishaps(shift=True).view(VIEW)
    assert knocked.yaw_deg == pytest.approx(VIEW.yaw_deg + KNOCK_DEG)
    assert (knocked.x, knocked.pitch_deg, knocked.focal_px) == (VIEW.x, VIEW.pitch_deg, VIEW.focal_px)


def test_rain_falls_and_stops() -> None:
    mishaps = Mishaps(rain=True)
    assert mishaps.look(Look(seed=4), VIEW) == Look(rain=True, seed=4)
    mishaps.obey("rain", False)
    assert mishaps.look(Look(rain=True), VIEW).rain, "rain that was there before goes on"
    assert not mishaps.look(Look(), VIEW).rain


def test_a_slow_camera_gives_a_fraction_of_its_pictures() -> None:
    slow = Mishaps(slow=True)
    assert sum(slow.exposes(tick) for tick in range(10 * SLOWER)) == 10
