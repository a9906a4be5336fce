"""Which places lie near which: pairs, sought along one axis first: a larger crossing costs little more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def pairs_near(
    places: Array, others: Array, reach_m: tuple[float | Array, float | Array]
) -> tuple[Rows, Rows]:
    """Rows of places (n, 2) and of others (m, 2) within reach east and north of each other, by row.

    reach_m: of all places, or of each (n,).
    """
    order = np.argsort(others[:, 0])
    east = others[order, 0]
    first = east.searchsorted(places[:, 0] - reach_m[0], "left")
    counts = east.searchsorted(places[:, 0] + reach_m[0], "right") - first
    rows = np.arange(len(places)).repeat(counts)
    columns = order[np.arange(len(rows)) + (first + counts - counts.cumsum()).repeat(counts)]
    north = reach_m[1] if isinstance(reach_m[1], float) else reach_m[1][rows]
    near = np.abs(places[rows, 1] - others[columns, 1]) <= north
    return rows[near], columns[near]
