"""What a tracker has reported: one row a user and asked instant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Result:
    """t_index: place of the asked instant; id: of the track; xy (m), v (m/s), both (rows, 2)."""

    t_index: Ints
    id: Ints
    xy: Array
    v: Array

    def save(self, path: Path) -> None:
        """Write a file."""
        with path.open("wb") as file:
            np.savez(file, t_index=self.t_index, id=self.id, xy=self.xy, v=self.v)

    @classmethod
    def load(cls, path: Path) -> Result:
        """Read a file that `save` or a peer wrote."""
        with np.load(path) as file:
            return cls(file["t_index"], file["id"], file["xy"].reshape(-1, 2), file["v"].reshape(-1, 2))

    def at(self, step: int) -> slice:
        """The rows of one asked instant; rows are in order."""
        begin, end = np.searchsorted(self.t_index, [step, step + 1])
        return slice(int(begin), int(end))
