"""The table of tracks: motion, kind, life and sensors of each, one array a column; it can be copied."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.kinds import AGILITY, KINDS, SIZES, learnt
from rsu_agent.perception.motion import Agility, Array, Motion, Rows
from rsu_agent.world.road_user import UserClass

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NEVER_S = -1e9
FRAMES = 4
OF_KIND = [*KINDS, UserClass.UNKNOWN]
SIZE_OF = np.array([SIZES[kind] for kind in OF_KIND])
AGILITY_OF = np.array([AGILITY[kind] for kind in OF_KIND])
UNNAMED = len(KINDS)


@dataclass(slots=True)
class Tracks:
    """Columns have one entry a track. sensors: (n, sensors) when each was measured last, NEVER_S: never.
    frames_s: (n, sensors, FRAMES) the last frames in which it was; not those of bare echoes, of which a body
    gives several.

    heading: degrees clockwise from north, NaN while never seen moving. odds: log-odds of KINDS, (n, kinds).
    """

    sensor_count: int
    motion: Motion = field(default_factory=Motion)
    number: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    born_s: Array = field(default_factory=lambda: np.zeros(0))
    seen_s: Array = field(default_factory=lambda: np.zeros(0))
    hits: Array = field(default_factory=lambda: np.zeros(0))
    camera_hits: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    confirmed: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    heading_deg: Array = field(default_factory=lambda: np.zeros(0))
    odds: Array = field(default_factory=lambda: np.zeros((0, len(KINDS))))
    kind: Ints = field(default_factory=lambda: np.zeros(0, np.int64))  # place in OF_KIND
    sensors: Array = field(default_factory=lambda: np.zeros((0, 0)))
    frames_s: Array = field(default_factory=lambda: np.zeros((0, 0, 0)))
    next_number: int = 1

    def __post_init__(self) -> None:
        if not len(self.number):
            self.sensors = np.zeros((0, self.sensor_count))
            self.frames_s = np.zeros((0, self.sensor_count, FRAMES))

    def __len__(self) -> int:
        return len(self.number)

    def copy(self) -> Tracks:
        """The same, for going back to it."""
        columns = {name: getattr(self, name).copy() for name in COLUMNS}
        return replace(self, motion=self.motion.copy(), **columns)

    def predict(self, at_s: float) -> None:
        """Move all on to an instant; time never goes back."""
        along, across = AGILITY_OF[self.kind].T
        self.motion.predict(at_s, Agility(along, across))

    def add(self, points: Array, covariances: Array, at_s: float, velocities: Array | None = None) -> Rows:
        """New tracks; their rows."""
        count, first = len(points), len(self)
        self.motion.add(points, covariances, velocities)
        new = {
            "number": np.arange(self.next_number, self.next_number + count),
            "born_s": np.full(count, at_s),
            "seen_s": np.full(count, at_s),
            "hits": np.zeros(count),
            "camera_hits": np.zeros(count, np.int64),
            "confirmed": np.zeros(count, np.bool_),
            "heading_deg": np.full(count, np.nan),
            "odds": np.zeros((count, len(KINDS))),
            "kind": np.full(count, UNNAMED),
            "sensors": np.full((count, self.sensor_count), NEVER_S),
            "frames_s": np.full((count, self.sensor_count, FRAMES), NEVER_S),
        }
        for name, values in new.items():
            setattr(self, name, np.concatenate([getattr(self, name), values]))
        self.next_number += count
        return np.arange(first, first + count)

    def widen(self) -> None:
        """One more sensor."""
        self.sensor_count += 1
        self.sensors = np.pad(self.sensors, ((0, 0), (0, 1)), constant_values=NEVER_S)
        self.frames_s = np.pad(self.frames_s, ((0, 0), (0, 1), (0, 0)), constant_values=NEVER_S)

    def keep(self, mask: Flags) -> None:
        """Drop the others."""
        self.motion.keep(mask)
        for name in COLUMNS:
            setattr(self, name, getattr(self, name)[mask])

    def told(self, rows: Rows, likelihoods: Array) -> None:
        """What cameras say of the kind of these tracks, (m, kinds)."""
        odds = self.odds[rows] = learnt(self.odds[rows], likelihoods)
        self.kind[rows] = np.where(odds.any(axis=1), odds.argmax(axis=1), UNNAMED)

    def framed(self, rows: Rows, sensor: int, at_s: float) -> None:
        """A sensor that gives each user once has given these, in one frame."""
        frames = self.frames_s[rows, sensor]
        frames[:, 1:] = frames[:, :-1].copy()
        frames[:, 0] = at_s
        self.frames_s[rows, sensor] = frames

    def sizes(self) -> Array:
        """Length, width and height (n, 3) by kind."""
        return np.asarray(SIZE_OF[self.kind], np.float64)


COLUMNS = tuple(
    each.name for each in fields(Tracks) if each.name not in ("sensor_count", "motion", "next_number")
)
