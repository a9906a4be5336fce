"""Pictures of signal heads: the virtual crossing as its camera sends it, and large heads drawn by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML

from hil.devices.camera import JPEG_QUALITY, view_of
from hil.paint.ground import paint_ground
from hil.paint.scene import FLASH_HZ, Look, paint
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.perception.lamp_boxes import Layout
from rsu_agent.perception.lamps import HeadBox, LampReader
from rsu_agent.ports.assets import asset
from rsu_agent.world.signal import Colour

Image = npt.NDArray[np.uint8]
CAMERA = YAML(typ="safe").load(asset("config/virtual.yaml").read_text())["cameras"][0]
VIEW = view_of(CAMERA)
CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))
GROUND = paint_ground(CROSSING, 78)
BOXES = [HeadBox(head["group"], *head["box"], head["layout"]) for head in CAMERA["heads"]]
STRIP = slice(96, 192)  # of rows that hold all heads; JPEG's blocks begin and end here
GROUPS = [box.group for box in BOXES]

LEDS = {"red": (60, 60, 255), "yellow": (30, 190, 255), "green": (190, 255, 60)}  # blue, green, red
LIT = {
    "red": ("red",),
    "yellow": ("yellow",),
    "green": ("green",),
    "red_yellow": ("red", "yellow"),
    "dark": (),
}


def as_sent(picture: npt.NDArray[Any], quality: int = JPEG_QUALITY) -> Image:
    """After the camera's JPEG."""
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return np.asarray(decoded, np.uint8)


def virtual(lamps: Mapping[int, str] | str, t: float, seed: int, *, noise: float = 3.0, **look: Any) -> Image:
    """The virtual camera's picture at t; lamps: by group, or the same for all.

    Only the rows around the heads get their own noise and JPEG, as that is what takes the time.
    """
    shown = dict.fromkeys(GROUPS, lamps) if isinstance(lamps, str) else lamps
    half = int(t * FLASH_HZ * 2) % 2
    picture = painted(tuple(sorted(shown.items())), half, seed % 3, tuple(sorted(look.items()))).copy()
    picture[STRIP] = as_sent(with_noise(picture[STRIP], noise, seed))
    return picture


def with_noise(rows: npt.NDArray[Any], noise: float, seed: int) -> Image:
    """As the painter's weather does it: the noise of every four rows and columns hangs together."""
    grain = np.random.default_rng(seed).normal(0, noise, (rows.shape[0] // 4, 160)).astype(np.float32)
    return (rows + cv2.resize(grain, rows.shape[1::-1])[..., None]).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=256)
def painted(
    lamps: tuple[tuple[int, str], ...], half: int, seed: int, look: tuple[tuple[str, Any], ...]
) -> Image:
    """Without noise; seed: that of the rain."""
    options = Look(seed=seed, noise=0.0, **dict(look))
    return paint(VIEW, GROUND, [], CROSSING.heads, dict(lamps), options, half * 0.5 / FLASH_HZ)


def large(
    lamps: str, seed: int, *, height: int = 30, night: bool, layout: str = "vertical"
) -> tuple[Image, HeadBox]:
    """A head before a dull sky or by night: LEDs white in the middle with a halo, coloured unlit lenses."""
    ambient, width = (0.12 if night else 1.0), round(height / (1.9 if layout == "pair" else 2.8))
    dice = np.random.default_rng(seed)
    clouds = cv2.resize(dice.uniform(150, 220, (4, 6, 1)).astype(np.float32), (220, 170))[:, :, None]
    picture = np.full((170, 220, 3), (10, 9, 8), np.float32) if night else clouds * (1.0, 0.93, 0.86)
    picture[150:] = 60 if night else 90  # the road, with its own light by night
    wide, high = (height, width) if layout == "horizontal" else (width, height)
    leds = {"red": LEDS["red"], "green": LEDS["green"]} if layout == "pair" else LEDS
    box = HeadBox(1, 90, 20, wide, high, cast(Layout, layout))
    picture[box.top_px : box.top_px + high, box.left_px : box.left_px + wide] = 37 * ambient
    size = height / len(leds)
    for place, (name, led) in enumerate(leds.items()):
        along = (place + 0.5) * size - 0.5
        x, y = (along, width / 2) if layout == "horizontal" else (width / 2 - 0.5, along)
        disc = np.zeros(picture.shape[:2], np.float32)
        middle = round((box.left_px + x) * 16), round((box.top_px + y) * 16)
        cv2.circle(disc, middle, round(size * 0.38 * 16), 1.0, -1, cv2.LINE_AA, 4)
        lens = (np.array(led) * 0.12 + 30) * ambient
        picture = picture * (1 - disc[..., None]) + disc[..., None] * lens
        if name in LIT[lamps]:
            hue = np.array(led) / 255
            core = cv2.resize(disc, None, fx=1, fy=1)[..., None] * (hue * 330 + 90)
            halo = cv2.GaussianBlur(disc, (0, 0), size * (0.45 if night else 0.2))[..., None] * hue
            picture = picture + core + halo * (170 if night else 60)
    noisy = picture + dice.normal(0, 3, picture.shape)
    soft = cv2.GaussianBlur(noisy.clip(0, 255), (0, 0), 0.6)
    return as_sent(soft.clip(0, 255).astype(np.uint8)), box


def colours_over(
    reader: LampReader,
    picture: Callable[[float, int], Image],
    from_s: float,
    seconds: float,
    hz: float = 10.0,
) -> list[tuple[float, list[Colour]]]:
    """What a reader says after each picture of a stretch of time."""
    said = []
    for number in range(round(seconds * hz)):
        at_s = from_s + number / hz
        seen = reader.saw(picture(at_s, round(at_s * 1000)), at_s)
        said.append((at_s, [head.colour for head in seen.heads]))
    return said
