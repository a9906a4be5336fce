"""One detector a camera, each with its own session; what is really used goes to log, metrics and core."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import Counter, Gauge

from rsu_agent.perception.heads.detector import DROPPED, Detector
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.settings.read import find
from rsu_agent.settings.sections import DetectorSection

log = logging.getLogger(__name__)
NODES = Gauge(
    "rsu_detector_nodes_ratio", "Share of the net's nodes that each provider runs.", ["camera", "provider"]
)
DROPS = Counter(
    "rsu_detections_dropped_total",
    "Detections that went no farther: of a class not ours (unmapped), no box (no_box).",
    ["camera", "reason"],
)


class Detectors:
    """`of` each camera its detector; `told`: what `rsu doctor` shows of them, `refused` with the reason where
    there are none."""

    def __init__(self, section: DetectorSection | None, cameras: Sequence[str], folder: Path) -> None:
        self.of: dict[str, Detector] = {}
        self.told: dict[str, Any] = {}
        self._counted: dict[tuple[str, str], int] = {}
        if section is None or not cameras:
            return
        try:
            self.of = {camera: opened(section, folder) for camera in cameras}
        except (ModelRefused, FileNotFoundError) as refused:
            log.error("no camera detection: %s", refused)
            self.told = {"model": section.model, "refused": str(refused)}
            return
        self.told = {"model": section.model, "refused": None, **told(self.of[cameras[0]])}
        for camera, detector in self.of.items():
            for provider, share in detector.shares.items():
                NODES.labels(camera, provider).set(share)
        for text in self.told["warnings"]:
            log.warning("detector %s: %s", section.model, text)
        log.info("detector %s: %s on %s", section.model, self.told["head"], words(self.told["providers"]))

    def measure(self) -> None:
        """Bring the counters of the cameras' threads onto the page of metrics."""
        for camera, detector in self.of.items():
            for reason in DROPPED:
                count = detector.dropped[reason]
                DROPS.labels(camera, reason).inc(count - self._counted.get((camera, reason), 0))
                self._counted[camera, reason] = count


def opened(section: DetectorSection, folder: Path) -> Detector:
    """A detector as the site says, with a session of its own. Raises ModelRefused, FileNotFoundError."""
    return Detector(
        find(folder, section.model),
        section.allow,
        providers=section.providers,
        allow_fallback=section.allow_fallback,
    )


def told(detector: Detector) -> dict[str, Any]:
    """A detector in plain values, for status and doctor."""
    return {
        "head": detector.family.name,
        "recognised_by": detector.head.why,
        "input": [detector.width, detector.height],
        "providers": {name: round(share, 4) for name, share in detector.shares.items()},
        "licence": detector.licence,
        "use": detector.use,
        "warnings": list(detector.warnings),
    }


def words(shares: dict[str, float]) -> str:
    """Providers and their shares of the nodes."""
    return ", ".join(f"{name} ({share:.0%} of nodes)" for name, share in shares.items())
