"""Peers that track boxes of a picture, here of the crossing from above: motpy, SORT, ByteTrack, OC-SORT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import supervision
from motpy import Detection, MultiObjectTracker
from trackers import ByteTrackTracker, OCSORTTracker, SORTTracker

from hil.bench.peers.feed import Array, Step
from hil.bench.peers.points import Told
from hil.bench.peers.settings import PERIOD_S

BUFFER_FPS = 30.0  # lost_track_buffer counts frames of so many a second, whatever the rate


def boxes(xy: Array, side: float) -> Array:
    """Squares around places (n, 2): left, top, right, bottom."""
    return np.column_stack([xy - side / 2, xy + side / 2])


class Motpy:
    """Constant velocity, boxes in metres. It gets each step's merged detections."""

    def __init__(self, settings: dict[str, float]) -> None:
        self._settings = settings
        self._tracker = MultiObjectTracker(
            dt=PERIOD_S,
            model_spec={
                "order_pos": 1,
                "dim_pos": 2,
                "order_size": 0,
                "dim_size": 2,
                "q_var_pos": settings["q_var_pos"],
                "r_var_pos": settings["r_var_pos"],
                "p_cov_p0": settings["p_cov_p0"],
            },
            matching_fn_kwargs={"min_iou": settings["min_iou"]},
            tracker_kwargs={"max_staleness": settings["max_staleness"]},
            active_tracks_kwargs={
                "min_steps_alive": settings["confirm"],
                "max_staleness": settings["coast_s"] / PERIOD_S,
            },
        )
        self._active: list[Any] = []
        self._ids: dict[str, int] = {}
        self._at_s = 0.0

    def prepare(self, step: Step) -> list[Any]:
        """Boxes."""
        self._at_s = step.at_s if len(step.xy) else self._at_s + PERIOD_S
        places = boxes(step.xy, self._settings["box_m"])
        return [Detection(box=box, score=score) for box, score in zip(places, step.score, strict=True)]

    def update(self, found: list[Any]) -> None:
        """One step."""
        self._active = self._tracker.step(found)

    def tracks(self) -> Iterator[Told]:
        """Active tracks; the velocity is in the filter."""
        active = {each.id for each in self._active}
        for each in self._tracker.trackers:
            if each.id in active:
                x, vx, y, vy = each._tracker.x.ravel()[:4].tolist()
                yield self._ids.setdefault(each.id, len(self._ids) + 1), x, y, vx, vy, self._at_s


class OfTrackers:
    """SORT, ByteTrack or OC-SORT of the package `trackers`. It gets a step's merged detections as boxes."""

    def __init__(self, tracker: Any, settings: dict[str, float]) -> None:
        self._tracker, self._settings = tracker, settings
        self._at_s = 0.0

    def prepare(self, step: Step) -> Any:
        """Boxes in pixels."""
        self._at_s = step.at_s if len(step.xy) else self._at_s + PERIOD_S
        if not len(step.xy):
            return supervision.Detections.empty()
        scale = self._settings["px_per_m"]
        return supervision.Detections(
            xyxy=boxes(step.xy * scale, self._settings["box_m"] * scale), confidence=step.score
        )

    def update(self, found: Any) -> None:
        """One step."""
        self._tracker.update(found)

    def tracks(self) -> Iterator[Told]:
        """Those with an identity that were seen not long ago."""
        scale = self._settings["px_per_m"]
        for each in self._tracker.tracks:
            if each.tracker_id < 0 or each.time_since_update * PERIOD_S > self._settings["coast_s"]:
                continue
            left, top, right, bottom = each.get_state_bbox().tolist()
            speeds = each.state_estimator.kf.state.ravel()[4:]
            moves = (speeds[:2] + speeds[2:4]) / 2 if len(speeds) == 4 else speeds[:2]
            vx, vy = (moves / scale / PERIOD_S).tolist()
            yield (
                int(each.tracker_id),
                (left + right) / 2 / scale,
                (top + bottom) / 2 / scale,
                vx,
                vy,
                self._at_s,
            )


def of_trackers(name: str, settings: dict[str, float]) -> OfTrackers:
    """`sort`, `bytetrack` or `ocsort`."""
    common: dict[str, Any] = {
        "lost_track_buffer": int(settings["lost_s"] * BUFFER_FPS),
        "frame_rate": 1 / PERIOD_S,
        "minimum_consecutive_frames": int(settings["confirm"]),
        "minimum_iou_threshold": settings["min_iou"],
    }
    match name:
        case "sort":
            tracker: Any = SORTTracker(track_activation_threshold=settings["least_score"], **common)
        case "bytetrack":
            high = settings["high_score"]
            tracker = ByteTrackTracker(
                track_activation_threshold=high, high_conf_det_threshold=high, **common
            )
        case _:
            tracker = OCSORTTracker(
                high_conf_det_threshold=settings["high_score"],
                direction_consistency_weight=settings["turn_weight"],
                **common,
            )
    return OfTrackers(tracker, settings)
