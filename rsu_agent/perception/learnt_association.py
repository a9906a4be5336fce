"""The learnt association: how likely each detection belongs to each track, by a small net, as costs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.associate import GATE, GATE_WITH_DOPPLER, Costs
from rsu_agent.perception.life import SECOND_GATE
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.onnx import Model
from rsu_agent.perception.onnx_file import checksum
from rsu_agent.perception.pair_features import FEATURES, pairs
from rsu_agent.perception.tracks import Tracks

HEAD = "rsu_association"
BUNDLED = "models/association/association.onnx"
LEAST_LOGIT = math.log(
    0.05 / 0.95
)  # outside the classical gate, pairs less likely than one in twenty are none
DISTANCE, DOPPLER, HAS_DOPPLER = (FEATURES.index(name) for name in ("distance", "doppler", "has_doppler"))
MAKE = "make it again: python -m models.train_association --out models/association"
MOST_MANIFEST_BYTES = 16_384


class LearntAssociation:
    """Takes the place of `life.by_gate`. Raises ModelRefused for a file that is missing, spoilt or another.

    The cost is SECOND_GATE less the net's logit, so that a weak detection goes on with a track only where it
    is likelier than not to be its own.
    """

    def __init__(self, path: Path) -> None:
        _as_the_manifest_says(path)
        self._model = Model(path)
        told = self._model.metadata
        if told.get("head") != HEAD or told.get("features") != ",".join(FEATURES):
            raise ModelRefused(f"{path.name}: its inputs are not those of this version; {MAKE}")
        (logits, *more) = self._model.tried({"pairs": np.zeros((2, len(FEATURES)), np.float32)})
        if more or logits.shape != (2,) or not np.isfinite(logits).all():
            raise ModelRefused(f"{path.name}: does not give one finite number a pair; {MAKE}")

    def __call__(self, tracks: Tracks, measured: Measured, told: Array | None) -> Costs:
        """What the pairs cost that may be."""
        found = pairs(tracks, measured, told)
        if not len(found.rows):
            return Costs(found.rows, found.columns, np.zeros(0))
        (logits,) = self._model.run({"pairs": found.features})
        held = in_gate(found.features) | (logits > LEAST_LOGIT)
        held &= np.isfinite(logits)
        return Costs(found.rows[held], found.columns[held], SECOND_GATE - logits[held].astype(np.float64))


def in_gate(features: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which pairs the classical gate holds (p,): for these a doubting net begins no second track."""
    gate = np.where(features[:, HAS_DOPPLER] > 0, GATE_WITH_DOPPLER, GATE)
    return np.asarray(features[:, DISTANCE] + features[:, DOPPLER] ** 2 < gate, bool)


def _as_the_manifest_says(path: Path) -> None:
    manifest = path.with_name("manifest.json")
    if not path.exists():
        raise ModelRefused(f"{path}: there is no such file; {MAKE}")
    try:
        with manifest.open("rb") as file:
            told: Any = json.loads(file.read(MOST_MANIFEST_BYTES))
        wanted = told["sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelRefused(f"{manifest}: cannot be read ({error!r}); {MAKE}") from None
    if checksum(path) != wanted:
        raise ModelRefused(f"{path.name}: not the file of its manifest (sha256); {MAKE}")
