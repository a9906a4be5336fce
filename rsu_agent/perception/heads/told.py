"""What a model file tells of itself: its tensors, its metadata, and its answer to one plain grey picture."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates
from rsu_agent.perception.onnx import Tensor

STRIDES = (8, 16, 32)
STRIDES_64 = (8, 16, 32, 64)
UNIT_SLACK = 0.01  # half precision and quantised sigmoids overshoot a little
Decode = Callable[[Sequence[Array], float], Candidates]


class NotThis(Exception):
    """The shapes are those of this family, yet it is not: the text says why."""


@dataclass(frozen=True, slots=True)
class Told:
    """A file's inputs and outputs, metadata and producer, and `values`: its outputs for a grey picture of
    width x height, in the file's order. Shapes are taken from there: a dynamic export names none."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    values: tuple[Array, ...]
    metadata: Mapping[str, str]
    producer: str
    width: int
    height: int

    @property
    def single(self) -> Array | None:
        """The only output without its batch dimension; None where there are several."""
        if len(self.values) != 1:
            return None
        value = self.values[0]
        return value[0] if value.ndim > 2 and value.shape[0] == 1 else value

    def cells(self, strides: Sequence[int]) -> list[int]:
        """Cells of each level's grid, of input pixels / stride rounded up."""
        return [-(-self.height // k) * -(-self.width // k) for k in strides]

    def grid(self, strides: Sequence[int]) -> tuple[Array, Array]:
        """(A, 2) column and row of every cell, row by row, strides ascending; (A, 1) its stride."""
        places, sizes = [], []
        for k in strides:
            rows, columns = np.mgrid[0 : -(-self.height // k), 0 : -(-self.width // k)]
            places.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
            sizes.append(np.full((rows.size, 1), k))
        return np.concatenate(places).astype(np.float32), np.concatenate(sizes).astype(np.float32)

    @property
    def names(self) -> tuple[str, ...]:
        """Class names that the metadata lists, in the order of their numbers; none = not listed."""
        found = self._listed("names")
        if isinstance(found, dict) and found.keys() == set(range(len(found))):
            found = [found[number] for number in range(len(found))]
        return tuple(map(str, found)) if isinstance(found, list) else ()

    def _listed(self, key: str) -> Any:
        try:
            return ast.literal_eval(self.metadata.get(key, ""))
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None


@dataclass(frozen=True, slots=True)
class Head:
    """A recognised head. why: by what; classes: how many, None = labels come as numbers.

    recalled: a rule fired that was never tried on a real file, in words; overlapping: boxes still need
    suppression.
    """

    why: str
    decode: Decode
    classes: int | None
    overlapping: bool = True
    recalled: str = ""
    names: tuple[str, ...] = ()


def unit(values: Array) -> bool:
    """Whether numbers can be scores: between 0 and 1 where they are numbers at all."""
    seen = values[np.isfinite(values)]
    return bool(seen.size == 0 or (seen.min() >= -UNIT_SLACK and seen.max() <= 1 + UNIT_SLACK))


def must_be_scores(values: Array, what: str) -> None:
    """Raises NotThis."""
    if not unit(values):
        raise NotThis(
            f"{what} reach from {np.nanmin(values):.3g} to {np.nanmax(values):.3g}, not from 0 to 1"
        )
