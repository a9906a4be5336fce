"""Which places lie near which: pairs, sought along one axis first: a larger crossing costs little more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def pairs_near(places: Array, others: Array, reach_m: tuple[float, float]) -> tuple[Rows, Rows]:
    """Rows of places (n, 2) and of others (m, 2) within reach east and north of each other, by row."""
    order = np.argsort(others[:, 0])
    east = others[order, 0]
    first = np.searchsorted(east, places[:, 0] - reach_m[0], "left")
    counts = np.searchsorted(east, places[:, 0] + reach_m[0], "right") - first
    rows = np.repeat(np.arange(len(places)), counts)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = order[np.repeat(first, counts) + within]
    near = np.abs(places[rows, 1] - others[columns, 1]) <= reach_m[1]
    flat = np.sort(rows[near] * len(others) + columns[near])
    rows, columns = np.divmod(flat, max(1, len(others)))
    return rows, columns
