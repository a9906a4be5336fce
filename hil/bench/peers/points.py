"""Peers that track points: stonesoup's global nearest neighbour and norfair. Runs in their environment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from norfair import Detection as NorfairDetection
from norfair import OptimizedKalmanFilterFactory
from norfair import Tracker as NorfairTracker
from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
from stonesoup.deleter.time import UpdateTimeDeleter
from stonesoup.hypothesiser.distance import DistanceHypothesiser
from stonesoup.initiator.simple import MultiMeasurementInitiator
from stonesoup.measures import Mahalanobis
from stonesoup.models.measurement.linear import LinearGaussian
from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
from stonesoup.predictor.kalman import KalmanPredictor
from stonesoup.types.detection import Detection
from stonesoup.types.state import GaussianState
from stonesoup.updater.kalman import KalmanUpdater

from hil.bench.peers.feed import Step
from hil.bench.peers.settings import PERIOD_S

EPOCH = datetime(2000, 1, 1)
REACH_M = 12.0  # of any gate at a crossing
Told = tuple[int, float, float, float, float, float]  # id, x, y, vx, vy, as of which second


class Near(GNNWith2DAssignment):  # type: ignore[misc]
    """Shows each track only what lies near it: the same pairs for a hundredth of the work."""

    def generate_hypotheses(self, tracks: Any, detections: Any, timestamp: Any, **told: Any) -> Any:
        """Hypotheses of all tracks, each with the detections within reach of where it was last."""
        each = list(detections)
        places = np.array([one.state_vector[:, 0] for one in each], float).reshape(-1, 2)
        near = {}
        for track in tracks:
            x, vx, y, vy = np.asarray(track.state_vector, float).ravel()
            ahead = (timestamp - track.timestamp).total_seconds()
            off = places - (x + vx * ahead, y + vy * ahead)
            near[track] = {each[row] for row in np.flatnonzero((off * off).sum(axis=1) < REACH_M**2)}
        return {
            track: self.hypothesiser.hypothesise(track, found, timestamp, **told)
            for track, found in near.items()
        }


class StoneSoup:
    """GNN with a two-dimensional assignment, constant velocity, Kalman filter; the tentative apart.

    It gets every sensor's frame by itself, in time order, each detection with its own covariance. A frame
    older than the newest one taken counts as of that one's instant. `near` 1: pairs farther apart than any
    gate are left out beforehand; 0, as it comes, weighs every pair.
    """

    def __init__(self, settings: dict[str, float]) -> None:
        self._models: dict[bytes, Any] = {}  # of the frame at hand
        noise = ConstantVelocity(settings["noise"])
        self._predictor = KalmanPredictor(CombinedLinearGaussianTransitionModel([noise, noise]))
        self._updater = KalmanUpdater(None)
        self._deleter = UpdateTimeDeleter(timedelta(seconds=settings["lost_s"]))
        self._associator = self._pairs(settings)
        self._initiator = MultiMeasurementInitiator(
            prior_state=GaussianState(np.zeros((4, 1)), np.diag([0, settings["speed_sd"] ** 2] * 2)),
            measurement_model=self._model(np.eye(2)),
            deleter=UpdateTimeDeleter(timedelta(seconds=settings["tentative_s"])),
            data_associator=self._pairs(settings),
            updater=self._updater,
            min_points=int(settings["confirm"]),
        )
        self._tracks: set[Any] = set()
        self._ids: dict[str, int] = {}
        self._at = EPOCH

    def _pairs(self, settings: dict[str, float]) -> Any:
        kind = Near if settings["near"] else GNNWith2DAssignment
        return kind(
            DistanceHypothesiser(
                self._predictor, self._updater, Mahalanobis(), missed_distance=settings["gate"]
            )
        )

    def _model(self, spread: Any) -> Any:
        """One for all detections of this covariance: stonesoup foretells a measurement once a model."""
        model = self._models.get(spread.tobytes())
        if model is None:
            model = LinearGaussian(ndim_state=4, mapping=(0, 2), noise_covar=spread)
            self._models[spread.tobytes()] = model
        return model

    def prepare(self, step: Step) -> list[tuple[datetime, set[Any]]]:
        """A step's frames as stonesoup's detections."""
        frames = []
        for frame in step.frames:
            self._at = max(self._at, EPOCH + timedelta(seconds=frame.at_s))
            self._models.clear()
            found = {
                Detection(place.reshape(2, 1), timestamp=self._at, measurement_model=self._model(spread))
                for place, spread in zip(frame.xy, frame.cov, strict=True)
            }
            frames.append((self._at, found))
        return frames

    def update(self, frames: list[tuple[datetime, set[Any]]]) -> None:
        """What stonesoup's MultiTargetTracker does with each frame."""
        for at, found in frames:
            used = set()
            for track, hypothesis in self._associator.associate(self._tracks, found, at).items():
                if hypothesis:
                    track.append(self._updater.update(hypothesis))
                    used.add(hypothesis.measurement)
                else:
                    track.append(hypothesis.prediction)
            self._tracks -= self._deleter.delete_tracks(self._tracks, timestamp=at)
            self._tracks |= self._initiator.initiate(found - used, at)

    def tracks(self) -> Iterator[Told]:
        """Confirmed tracks."""
        for track in self._tracks:
            x, vx, y, vy = np.asarray(track.state_vector, float).ravel().tolist()
            at_s = (track.timestamp - EPOCH).total_seconds()
            yield self._ids.setdefault(track.id, len(self._ids) + 1), x, y, vx, vy, at_s


class Norfair:
    """Mean Euclidean distance, its optimised Kalman filter. It gets a step's merged detections as points."""

    def __init__(self, settings: dict[str, float]) -> None:
        self._tracker = NorfairTracker(
            distance_function="mean_euclidean",
            distance_threshold=settings["distance_m"],
            hit_counter_max=int(settings["hits_most"]),
            initialization_delay=int(settings["confirm"]),
            filter_factory=OptimizedKalmanFilterFactory(
                R=settings["R"],
                Q=settings["Q"],
                pos_variance=settings["R"],
                vel_variance=settings["vel_variance"],
            ),
        )
        self._active: list[Any] = []
        self._at_s = 0.0

    def prepare(self, step: Step) -> list[Any]:
        """Points."""
        self._at_s = step.at_s if len(step.xy) else self._at_s + PERIOD_S
        return [NorfairDetection(points=place[None]) for place in step.xy]

    def update(self, found: list[Any]) -> None:
        """One step."""
        self._active = self._tracker.update(detections=found)

    def tracks(self) -> Iterator[Told]:
        """Those past their delay."""
        for each in self._active:
            x, y, vx, vy = each.filter.x.ravel().tolist()  # metres, and metres a step
            yield int(each.id), x, y, vx / PERIOD_S, vy / PERIOD_S, self._at_s
