"""What shines in the boxes of one picture: all boxes sampled at once, colour by place and hue together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lamp_boxes import (
    COLUMNS,
    ENDS,
    HALOS,
    LAMPS,
    LEFT,
    RIGHT,
    ROWS,
    SPOT_AT,
    SPOTS,
    Flags,
    Floats,
    HeadBox,
    Shine,
    beside,
    cells,
    masks,
    samples,
)
from rsu_agent.perception.lamp_housing import Housings, UnlitLamps

BLACK_LEVEL, WHITE_LEVEL = 12.0, 245.0  # mean level of a picture that shows nothing
LEARNS_EVERY_S = 0.25
FEW_ROWS = 24  # of samples in one product: a larger one wakes the threads of BLAS, which costs milliseconds

# From blue, green, red to luma and two axes of colour: red lies at 0 degrees, yellow at 60, green at 120.
AXES = np.array([[0.114, 0.587, 0.299], [-0.5, -0.5, 1.0], [-0.866, 0.866, 0.0]], np.float32)
LAMP_HUES = np.radians([0.0, 52.0, 145.0])  # a red, a yellow, a green lamp of LEDs in these axes
TOWARDS = np.stack([np.cos(LAMP_HUES), np.sin(LAMP_HUES)], axis=1).astype(np.float32)
# Degrees, lowest and highest, of red, yellow and green: where the place says which lamp it is, and where not.
HUES = np.array([[-35.0, 33.0], [15.0, 78.0], [88.0, 212.0]], np.float32)
HUES_ALONE = np.array([[-30.0, 14.0], [26.0, 72.0], [98.0, 205.0]], np.float32)

PLACES = np.array([1, 2, 4])  # and what shines, by the sum of the places where something does
NAMES = np.array([0, Shine.RED, Shine.YELLOW, Shine.RED_YELLOW, Shine.GREEN, 0, 0, 0], np.int8)

# A lit lamp's strongest channel above the unlit one: less is enough where the unlit lamp has been seen
# before, more by day, when unlit lenses look coloured, too.
GLOWS, GLOWS_BY_LEVEL, KNOWN_GLOWS = 16.0, 0.18, 0.8
UNLIT_WITHIN, UNLIT_WITHIN_BY_LEVEL = 7.0, 0.1  # any channel of a lamp without light, above the unlit one
LEAST_COLOUR, LEAST_COLOUR_SHARE = 5.0, 0.05
WHITE_SHARE, WHITE_GLOWS = 0.15, 120.0  # less colour of a strong glow: white, and the halo has the colour
BOTH_SHARE, BOTH_APART_DEG, YELLOW_WITH_RED_DEG = 0.5, 12.0, 4.0  # red lends yellow some of its hue, not all
# Another lamp with more than this of the lit one's: no opinion. A neighbour's halo gives colour without glow.
OTHER_COLOUR, OTHER_COLOURED_GLOW, OTHER_GLOW = 0.42, 0.45, 0.5
OTHER_OWN_COLOUR, OTHER_OWN_GLOW = 0.35, 0.3  # where the hue is its own
OTHER_LUMA = 0.35
SPILL_SHARE, SPILL_LUMA_SHARE = 0.6, 0.45  # as much beside the housing: no lamp's
OUTSHINES, OUTSHINES_BY = 1.6, 20.0  # a light that is so much brighter than what is beside it
DARKER, DARKER_UNLIT, DARKER_BY = 1.3, 1.8, 10.0  # surroundings against a housing by day


@dataclass(frozen=True, slots=True)
class Light:
    """Of every box: what shines, and whether the housing itself is plainly there."""

    shines: list[int]
    housed: list[bool]


class LampLight:
    """Looks at the boxes of pictures of one size."""

    def __init__(self, heads: Sequence[HeadBox], height_px: int, width_px: int) -> None:
        self._count = len(heads)
        x, y = (np.concatenate(parts) for parts in zip(*map(samples, heads), strict=True))
        self._at = cv2.convertMaps(x, y, cv2.CV_16SC2)
        self._alone = np.array([head.layout == "single" for head in heads])
        self._any_alone = bool(self._alone.any())
        self._pairs = np.array([head.layout == "pair" for head in heads])
        self._masks, self._masks_alone = masks(alone=False).T.copy(), masks(alone=True).T.copy()
        self._inside = np.array([head.inside(width_px, height_px) for head in heads])
        self._unlit = UnlitLamps(self._count)
        self._housings = Housings(self._count, cells()[::2], beside()[::2])
        self._before: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None
        self._learns_s = float("-inf")

    def look(self, image: npt.NDArray[np.uint8], at_s: float) -> Light | None:
        """What shines; None where the picture is the last one once more."""
        sampled = cv2.remap(image, *self._at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        coarse = image[8::16, 8::16]
        if self._before is not None and all(map(np.array_equal, self._before, (sampled, coarse))):
            return None
        self._before = sampled, coarse.copy()
        level = float(coarse.mean())
        if not BLACK_LEVEL <= level <= WHITE_LEVEL:
            return Light([0] * self._count, [False] * self._count)
        planes = sampled.reshape(self._count, ROWS * COLUMNS, 3).transpose(0, 2, 1).astype(np.float32, "C")
        rows = planes.reshape(-1, ROWS * COLUMNS)
        parts = [rows[at : at + FEW_ROWS] @ self._masks for at in range(0, len(rows), FEW_ROWS)]
        means = np.concatenate(parts).reshape(self._count, 3, -1)
        if self._any_alone:
            means[self._alone] = planes[self._alone] @ self._masks_alone
        if self._pairs.any():
            means[self._pairs] = _with_unlit_middle(means[self._pairs])
        shines, plain = self._judge(np.ascontiguousarray(means.transpose(1, 2, 0)), level)
        luma = np.einsum("c,ncp->np", AXES[0], planes[:, :, ::2])  # every second column is enough
        alike, unlike = self._housings.compare(luma, shines)
        if at_s - self._learns_s >= LEARNS_EVERY_S:
            self._learns_s = at_s
            steady = self._housings.learn(luma, shines, plain, alike, unlike, at_s)
            self._unlit.learn(means[:, :, LAMPS], shines, steady, at_s)
        housed = (alike | (plain & ~unlike)) & self._inside
        shines[~self._inside | ((shines > Shine.UNLIT) & ~housed)] = Shine.NOTHING_READ
        return Light(shines.tolist(), housed.tolist())

    def _judge(self, means: Floats, level: float) -> tuple[npt.NDArray[np.int8], Flags]:
        """What shines in each box, and whether something there stands out as a housing or a lamp would.

        means: (channels, masks, boxes); so are the arrays below, with lamps, or luma and colour.
        """
        lamps, known = means[:, LAMPS], self._unlit.known
        neutral = lamps.min(axis=1)
        dark = np.where(known, self._unlit.lamps, neutral[:, None])
        excess, spots = lamps - dark, means[:, SPOTS].reshape(3, 3, len(SPOT_AT), -1).max(axis=2)
        glow, values = (spots - dark).max(axis=0), _axes(excess)
        self._halo(means[:, HALOS], glow, values)
        strength = np.hypot(values[1], values[2])
        hue = (np.degrees(np.arctan2(values[2], values[1])) + 90.0) % 360.0 - 90.0
        colour = np.where(self._alone, strength, TOWARDS[:, :1] * values[1] + TOWARDS[:, 1:] * values[2])
        wanted = (GLOWS + GLOWS_BY_LEVEL * level) * np.where(known, KNOWN_GLOWS, 1.0)
        shining = glow >= np.maximum(wanted, BOTH_SHARE * glow.max(axis=0))
        shining &= colour >= np.maximum(LEAST_COLOUR, LEAST_COLOUR_SHARE * glow)
        contrary = shining & self._spilt(values, _axes(means[:, : ENDS.stop]), _axes(neutral[:, None]))
        little = UNLIT_WITHIN + UNLIT_WITHIN_BY_LEVEL * level
        off = values[0] > little + OTHER_LUMA * (values[0] * shining).max(
            axis=0
        )  # more light than a halo gives
        off |= known & (values[0] < -little)  # and a halo takes none
        contrary |= ~shining & (off | _other(shining, glow, strength, hue))
        any_shines = shining.any(axis=0)
        unlit = (
            np.abs(excess).max(axis=(0, 1)) <= UNLIT_WITHIN + UNLIT_WITHIN_BY_LEVEL * level
        ) & ~any_shines
        shines = np.where(contrary.any(axis=0), np.int8(0), self._named(shining, hue))
        shines[unlit] = Shine.UNLIT
        left, right = means[:, LEFT], means[:, RIGHT]
        sides = AXES[0] @ np.minimum(left.mean(axis=1), right.mean(axis=1))
        housing = (AXES[0] @ lamps.reshape(3, -1)).reshape(3, -1).min(axis=0)
        plain = sides >= np.where(unlit, DARKER_UNLIT, DARKER) * housing + DARKER_BY
        around = np.maximum(left, right).max(axis=0).min(axis=0)
        plain |= any_shines & (spots.max(axis=(0, 1)) >= OUTSHINES * around + OUTSHINES_BY)
        return shines, plain

    def _halo(self, halos: Floats, glow: Floats, values: Floats) -> None:
        """Puts the halo's colour for that of a lamp which is too bright to have one itself."""
        weak = np.square(values[1]) + np.square(values[2])
        white = (glow >= WHITE_GLOWS) & (weak < np.square(WHITE_SHARE * glow)) & ~self._alone
        if white.any():
            around = _axes(halos - halos.min(axis=1, keepdims=True))
            white &= np.square(around[1]) + np.square(around[2]) > weak
            values[1:, white] = around[1:, white]

    def _spilt(self, values: Floats, means: Floats, neutral: Floats) -> Flags:
        """Whether a lamp's colour goes on beside it, and not beside the other lamps: a painted bus."""
        least = SPILL_SHARE * (np.square(values[1]) + np.square(values[2]))
        spilt = np.zeros(values.shape[1:], bool)
        for side in (means[:, LEFT], means[:, RIGHT]):
            elsewhere = np.where(self._alone, neutral, (side.sum(axis=1, keepdims=True) - side) / 2)
            spilt |= _goes_on(side - elsewhere, values, least)
        ends = means[:, ENDS]
        spilt[::2] |= _goes_on(ends - ends[:, ::-1], values[:, ::2], least[::2])
        return spilt

    def _named(self, shining: Flags, hue: Floats) -> npt.NDArray[np.int8]:
        """Names what shines by place and hue together."""
        misfit = shining & ((hue < HUES[:, :1]) | (hue > HUES[:, 1:]))
        both = shining[0] & (hue[1] >= np.maximum(YELLOW_WITH_RED_DEG, hue[0] + BOTH_APART_DEG))
        misfit[1] = shining[1] & ((hue[1] > HUES[1, 1]) | (np.where(shining[0], ~both, hue[1] < HUES[1, 0])))
        shines: npt.NDArray[np.int8] = NAMES[PLACES @ (shining & ~misfit.any(axis=0))]
        if self._any_alone:
            shines[self._alone] = Shine.NOTHING_READ
            for name, (low, high) in zip(NAMES[PLACES], HUES_ALONE, strict=True):
                shines[self._alone & shining[1] & ~shining[0] & (hue[1] >= low) & (hue[1] <= high)] = name
        return shines


