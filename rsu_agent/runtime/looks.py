"""What each sensor sees just now, for people: boxes without a picture, returns of radars; never a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rsu_agent.perception.heads.detection import Detection
from rsu_agent.ports.devices import RadarFrame

LOOKS = "looks"  # the topic from the senses to the core
LOOK_S = 0.2  # between two tellings
MOST = 200  # boxes or returns of one sensor


class Looks:
    """The newest of each sensor. `camera` is called by that camera's own thread, one key each."""

    def __init__(self) -> None:
        self._newest: dict[str, dict[str, Any]] = {}

    def camera(self, name: str, image: Any, found: Sequence[Detection], at_s: float) -> None:
        """boxes: [class, score, left, top, right, bottom] in pixels of a picture of `size`."""
        height, width = image.shape[:2]
        boxes = [[str(each.kind), round(each.score, 2), *map(round, each.box)] for each in found[:MOST]]
        self._newest[name] = {"kind": "camera", "at_s": at_s, "size": [width, height], "boxes": boxes}

    def radar(self, name: str, frame: RadarFrame) -> None:
        """points, targets: [metres forward, metres left, m/s (points: away; targets: forward)]."""
        points = [[p.x_forward_m, p.y_left_m, p.doppler_mps] for p in frame.points[:MOST]]
        targets = [[t.x_forward_m, t.y_left_m, t.vx_forward_mps] for t in frame.targets[:MOST]]
        told = {"points": _short(points), "targets": _short(targets)}
        self._newest[name] = {"kind": "radar", "at_s": frame.measured_s, **told}

    def told(self) -> dict[str, Any]:
        """For the core: monotonic seconds, the same for all processes of this machine."""
        return dict(self._newest)


def aged(looks: dict[str, Any], now_s: float) -> dict[str, Any]:
    """For the page: the age in place of the instant."""
    return {
        name: {key: value for key, value in look.items() if key != "at_s"}
        | {"age_s": round(max(0.0, now_s - look["at_s"]), 2)}
        for name, look in looks.items()
    }


def _short(rows: list[list[float]]) -> list[list[float]]:
    return [[round(value, 1) for value in row] for row in rows]
