"""The life of tracks: what is measured goes to them or begins them; they are confirmed, joined and ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rsu_agent.perception import kinds
from rsu_agent.perception.associate import Costs, assign, costs
from rsu_agent.perception.doubles import doubles
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.motion import Rows
from rsu_agent.perception.returns import Echoes, on_bodies
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.tracks import Tracks

SURE = 0.35  # weaker detections only go on with a track
SECOND_GATE = 6.0  # and only near it
WORTH = {"camera": 1.0, "radar": 1.0, "returns": 0.45}  # of a hit
CONFIRMS = 4.0
TENTATIVE_S, CONFIRMED_S, STANDING_S = 0.35, 0.7, 1.8
MOVING_MPS, STILL_MPS = 1.0, 0.5  # from here the velocity tells the heading; below it a user stands
BORN_MPS = 0.9  # bare echoes slower than this begin no track
DOPPLER_SD_MPS = {"camera": 0.35, "radar": 0.3, "returns": 0.35}
OWN_WORD_M, OWN_WORD_LIGHTER = 2.0, 4.0  # a vehicle's own, near its track, against what sensors know
MOST_AT_ONCE = 400  # tracks; more than any crossing holds

# (tracks, measured, likelihoods of the kinds (m, kinds) or None) to what the pairs cost that may be.
Associate = Callable[[Tracks, Measured, Array | None], Costs]


def by_gate(tracks: Tracks, measured: Measured, told: Array | None) -> Costs:
    """Costs by the chi-square gate: Mahalanobis distance of place and Doppler, and how the kinds agree."""
    mean, covariance = tracks.motion.combined()
    doppler = None
    if measured.dopplers_mps is not None:
        doppler = measured.rays(), measured.dopplers_mps, DOPPLER_SD_MPS[measured.kind]
    found = costs(mean, covariance, measured.points, measured.covariances, doppler)
    if told is None:
        return found
    likely = np.einsum("pk,pk->p", kinds.shares(tracks.odds)[found.rows], told[found.columns])
    return Costs(found.rows, found.columns, found.cost - 2 * np.log(likely))


class Life:
    """Rules; the tracks themselves are given."""

    def __init__(
        self, roadway: Roadway, most_at_once: int = MOST_AT_ONCE, associate: Associate | None = None
    ) -> None:
        """most_at_once: tracks; where it is reached none begins. associate: instead of `by_gate`."""
        self._roadway, self._most = roadway, most_at_once
        self._associate = associate or by_gate

    def take(self, tracks: Tracks, measured: Measured, sensor: int) -> None:
        """One sensor's word at its instant, not before that of the tracks. sensor: its column."""
        tracks.predict(measured.measured_s)
        if len(measured.points):
            if measured.kind == "v2x":
                self._own_word(tracks, measured, sensor)
            elif measured.kind == "returns":
                self._echoes(tracks, measured, sensor)
            else:
                self._detections(tracks, measured, sensor)
        self._end(tracks, measured.measured_s)

    def _detections(self, tracks: Tracks, measured: Measured, sensor: int) -> None:
        told = None
        if measured.classes is not None and measured.scores is not None:
            told = kinds.likelihoods(measured.classes, measured.scores)
        pairs = self._associate(tracks, measured, told)
        free = np.ones(len(measured.points), bool) if measured.scores is None else measured.scores >= SURE
        sure = free[pairs.columns]
        if sure.all():
            rows, columns = assign(pairs)
        else:
            rows, columns = assign(pairs.only(sure))
            weak = ~sure & tracks.confirmed[pairs.rows] & (pairs.cost < SECOND_GATE)
            weak &= ~np.isin(pairs.rows, rows)
            more_rows, more_columns = assign(pairs.only(weak))
            rows, columns = np.concatenate([rows, more_rows]), np.concatenate([columns, more_columns])
        free[pairs.columns] = False
        self._update(tracks, measured, rows, columns, told, sensor)
        self._begin(tracks, measured, np.flatnonzero(free), told, sensor)

    def _update(
        self,
        tracks: Tracks,
        measured: Measured,
        rows: Rows,
        columns: Rows,
        told: Array | None,
        sensor: int,
    ) -> None:
        tracks.motion.update(rows, measured.points[columns], measured.covariances[columns])
        if measured.dopplers_mps is not None:
            rays, radial = measured.rays()[columns], measured.dopplers_mps[columns]
            tracks.motion.update_doppler(rows, rays, radial, DOPPLER_SD_MPS[measured.kind])
        if told is not None:
            tracks.told(rows, told[columns])
        self._hit(tracks, rows, measured, sensor)

    def _hit(self, tracks: Tracks, rows: Rows, measured: Measured, sensor: int) -> None:
        tracks.hits[rows] += WORTH[measured.kind]
        tracks.camera_hits[rows] += measured.kind == "camera"
        tracks.seen_s[rows] = measured.measured_s
        tracks.sensors[rows, sensor] = measured.measured_s
        if measured.kind != "returns":
            tracks.framed(rows, sensor, measured.measured_s)

    def _begin(
        self, tracks: Tracks, measured: Measured, columns: Rows, told: Array | None, sensor: int
    ) -> None:
        """New tracks, for what no gate holds."""
        columns = columns[: self._room(tracks)]
        if not len(columns):
            return
        velocities = None
        if measured.dopplers_mps is not None:
            velocities = measured.rays()[columns] * measured.dopplers_mps[columns, None]
        rows = tracks.add(
            measured.points[columns], measured.covariances[columns], measured.measured_s, velocities
        )
        if told is not None:
            tracks.told(rows, told[columns])
        self._hit(tracks, rows, measured, sensor)

    def _own_word(self, tracks: Tracks, measured: Measured, sensor: int) -> None:
        """What vehicles say of themselves: it begins no track, keeps none, and weighs a fifth at most."""
        row_of = {int(number): row for row, number in enumerate(tracks.number)}
        known = [(row_of[number], at) for at, number in enumerate(measured.tracks) if number in row_of]
        rows, columns = np.array(known, np.intp).reshape(-1, 2).T
        mean, covariance = tracks.motion.combined()
        apart_m = np.hypot(*(measured.points[columns] - mean[rows, :2]).T)
        rows, columns = rows[apart_m <= OWN_WORD_M], columns[apart_m <= OWN_WORD_M]
        spreads = measured.covariances[columns] + OWN_WORD_LIGHTER * covariance[rows, :2, :2]
        tracks.motion.update(rows, measured.points[columns], spreads)
        tracks.sensors[rows, sensor] = measured.measured_s

    def _room(self, tracks: Tracks) -> int:
        return max(0, self._most - len(tracks))

    def _echoes(self, tracks: Tracks, measured: Measured, sensor: int) -> None:
        assert measured.dopplers_mps is not None
        bodies, taken = on_bodies(tracks, measured)
        if len(bodies.rows):
            tracks.motion.update(bodies.rows, bodies.points, bodies.covariances)
            tracks.motion.update_doppler(
                bodies.rows, bodies.rays, bodies.dopplers_mps, DOPPLER_SD_MPS["returns"]
            )
            self._hit(tracks, bodies.rows, measured, sensor)
        echoes = Echoes.of(measured, ~taken & (np.abs(measured.dopplers_mps) >= BORN_MPS))
        on_road = [row for row, (x, y) in enumerate(echoes.points) if self._roadway.on_road(x, y)]
        on_road = on_road[: self._room(tracks)]
        rows = tracks.add(
            echoes.points[on_road],
            echoes.covariances[on_road],
            measured.measured_s,
            echoes.velocities[on_road],
        )
        self._hit(tracks, rows, measured, sensor)

    def _end(self, tracks: Tracks, now_s: float) -> None:
        """Confirm, join doubles, forget who is no longer seen."""
        tracks.confirmed |= tracks.hits >= CONFIRMS
        mean = tracks.motion.means().T
        speed = np.hypot(mean[:, 2], mean[:, 3])
        moves = (speed > MOVING_MPS) & (tracks.hits > 3) & (tracks.seen_s == now_s)
        heading = np.degrees(np.arctan2(mean[:, 2], mean[:, 3])) % 360.0
        tracks.heading_deg = np.where(moves, heading, tracks.heading_deg)
        patience = np.where(speed < STILL_MPS, STANDING_S, CONFIRMED_S)
        patience = np.where(tracks.confirmed, patience, TENTATIVE_S)
        alive = now_s - tracks.seen_s <= patience
        alive &= ~doubles(tracks, mean, alive)
        if not alive.all():
            tracks.keep(alive)
