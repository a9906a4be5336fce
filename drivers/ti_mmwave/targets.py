"""Tracks that the radar keeps: their layouts, what no tracker would tell."""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from drivers.ti_mmwave.tlvs import BELIEVED
from rsu_agent.ports.devices import RadarTarget

HIGHEST = 249  # target numbers; 250 and up are reasons in the target index
ROUNDING = 0.01  # by so much, as correlation, a covariance may miss being one
NOTHING = 1e-6  # of the largest standard deviation
LEAST = 1e-30  # of a variance in single floats; smaller figures have few digits


@dataclass(frozen=True, slots=True)
class Layout:
    """A target: places among its 32-bit fields. covariance: first field of a square matrix of that order."""

    fields: int
    x: int
    y: int
    vx: int
    vy: int
    covariance: int = 0
    order: int = 0
    confidence: int | None = None

    @property
    def row(self) -> struct.Struct:
        """A whole number and floats."""
        return struct.Struct(f"<I{self.fields - 1}f")


# Bytes of a target -> its layout (facts/radars.md 1.3). Only 112 has been seen on real bytes.
LAYOUTS = {
    112: Layout(28, 1, 2, 4, 5, covariance=10, order=4, confidence=27),
    108: Layout(27, 1, 2, 3, 4, covariance=10, order=4),
    72: Layout(18, 1, 2, 3, 4, covariance=7, order=3, confidence=17),
    68: Layout(17, 1, 2, 3, 4, covariance=7, order=3),
    40: Layout(10, 1, 2, 3, 4),
    28: Layout(7, 1, 2, 3, 4),
}


def read_targets(data: bytes, size: int, counters: Counter[str]) -> Iterator[RadarTarget]:
    """Targets in our axes (x forward, y left). A row that cannot be is counted and left out."""
    layout = LAYOUTS[size]
    for row in layout.row.iter_unpack(data):
        x, y, vx, vy = row[layout.x], row[layout.y], row[layout.vx], row[layout.vy]
        if row[0] > HIGHEST:
            counters["bad_tid"] += 1
        elif not all(abs(figure) <= BELIEVED for figure in (x, y, vx, vy)):
            counters["bad_targets"] += 1
        elif layout.order and not covariance_good(row[layout.covariance :], layout.order):
            counters["bad_covariance"] += 1
        else:
            sure = None if layout.confidence is None else row[layout.confidence]
            exists = sure if sure is not None and 0.0 <= sure <= 1.0 else None
            yield RadarTarget(row[0], y, -x, vy, -vx, exists=exists)


def covariance_good(values: Sequence[float], order: int) -> bool:
    """Whether the first order * order values, row by row, are a positive semi-definite matrix."""
    spreads = [values[i * (order + 1)] for i in range(order)]
    if not all(map(math.isfinite, values[: order * order])) or min(spreads) < 0.0:
        return False
    smallest = max(NOTHING**2 * max(spreads), LEAST)  # below, a spread is rounding
    shared = max(NOTHING * max(spreads), LEAST)  # what it may have in common with another
    lower: list[list[float]] = []  # Cholesky of the correlations, a little added to their diagonal
    for i in range(order):
        row: list[float] = []
        for j in range(i):
            figure = values[i * order + j]
            scale = math.sqrt(spreads[i] * spreads[j]) if min(spreads[i], spreads[j]) > smallest else math.inf
            if scale == math.inf and abs(figure) > shared:
                return False
            rest = figure / scale - sum(map(mul, row, lower[j]))
            row.append(rest / lower[j][j])
        pivot = 1.0 + ROUNDING - sum(figure * figure for figure in row)
        if not pivot > 0.0:
            return False
        lower.append([*row, math.sqrt(pivot)])
    return True
