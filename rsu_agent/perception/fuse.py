"""Fusion: what all sensors measured, in any order of arrival, into tracked road users. Sans-IO."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.footprint import to_middles
from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.life import MOST_AT_ONCE, Associate, Life
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.tracks import OF_KIND, SIZE_OF, Tracks
from rsu_agent.ports.devices import RadarFrame, RadarPoint, RadarTarget
from rsu_agent.world.road_user import RoadUser, road_users

OLDEST_S = 0.5  # measurements later than this are dropped and counted
RECENT_S = 1.0
STILL_MPS = 0.5


class Fusion:
    """One crossing's tracks. Times are monotonic seconds.

    What arrives waits until `users` is asked; then all is taken in the order in which it was measured. What
    comes late is put into its place: the tracks go back to before it, and what was measured since is taken
    in once more.
    """

    def __init__(
        self,
        cameras: Mapping[str, GroundCamera],
        radars: Mapping[str, GroundRadar],
        roadway: Roadway,
        most_at_once: int = MOST_AT_ONCE,
        associate: Associate | None = None,
    ) -> None:
        """associate: instead of the gate, costs of pairs of tracks and detections (life.py)."""
        self._cameras, self._radars, self._roadway = cameras, radars, roadway
        self._life = Life(roadway, most_at_once, associate)
        self._names = [*cameras, *radars]
        self._tracks = Tracks(len(self._names))
        self._waiting: list[Measured] = []
        self._taken: list[tuple[Measured, Tracks]] = []  # with the tracks as they were before
        self._newest_s = -math.inf
        self._factors: dict[str, float] = {}
        self.counters: Counter[str] = Counter()

    def trust(self, name: str, factor: float) -> None:
        """From now on the covariances of this camera's places are so many times as large; 1: as measured."""
        self._factors[name] = factor

    def camera(self, name: str, found: Sequence[Detection], captured_s: float) -> None:
        """The detections of one picture."""
        eye = self._cameras[name]
        points, good = eye.to_ground(np.array([item.ground for item in found]).reshape(-1, 2))
        good &= np.array([self._roadway.near(x, y) for x, y in points], bool).reshape(-1)
        own = [item for item, keep in zip(found, good, strict=True) if keep]
        classes, scores = tuple(item.kind for item in own), np.array([item.score for item in own])
        points = points[good]
        spreads = eye.covariance(points) * self._factors.get(name, 1.0)
        points, spreads = to_middles(points, spreads, own, eye.eye[:2], self._roadway)
        self.take(Measured(name, "camera", captured_s, points, spreads, classes=classes, scores=scores))

    def radar(self, name: str, frame: RadarFrame) -> None:
        """The echoes of one radar cycle; of a radar that gives none, the targets that it follows itself."""
        eye = self._radars[name]
        if frame.points or not frame.targets:
            points = _on_ground(eye, frame.points)
            dopplers = np.array([point.doppler_mps for point in frame.points])
            self._from_radar(name, "returns", points, dopplers, frame.measured_s)
            return
        targets = [target for target in frame.targets if target.measured]
        velocities = np.array([(t.vx_forward_mps, t.vy_left_mps) for t in targets]).reshape(-1, 2)
        points = _on_ground(eye, targets)
        dopplers = (eye.turned_out(velocities) * eye.rays(points)).sum(axis=1)
        self._from_radar(name, "radar", points, dopplers, frame.measured_s)

    def _from_radar(
        self,
        name: str,
        kind: Literal["radar", "returns"],
        points: Array,
        dopplers_mps: Array,
        measured_s: float,
    ) -> None:
        eye = self._radars[name]
        spreads = eye.covariance(points)
        self.take(Measured(name, kind, measured_s, points, spreads, dopplers_mps, eye.place))

    def take(self, measured: Measured) -> None:
        """One sensor's word, early or late."""
        if self._newest_s - measured.measured_s > OLDEST_S:
            self.counters["too_late"] += 1
            return
        self._newest_s = max(self._newest_s, measured.measured_s)
        self._waiting.append(measured)

    def users(self, at_s: float) -> list[RoadUser]:
        """Confirmed users at an instant, which may lie a little ahead of the newest measurement."""
        self._settle()
        tracks, rows = self._tracks, np.flatnonzero(self._tracks.confirmed)
        mean, variances = tracks.motion.means()[:, rows], tracks.motion.place_variances()[:, rows]
        speed = np.hypot(mean[2], mean[3])
        ahead = at_s - tracks.motion.at_s
        x, y = ((mean[axis] + mean[2 + axis] * ahead).tolist() for axis in (0, 1))
        kinds = tracks.kind[rows]
        return road_users(
            tracks.number[rows].tolist(),
            [OF_KIND[place] for place in kinds.tolist()],
            x,
            y,
            mean[2].tolist(),
            mean[3].tolist(),
            np.where(speed > STILL_MPS, speed, 0.0).tolist(),
            self._headings(tracks.heading_deg[rows].tolist(), x, y),
            *SIZE_OF[kinds].T.tolist(),
            np.sqrt(variances.max(axis=0)).tolist(),
            self._sources(at_s - tracks.sensors[rows] < RECENT_S),
            tracks.born_s[rows].tolist(),
            [None] * len(rows),
        )

    def _headings(self, known: list[float], x: list[float], y: list[float]) -> list[float | None]:
        """Of who was never seen moving, the lane's under it."""
        return [
            self._roadway.heading(x[row], y[row]) if math.isnan(heading) else heading
            for row, heading in enumerate(known)
        ]

    def _sources(self, recent: npt.NDArray[np.bool_]) -> list[tuple[str, ...]]:
        """Names in order of the sensors that are told, (n, sensors)."""
        order = sorted(range(len(self._names)), key=self._names.__getitem__)
        names = [self._names[column] for column in order]
        keys = (recent[:, order] @ (1 << np.arange(len(names)))).tolist()
        told = {key: tuple(name for at, name in enumerate(names) if key >> at & 1) for key in set(keys)}
        return [told[key] for key in keys]

    def _settle(self) -> None:
        """Take in what waits, in the order in which it was measured."""
        if not self._waiting:
            return
        coming, self._waiting = self._waiting, []
        earliest_s = min(each.measured_s for each in coming)
        for place, (measured, before) in enumerate(self._taken):
            if measured.measured_s > earliest_s:
                self._tracks = before
                coming += [again for again, _ in self._taken[place:]]
                del self._taken[place:]
                break
        for measured in sorted(coming, key=_when):
            self._taken.append((measured, self._tracks.copy()))
            self._life.take(self._tracks, measured, self._column(measured.sensor))
        oldest_s = self._newest_s - OLDEST_S
        self._taken = [pair for pair in self._taken if pair[0].measured_s >= oldest_s]

    def _column(self, sensor: str) -> int:
        if sensor not in self._names:
            self._names.append(sensor)
            for tracks in (self._tracks, *(before for _, before in self._taken)):
                tracks.widen()
        return self._names.index(sensor)


def _on_ground(eye: GroundRadar, told: Sequence[RadarPoint | RadarTarget]) -> Array:
    """Places east and north (n, 2)."""
    forward, left = np.array([(each.x_forward_m, each.y_left_m) for each in told]).reshape(-1, 2).T
    return eye.to_ground(forward, left)


def _when(measured: Measured) -> float:
    return measured.measured_s
