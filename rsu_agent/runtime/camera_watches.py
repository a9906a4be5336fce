"""The watch over each camera: made from the site, told to log, metrics and health; what it learnt is kept."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge

from rsu_agent.perception.camera_care import CameraCare
from rsu_agent.perception.frame_rate import FrameRate
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.settings.sections import CameraSection
from rsu_agent.world.health import DeviceHealth, DeviceState

log = logging.getLogger(__name__)
LARGEST_BYTES = 1 << 20
KEPT_EVERY_S = 600.0
TRUST = Gauge(
    "rsu_camera_trust_ratio", "1 where a camera is trusted whole; its inverse widens covariance.", ["camera"]
)
RATE = Gauge("rsu_camera_rate_ratio", "Pictures a second over those expected.", ["camera"])
SHARP = Gauge("rsu_camera_sharpness_ratio", "Sharpness of edges over that usual at this hour.", ["camera"])
KEPT = Gauge("rsu_camera_edges_kept_ratio", "Share of the picture that still has its edges.", ["camera"])
SHIFT = Gauge("rsu_camera_shift_pixels", "How far the view has moved from its reference.", ["camera"])
TROUBLE = Counter(
    "rsu_camera_trouble_total", "Times that something was found wrong with a camera.", ["camera", "reason"]
)


class CameraWatches:
    """`of`: each camera's watch. state: the folder in which what they learnt outlives a restart."""

    def __init__(self, cameras: Sequence[CameraSection], state: Path) -> None:
        self.of: dict[str, CameraWatch] = {}
        self._folder = state / "cameras"
        self._marks = {camera.name: mark_of(camera) for camera in cameras}
        self._told: dict[str, str] = {}
        self._kept_s: float | None = None
        self._kept_views: set[str] = set()
        for camera in cameras:
            care = CameraCare(FrameRate(camera.expected_fps, camera.slow_share))
            self.of[camera.name] = CameraWatch(care)
            self._restore(camera.name, care)

    def dressed(self, health: DeviceHealth, now_s: float) -> DeviceHealth:
        """A device's health as the line gives it; of a camera that gives pictures, what they are like."""
        watch = self.of.get(health.device)
        if watch is None or health.state is not DeviceState.OK:
            return health
        reason = watch.reason(now_s)
        if reason in ("starting", "stalled"):  # silence is the line's own business
            reason = watch.care.reason
        if reason == "ok":
            return health
        return DeviceHealth(health.device, DeviceState.DEGRADED, reason, now_s, _detail(watch, reason))

    def measure(self, now_s: float) -> None:
        """Bring what was found onto the page of metrics and into the log; keep what was learnt."""
        for name, watch in self.of.items():
            self._measure(name, watch, now_s)
        fresh = {name for name, watch in self.of.items() if watch.care.drift is not None} - self._kept_views
        if fresh or self._kept_s is None or now_s - self._kept_s >= KEPT_EVERY_S:
            self._kept_s = now_s
            self._kept_views |= fresh
            for name, watch in self.of.items():
                self._keep(name, watch.care)

    def _measure(self, name: str, watch: CameraWatch, now_s: float) -> None:
        care, reason = watch.care, watch.reason(now_s)
        TRUST.labels(name).set(1.0 / watch.trust(now_s))
        if care.rate.rate_hz is not None and care.rate.expected_hz is not None:
            RATE.labels(name).set(care.rate.rate_hz / care.rate.expected_hz)
        for gauge, value in (
            (SHARP, care.sharpness.sharp_ratio),
            (KEPT, care.sharpness.kept_ratio),
            (SHIFT, care.shift_px),
        ):
            if value is not None:
                gauge.labels(name).set(value)
        if reason != self._told.get(name, "starting"):
            self._told[name] = reason
            if reason != "ok":
                TROUBLE.labels(name, reason).inc()
                log.warning("camera %s is %s%s", name, reason, _detail(watch, reason, " ({})"))
            else:
                log.info("camera %s is ok", name)

    def _restore(self, name: str, care: CameraCare) -> None:
        """A file of another pose, or one that cannot be read, counts as none."""
        path = self._folder / f"{name}.json"
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise ValueError("it is too large")
            told = json.loads(path.read_text())
            if told["mark"] != self._marks[name]:
                log.info("camera %s has another pose or lens than before: its view is learnt anew", name)
                return
            care.restore(told["learnt"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            log.warning("camera %s: %s is not read, its view is learnt anew: %s", name, path, error)

    def _keep(self, name: str, care: CameraCare) -> None:
        learnt: dict[str, Any] = {"mark": self._marks[name], "learnt": care.learnt()}
        path = self._folder / f"{name}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".part")
            draft.write_text(json.dumps(learnt, separators=(",", ":")))
            draft.replace(path)
        except OSError as error:
            log.warning("camera %s: what was learnt of its view is not kept: %s", name, error)


def mark_of(camera: CameraSection) -> str:
    """A word that changes when the camera's pose or lens is set anew: then its view is another one."""
    told = f"{camera.pose.model_dump_json()}{camera.lens.model_dump_json()}{getattr(camera, 'most_fps', '')}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _detail(watch: CameraWatch, reason: str, form: str = "{}") -> str:
    """The figure behind a word, for people; nothing where there is none."""
    care = watch.care
    match reason:
        case "slow" if care.rate.rate_hz is not None and care.rate.expected_hz is not None:
            text = f"{care.rate.rate_hz:.1f} of {care.rate.expected_hz:.1f} pictures a second"
        case "moved" if care.shift_px is not None:
            text = f"the view has moved by {care.shift_px:.0f} px"
        case "dirty" if care.sharpness.kept_ratio is not None:
            text = f"{1 - care.sharpness.kept_ratio:.0%} of the picture has lost its edges"
        case "defocused" if care.sharpness.sharp_ratio is not None:
            text = f"edges at {care.sharpness.sharp_ratio:.0%} of what they were"
        case _:
            return ""
    return form.format(text)
