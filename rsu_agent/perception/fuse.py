"""Fusion: camera detections and radar returns, in any order, into tracked road users. Sans-IO."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads import Detection
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.tracks import FAR, Tracks, assign
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.world.place import heading_deg
from rsu_agent.world.road_user import RoadUser, UserClass

OLDEST_S = 0.5  # measurements later than this are dropped and counted
CONFIRM_HITS, RADAR_HITS = 4, 9
TENTATIVE_S, CONFIRMED_S, STANDING_S = 0.35, 0.6, 1.8
MOVING_MPS = 1.0  # from here the velocity tells the heading
STILL_MPS = 0.5
RADAR_CLUSTER_M = 2.2
BORN_MPS = 0.9  # radar returns slower than this do not begin a track
RECENT_S = 1.0
DOPPLER_SD = 0.35
SAME_SPEED_MPS = 2.5
BODY_MARGIN_M = 0.7

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
LONGEST_BODY_M = max(length for length, _, _ in SIZES.values())


@dataclass(slots=True)
class Life:
    """What the arrays do not hold of one track."""

    track: int
    born_s: float
    seen_s: float
    hits: int = 0
    camera_hits: int = 0
    confirmed: bool = False
    heading: float | None = None
    votes: dict[UserClass, float] = field(default_factory=dict)
    sensors: dict[str, float] = field(default_factory=dict)

    @property
    def kind(self) -> UserClass:
        """The class with the most votes."""
        return max(self.votes, key=lambda kind: self.votes[kind], default=UserClass.UNKNOWN)


class Fusion:
    """One crossing's tracks. Times are monotonic seconds."""

    def __init__(
        self, cameras: dict[str, GroundCamera], radars: dict[str, GroundRadar], roadway: Roadway
    ) -> None:
        self._cameras, self._radars, self._roadway = cameras, radars, roadway
        self._tracks = Tracks()
        self._lives: list[Life] = []
        self._next = 1
        self.counters: Counter[str] = Counter()

    def camera(self, name: str, found: Sequence[Detection], captured_s: float) -> None:
        """The detections of one picture."""
        lag_s = self._advance(captured_s)
        if lag_s is None:
            return
        eye = self._cameras[name]
        pixels = np.array([item.ground for item in found]).reshape(-1, 2)
        points, good = eye.to_ground(pixels)
        good &= np.array([self._roadway.near(x, y) for x, y in points], bool).reshape(-1)
        covariances = eye.covariance(points)
        unused = self._match(name, found, points, covariances, good, lag_s, captured_s)
        self._begin(name, found, points, covariances, unused, captured_s)
        self._end(captured_s)

    def radar(self, name: str, frame: RadarFrame) -> None:
        """The returns of one radar cycle."""
        lag_s = self._advance(frame.measured_s)
        if lag_s is None or not frame.points:
            return
        eye = self._radars[name]
        forward = np.array([point.x_forward_m for point in frame.points])
        left = np.array([point.y_left_m for point in frame.points])
        points = eye.to_ground(forward, left)
        dopplers = np.array([point.doppler_mps for point in frame.points])
        rays, covariances = eye.rays(points), eye.covariance(points)
        taken = self._returns(name, points, rays, dopplers, covariances, lag_s, frame.measured_s)
        self._begin_by_radar(name, points, covariances, dopplers, ~taken, frame.measured_s)
        self._end(frame.measured_s)

    def users(self, at_s: float) -> list[RoadUser]:
        """Confirmed users at an instant, which may lie a little ahead of the newest measurement."""
        ahead = at_s - self._tracks.at_s
        users = []
        for i, life in enumerate(self._lives):
            if life.confirmed:
                x, y, vx, vy = (float(v) for v in self._tracks.state[i])
                spread = self._tracks.covariance[i]
                users.append(self._user(life, x + vx * ahead, y + vy * ahead, vx, vy, spread, at_s))
        return users

    def _user(
        self,
        life: Life,
        x: float,
        y: float,
        vx: float,
        vy: float,
        covariance: npt.NDArray[np.float64],
        at_s: float,
    ) -> RoadUser:
        speed = math.hypot(vx, vy)
        length, width, height = SIZES[life.kind]
        heading = life.heading if life.heading is not None else self._roadway.heading(x, y)
        recent = tuple(sorted(name for name, seen_s in life.sensors.items() if at_s - seen_s < RECENT_S))
        spread = math.sqrt(max(covariance[0, 0], covariance[1, 1]))
        return RoadUser(
            track=life.track,
            kind=life.kind,
            x_east_m=x,
            y_north_m=y,
            vx_east_mps=vx,
            vy_north_mps=vy,
            speed_mps=speed if speed > STILL_MPS else 0.0,
            heading_deg=heading,
            length_m=length,
            width_m=width,
            height_m=height,
            position_sd_m=spread,
            sources=recent,
            first_seen_s=life.born_s,
        )

    def _advance(self, measured_s: float) -> float | None:
        """Move the states on; how far the measurement lies behind them, None when it is too old."""
        self._tracks.predict(measured_s)
        lag_s = self._tracks.at_s - measured_s
        if lag_s > OLDEST_S:
            self.counters["too_late"] += 1
            return None
        return lag_s

    def _match(
        self,
        name: str,
        found: Sequence[Detection],
        points: npt.NDArray[np.float64],
        covariances: npt.NDArray[np.float64],
        wanted: npt.NDArray[np.bool_],
        lag_s: float,
        at_s: float,
    ) -> npt.NDArray[np.intp]:
        """Assign these detections to tracks and update them; the ones that no gate holds come back."""
        columns = np.flatnonzero(wanted)
        costs = self._tracks.costs(points[columns], covariances[columns], lag_s)
        gated = (costs < FAR).any(axis=0) if len(costs) else np.zeros(len(columns), bool)
        rows, picks = assign(costs)
        chosen = columns[picks]
        self._tracks.update(rows, points[chosen], covariances[chosen], lag_s)
        for row, column in zip(rows, chosen, strict=True):
            self._hit(int(row), name, at_s)
            life, item = self._lives[row], found[column]
            life.camera_hits += 1
            life.votes[item.kind] = 0.95 * life.votes.get(item.kind, 0.0) + item.score
        return np.asarray(columns[~gated], np.intp)

    def _begin(
        self,
        name: str,
        found: Sequence[Detection],
        points: npt.NDArray[np.float64],
        covariances: npt.NDArray[np.float64],
        columns: npt.NDArray[np.intp],
        at_s: float,
    ) -> None:
        if not len(columns):
            return
        self._tracks.add(points[columns], covariances[columns])
        for column in columns:
            life = self._new(name, at_s)
            life.camera_hits = 1
            life.votes[found[column].kind] = found[column].score

    def _new(self, name: str, at_s: float) -> Life:
        life = Life(self._next, at_s, at_s, hits=1, sensors={name: at_s})
        self._next += 1
        self._lives.append(life)
        return life

    def _hit(self, row: int, name: str, at_s: float) -> None:
        life = self._lives[row]
        life.hits += 1
        life.seen_s = max(life.seen_s, at_s)
        life.sensors[name] = at_s
        vx, vy = self._tracks.state[row, 2:]
        if math.hypot(vx, vy) > MOVING_MPS and life.hits > 3:
            life.heading = heading_deg(float(vx), float(vy))

    def _returns(
        self,
        name: str,
        points: npt.NDArray[np.float64],
        rays: npt.NDArray[np.float64],
        dopplers: npt.NDArray[np.float64],
        covariances: npt.NDArray[np.float64],
        lag_s: float,
        at_s: float,
    ) -> npt.NDArray[np.bool_]:
        """Give each return to the track whose body it lies on; a track is updated once with their mean."""
        taken = np.zeros(len(points), bool)
        if not self._lives:
            return taken
        state = self._tracks.state
        seen = state[:, :2] - state[:, 2:] * lag_s
        away = np.hypot(points[None, :, 0] - seen[:, None, 0], points[None, :, 1] - seen[:, None, 1])
        reach = np.array([0.6 + SIZES[life.kind][0] / 2 for life in self._lives])
        reach += np.sqrt(np.maximum(self._tracks.covariance[:, 0, 0], self._tracks.covariance[:, 1, 1])).clip(
            0, 1.5
        )
        radial = state[:, 2:] @ rays.T
        loose = np.sqrt(self._tracks.covariance[:, 2, 2] + self._tracks.covariance[:, 3, 3])
        fits = (away < reach[:, None]) & (np.abs(radial - dopplers[None]) < 1.5 + 2 * loose[:, None])
        owner = np.where(fits, away, FAR).argmin(axis=0)
        taken = np.asarray(fits.any(axis=0), bool)
        for row in np.unique(owner[taken]):
            mine = np.flatnonzero(taken & (owner == row))
            length, width, _ = SIZES[self._lives[row].kind]
            # Returns lie on the near side of the body: its centre is farther by a part of its width.
            point = points[mine].mean(axis=0) + rays[mine[0]] * width * 0.25
            body = np.eye(2) * (length / 4) ** 2 / max(1.0, math.sqrt(len(mine)))
            covariance = covariances[mine].mean(axis=0) + body
            self._tracks.update(np.array([row]), point[None], covariance[None], lag_s)
            self._tracks.update_doppler(
                int(row), rays[mine].mean(axis=0), float(dopplers[mine].mean()), DOPPLER_SD
            )
            self._hit(int(row), name, at_s)
        return taken

    def _begin_by_radar(
        self,
        name: str,
        points: npt.NDArray[np.float64],
        covariances: npt.NDArray[np.float64],
        dopplers: npt.NDArray[np.float64],
        unused: npt.NDArray[np.bool_],
        at_s: float,
    ) -> None:
        """Moving returns on the carriageway that lie on no track begin one, a cluster each."""
        left = [int(i) for i in np.flatnonzero(unused & (np.abs(dopplers) > BORN_MPS))]
        while left:
            first = left.pop(0)
            near = [i for i in left if math.dist(points[i], points[first]) < RADAR_CLUSTER_M]
            members = [first, *near]
            left = [i for i in left if i not in near]
            point = points[members].mean(axis=0)
            if self._roadway.on_road(float(point[0]), float(point[1])):
                self._tracks.add(point[None], covariances[[first]] + np.eye(2) * 0.5)
                self._new(name, at_s)

    def _end(self, now_s: float) -> None:
        """Confirm, let go, and join doubles."""
        alive = np.ones(len(self._lives), bool)
        for i, life in enumerate(self._lives):
            needed = CONFIRM_HITS if life.camera_hits >= 2 else RADAR_HITS
            life.confirmed = life.confirmed or life.hits >= needed
            slow = float(np.hypot(*self._tracks.state[i, 2:])) < STILL_MPS
            patience = TENTATIVE_S if not life.confirmed else STANDING_S if slow else CONFIRMED_S
            alive[i] = now_s - life.seen_s <= patience
        self._join(alive)
        if not alive.all():
            self._tracks.keep(alive)
            self._lives = [life for life, keep in zip(self._lives, alive, strict=True) if keep]

    def _worth(self, i: int) -> tuple[bool, int, float]:
        """Which of two doubles stays: the confirmed one, the one the camera knows, the older."""
        life = self._lives[i]
        return life.confirmed, min(life.camera_hits, CONFIRM_HITS), -life.born_s

    def _same_body(self, i: int, j: int) -> bool:
        """Whether two tracks lie in one vehicle's outline and move alike."""
        state = self._tracks.state
        if math.dist(state[i, 2:], state[j, 2:]) > SAME_SPEED_MPS:
            return False
        if SIZES[self._lives[i].kind][0] < SIZES[self._lives[j].kind][0]:
            i, j = j, i
        length, width, _ = SIZES[self._lives[i].kind]
        dx, dy = (float(v) for v in state[j, :2] - state[i, :2])
        apart = math.hypot(dx, dy)
        if apart < max(0.8, 0.42 * SIZES[self._lives[j].kind][0]):
            return True
        heading = self._lives[i].heading
        if heading is None or apart > length / 2 + BODY_MARGIN_M:
            return False
        angle = math.radians(heading)
        along = dx * math.sin(angle) + dy * math.cos(angle)
        across = dx * math.cos(angle) - dy * math.sin(angle)
        return abs(along) < length / 2 + BODY_MARGIN_M and abs(across) < width / 2 + BODY_MARGIN_M / 2

    def _join(self, alive: npt.NDArray[np.bool_]) -> None:
        """Two tracks in one body that move alike are one: the older identity stays."""
        state = self._tracks.state
        apart = np.hypot(*(state[:, None, :2] - state[None, :, :2]).transpose(2, 0, 1))
        for i, j in np.argwhere(np.triu(apart < LONGEST_BODY_M / 2 + BODY_MARGIN_M, 1)).tolist():
            if alive[i] and alive[j] and self._same_body(i, j):
                older, younger = (i, j) if self._worth(i) >= self._worth(j) else (j, i)
                alive[younger] = False
                for kind, votes in self._lives[younger].votes.items():
                    mine = self._lives[older].votes
                    mine[kind] = mine.get(kind, 0.0) + votes
