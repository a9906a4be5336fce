"""What the unlit part of each housing looks like: learnt while a lamp is read, missed when it is hidden."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lamp_boxes import Flags, Floats, Shine

LEARNS_S = 20.0  # light and shadow change the picture more slowly than who passes in front
UNLEARNS_S = 120.0  # what looks otherwise than it did must stay so for longer than a bus waits
FORGETS_S = 300.0  # by then it may be in another light
KNOWN_AFTER = 4  # pictures learnt from
KNOWN_SHARE = 0.4  # of a housing's samples
PLAIN_LUMA = 4.0  # spread of luma below which a housing has no features that could be missed
ALIKE, ALIKE_BY_LUMA, ALIKE_MOST = (
    0.5,
    0.0125,
    0.85,
)  # correlation with what was learnt; less where noise counts
UNLIT, RED, GREEN = int(Shine.UNLIT), int(Shine.RED), int(Shine.GREEN)
SHOWN = (
    np.array(  # by what shines: which rows (above, three lamps, below) are not lit; nothing is learnt of 0
        [
            [0, 0, 0, 0, 0],
            [1, 1, 1, 1, 1],
            [0, 0, 1, 1, 1],
            [1, 1, 0, 1, 1],
            [1, 1, 1, 0, 0],
            [0, 0, 0, 1, 1],
        ],
        np.float32,
    )
)


class Housings:
    """One learnt patch a box. cells: each sample's lamp (-1 above, 3 below); beside: not of the housing."""

    def __init__(self, count: int, cells: npt.NDArray[np.int8], beside: Flags) -> None:
        self._shown = SHOWN[:, cells + 1]
        self._within = (~beside).astype(np.float32)
        self._patch = np.zeros((count, len(cells)), np.float32)
        self._times = np.zeros((count, len(cells)), np.float32)
        self._known = np.zeros((count, len(cells)), np.float32)
        self._shone = np.zeros(count, np.int8)
        self._at_s: float | None = None

    def compare(self, luma: Floats, shines: npt.NDArray[np.int8]) -> tuple[Flags, Flags]:
        """Which housings look as they were learnt, alone or with their surroundings, and which do not.

        Neither where too little is known, or where it has no features.
        """
        known = self._known * self._shown[np.where(shines == 0, UNLIT, shines)]
        seen, alike = _correlated(luma, self._patch, known, known.shape[1])
        again = np.flatnonzero(~alike)
        if len(again):
            within = known[again] * self._within
            seen_in, alike_in = _correlated(luma[again], self._patch[again], within, int(self._within.sum()))
            alike[again] = alike_in
            seen[again] |= seen_in
        return alike, seen & ~alike

    def learn(
        self,
        luma: Floats,
        shines: npt.NDArray[np.int8],
        plain: Flags,
        alike: Flags,
        unlike: Flags,
        at_s: float,
    ) -> Flags:
        """Takes a picture in, where it says what the last one taken in did, and plainly: it tells where."""
        steady: Flags = (shines == self._shone) & np.where(shines == UNLIT, alike, plain & (shines > UNLIT))
        passed_s = 0.0 if self._at_s is None else at_s - self._at_s
        self._shone, self._at_s = shines.copy(), at_s
        if steady.any():
            learnt = self._shown[shines] * steady[:, None]
            rate = np.maximum(1.0 / (self._times + 1.0), min(1.0, passed_s / LEARNS_S))
            rate[unlike] = min(1.0, passed_s / UNLEARNS_S)
            self._patch += rate * learnt * (luma - self._patch)
            self._times += learnt * ~unlike[:, None]
            self._known = (self._times >= KNOWN_AFTER).astype(np.float32)
        steady &= ~unlike
        return steady


class UnlitLamps:
    """Mean colour of each lamp while it does not shine; a lens by day has one, too.

    A lamp's neighbour that shines lends it colour, so the red lamp is learnt while green shines or none, the
    green one while red shines or none, the yellow one in the middle between both. lamps: (channels, lamps,
    boxes); known: (lamps, boxes).
    """

    def __init__(self, count: int) -> None:
        self.lamps = np.zeros((3, 3, count), np.float32)
        self.known = np.zeros((3, count), bool)
        self._means = np.zeros((count, len(SHOWN), 3, 3), np.float32)
        self._times = np.zeros((count, len(SHOWN)), np.float32)
        self._last_s = np.zeros((count, len(SHOWN)))

    def learn(self, lamps: Floats, shines: npt.NDArray[np.int8], steady: Flags, at_s: float) -> None:
        """lamps: (boxes, channels, lamps) means; taken in where steady."""
        row = np.flatnonzero(steady)
        what = shines[row]
        rate = np.maximum(1.0 / (self._times[row, what] + 1.0), (at_s - self._last_s[row, what]) / LEARNS_S)
        means = self._means[row, what]
        self._means[row, what] = means + np.minimum(rate, 1.0)[:, None, None] * (lamps[row] - means)
        self._times[row, what] += 1.0
        self._last_s[row, what] = at_s
        good = (self._times >= KNOWN_AFTER) & (at_s - self._last_s < FORGETS_S)
        none, red, green = good[:, UNLIT], good[:, RED], good[:, GREEN]
        self.known = np.stack([none | green, none | (red & green), none | red])
        between = (self._means[:, RED, :, 1] + self._means[:, GREEN, :, 1]) / 2
        apart = np.stack([self._means[:, GREEN, :, 0], between, self._means[:, RED, :, 2]], axis=2)
        every = np.where(none[:, None, None], self._means[:, UNLIT], apart)
        self.lamps = np.ascontiguousarray(every.transpose(1, 2, 0))


def _correlated(one: Floats, other: Floats, weight: Floats, whole: int) -> tuple[Flags, Flags]:
    """Whether enough with features is known of each row, and whether both are alike there."""
    total = weight.sum(axis=1)
    safe = np.maximum(total, 1.0)
    a = (one - (np.einsum("np,np->n", one, weight) / safe)[:, None]) * weight
    b = (other - (np.einsum("np,np->n", other, weight) / safe)[:, None]) * weight
    aa, bb, ab = (np.einsum("np,np->n", x, y) for x, y in ((a, a), (b, b), (a, b)))
    known = (total >= KNOWN_SHARE * whole) & (bb >= PLAIN_LUMA**2 * safe)
    wanted = np.minimum(ALIKE_MOST, ALIKE + ALIKE_BY_LUMA * np.sqrt(bb / safe))
    return known, known & (ab >= wanted * np.sqrt(aa * bb))