def _with_unlit_middle(means: Floats) -> Floats:
    """Means over boxes of two lamps: the middle lamp, which they lack, is as dark as the darker one."""
    for part in (LAMPS, LEFT, RIGHT, HALOS, SPOTS):
        by_lamp = means[:, :, part].reshape(*means.shape[:2], 3, -1)
        by_lamp[:, :, 1] = np.minimum(by_lamp[:, :, 0], by_lamp[:, :, 2])
        means[:, :, part] = by_lamp.reshape(*means.shape[:2], -1)
    return means


def _axes(colours: Floats) -> Floats:
    """Luma and two axes of colour difference of (channels, ..., boxes)."""
    values: Floats = (AXES @ colours.reshape(3, -1)).reshape(colours.shape)
    return values


def _goes_on(around: Floats, values: Floats, least: Floats) -> Flags:
    """Whether there is as much of the same colour around, and as bright."""
    along = around[1] * values[1] + around[2] * values[2]
    goes_on: Flags = (along > least) & (around[0] > SPILL_LUMA_SHARE * values[0])
    return goes_on


def _other(shining: Flags, glow: Floats, strength: Floats, hue: Floats) -> Flags:
    """Whether a lamp that does not shine by itself is too bright to be the halo of one that does."""
    share = glow / np.maximum((glow * shining).max(axis=0), 1.0)
    coloured = strength / np.maximum(strength.max(axis=0), 1.0)
    own_hue = (hue >= HUES[:, :1]) & (hue <= HUES[:, 1:])
    other: Flags = share > OTHER_GLOW
    other |= (coloured > OTHER_COLOUR) & (share > OTHER_COLOURED_GLOW)
    other |= own_hue & (coloured > OTHER_OWN_COLOUR) & (share > OTHER_OWN_GLOW)
    return other
