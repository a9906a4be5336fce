"""How soon vulnerable users in the conflict area are reported."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from hil.bench.fusion.config import Config
from hil.bench.fusion.gospa import apart
from hil.bench.fusion.measurements import Ints, Measurements
from hil.bench.fusion.result import Result
from hil.bench.fusion.truth import VULNERABLE, Truth
from hil.world.crossing_read import inside

SOON_S = 1.0


def first_reports(config: Config, truth: Truth, measured: Measurements, result: Result) -> list[bool]:
    """One entry a vulnerable user (pedestrian, bicycle, motorcycle) that comes into the conflict area.

    Conflict area: the carriageway between the stop lines, crosswalks included. A user counts from the first
    scored step at which its middle is in it and at least one pole sees it freely: within the pole's field, no
    other user's box in the line of sight. True: at that step or within 1.0 s after it a report lies within
    match_m of it, users and reports of the step assigned one to one by least distance. Left out: who was in
    the area before the scored steps, and who counts from less than 1.0 s before the end.
    """
    first = _first_steps(config, truth, measured)
    soon = round(SOON_S / config.step_s)
    by_step: dict[int, set[int]] = {}
    for user, step in first.items():
        if step + soon < config.steps:
            for later in range(step, step + soon + 1):
                by_step.setdefault(later, set()).add(user)
    asked = {user for users in by_step.values() for user in users}
    reported: set[int] = set()
    for step, users in by_step.items():
        if users - reported:
            reported |= users & _reported(config, truth, result, step)
    return [user in reported for user in sorted(asked)]


def _first_steps(config: Config, truth: Truth, measured: Measurements) -> dict[int, int]:
    """By user, the step at which it is first in the area and seen."""
    area = np.array(truth.crossing.conflict_area)
    bounds = np.cumsum([0, *(len(step.id) for step in truth.steps)])
    first: dict[int, int] = {}
    before: set[int] = set()
    for number, step in enumerate(truth.steps):
        seen: Ints = measured.clear[bounds[number] : bounds[number + 1]]
        for row in np.flatnonzero(np.isin(step.kind, VULNERABLE)).tolist():
            user = int(step.id[row])
            if user in first or user in before or not inside(area, *step.xy[row].tolist()):
                continue
            if number < config.unscored_steps:
                before.add(user)
            elif seen[row]:
                first[user] = number
    return first


def _reported(config: Config, truth: Truth, result: Result, step: int) -> set[int]:
    """Ids of the users of a step that a report lies near."""
    users, reports = truth.steps[step], result.xy[result.at(step)]
    far = apart(users.xy, reports)
    rows, columns = linear_sum_assignment(np.minimum(far, config.match_m))
    near = far[rows, columns] <= config.match_m
    return set(users.id[rows[near]].tolist())
