"""What kind a road user is, by Bayes over all that cameras have said; sizes and agility of each kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rsu_agent.world.road_user import UserClass

Array = npt.NDArray[np.float64]

KINDS = tuple(kind for kind in UserClass if kind is not UserClass.UNKNOWN)
PLACE: dict[UserClass, int] = {kind: place for place, kind in enumerate(KINDS)}
PLACE_OR_NONE = {**PLACE, UserClass.UNKNOWN: -1}
FAMILIES = (
    (UserClass.CAR, UserClass.TRUCK, UserClass.BUS),
    (UserClass.MOTORCYCLE, UserClass.BICYCLE, UserClass.TRICYCLE, UserClass.CART),
    (UserClass.PEDESTRIAN,),
)
LEAST_SCORE, MOST_SCORE = 0.3, 0.95
IN_FAMILY = 0.8  # of what a wrong name leaves: a truck is called a bus sooner than a pedestrian
FORGETS = 0.97  # a name from long ago counts less
ALONE = 0.3  # a picture tells little that the one before it has not told
MOST_SURE = 8.0  # log-odds

# length, width, height in metres
SIZES: dict[UserClass, tuple[float, float, float]] = {
    UserClass.CAR: (4.5, 1.8, 1.5),
    UserClass.TRUCK: (8.0, 2.4, 3.0),
    UserClass.BUS: (11.0, 2.5, 3.1),
    UserClass.MOTORCYCLE: (2.1, 0.8, 1.4),
    UserClass.BICYCLE: (1.8, 0.6, 1.6),
    UserClass.TRICYCLE: (2.6, 1.1, 1.5),
    UserClass.CART: (2.4, 1.0, 1.6),
    UserClass.PEDESTRIAN: (0.5, 0.6, 1.7),
    UserClass.UNKNOWN: (4.0, 1.7, 1.5),
}

# Spectral densities of acceleration along and across the way, (m/s^2)^2 s. With less, a pedestrian whom a
# neighbour's echo has pulled aside is not found again.
AGILITY: dict[UserClass, tuple[float, float]] = dict.fromkeys(UserClass, (1.5, 1.5)) | {
    UserClass.CAR: (2.0, 1.5),
    UserClass.UNKNOWN: (2.0, 1.5),
}


def _likelihoods() -> Array:
    """(said, true): the chance of each wrong name, by row; the right one is added with its score."""
    wrong = np.zeros((len(KINDS), len(KINDS)))
    for family in FAMILIES:
        own = [PLACE[kind] for kind in family]
        others = [place for place in range(len(KINDS)) if place not in own]
        for true in own:
            near = [place for place in own if place != true]
            share = IN_FAMILY if near else 0.0
            wrong[near, true] = share / max(1, len(near))
            wrong[others, true] = (1.0 - share) / len(others)
    return wrong


WRONG = _likelihoods()


def likelihoods(said: Sequence[UserClass], scores: Array) -> Array:
    """(m, kinds): how likely each detection's name is for each true kind; UNKNOWN tells nothing."""
    told = np.ones((len(said), len(KINDS)))
    sure = np.minimum(np.maximum(scores, LEAST_SCORE), MOST_SCORE)
    place = np.array(list(map(PLACE_OR_NONE.__getitem__, said)), np.intp)
    rows = np.flatnonzero(place >= 0)
    place, sure = place[rows], sure[rows]
    told[rows] = (1.0 - sure)[:, None] * WRONG[place]
    told[rows, place] = sure
    return told


def learnt(before: Array, told: Array) -> Array:
    """Log-odds (n, kinds) after these likelihoods; the most likely kind is at zero."""
    after = ALONE * np.log(told)
    after += FORGETS * before
    after -= np.maximum.reduce(after, axis=1, keepdims=True)
    return np.asarray(np.maximum(after, -MOST_SURE, out=after), np.float64)


def shares(odds: Array) -> Array:
    """Probabilities of the kinds (n, kinds)."""
    weight = np.exp(odds)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), np.float64)
