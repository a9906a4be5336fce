"""GOSPA, the mean of the scored steps: how far reports are from the users, with what is missed and false.

Generalized optimal sub-pattern assignment with alpha 2, after Rahmathullah and others (2017).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from hil.bench.fusion.config import Config
from hil.bench.fusion.result import Array, Result
from hil.bench.fusion.truth import Truth


def gospa(users: Array, reports: Array, order: float, cut_m: float) -> float:
    """Of one instant, metres. users (n, 2), reports (m, 2). One missed or false costs cut^order / 2."""
    far = apart(users, reports)
    paid = np.minimum(far, cut_m) ** order
    if paid.size:
        rows, columns = linear_sum_assignment(paid)
        near = far[rows, columns] < cut_m
        total, pairs = float(paid[rows[near], columns[near]].sum()), int(near.sum())
    else:
        total, pairs = 0.0, 0
    alone = len(users) + len(reports) - 2 * pairs
    return float((total + alone * cut_m**order / 2) ** (1 / order))


def apart(users: Array, reports: Array) -> Array:
    """Distances (n, m) in metres."""
    return np.asarray(np.hypot(*(users[:, None] - reports[None]).transpose(2, 0, 1)), np.float64)


def mean_gospa(config: Config, truth: Truth, result: Result) -> float:
    """Mean over the scored steps of all that lies in the region."""
    found = []
    for number in range(config.unscored_steps, config.steps):
        users, reports = truth.steps[number].xy, result.xy[result.at(number)]
        users, reports = (each[np.hypot(*each.T) < config.region_m] for each in (users, reports))
        found.append(gospa(users, reports, config.gospa_order, config.gospa_cut_m))
    return float(np.mean(found))
