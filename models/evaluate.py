"""Judge the committed weights on unseen scenes: `python -m models.evaluate --scenes 300 --seed 900001`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from hil.world.crossing_read import read_rig_crossing
from models.decode import Found, decode
from models.scenes import CLASSES, HEIGHT, WIDTH, SceneMaker

ROOT = Path(__file__).parents[1]
CROSSING = ROOT / "config" / "crossings" / "virtual.geojson"
OVERLAP, WEAK = 0.5, 0.05
Box = tuple[float, float, float, float]


@dataclass
class Class:
    """One class's detections as (score, right), and how many there were to find."""

    marks: list[tuple[float, bool]] = field(default_factory=list)
    wanted: int = 0

    def average_precision(self) -> float | None:
        """Area under precision (made monotone) over recall; None where there was nothing to find."""
        if not self.wanted:
            return None
        right = np.array([good for _, good in sorted(self.marks, key=lambda mark: -mark[0])], float)
        hits = np.cumsum(right)
        precision = hits / np.arange(1, len(right) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        return float((best * right).sum() / self.wanted)


@dataclass
class Marks:
    """All classes, and how far right detections' ground points lie from the truth."""

    classes: dict[int, Class] = field(default_factory=lambda: defaultdict(Class))
    ground_m: list[float] = field(default_factory=list)

    def add(self, found: list[Found], sample: Any) -> None:
        """One picture: each detection, strongest first, takes the free label it overlaps most."""
        free = list(sample.labels)
        for label in free:
            self.classes[CLASSES.index(label.cls)].wanted += 1
        for item in sorted(found, key=lambda one: -one.score):
            mine = [label for label in free if label.cls == CLASSES[item.cls]]
            best = max(mine, key=lambda label: overlap(item.box, label.box), default=None)
            good = best is not None and overlap(item.box, best.box) >= OVERLAP
            self.classes[item.cls].marks.append((item.score, good))
            if good and best is not None:
                free.remove(best)
                east, north, scale = np.linalg.inv(sample.view.ground_homography()) @ (*item.ground, 1.0)
                self.ground_m.append(float(np.hypot(east / scale - best.x, north / scale - best.y)))

    def figures(self) -> dict[str, Any]:
        """Average precision by class, their mean, and the median error on the ground."""
        each = {CLASSES[c]: self.classes[c].average_precision() for c in range(len(CLASSES))}
        known = [value for value in each.values() if value is not None]
        return {
            "map50": round(float(np.mean(known)), 3) if known else None,
            "ap50": {name: None if ap is None else round(ap, 3) for name, ap in each.items()},
            "labels": {CLASSES[c]: self.classes[c].wanted for c in range(len(CLASSES))},
            "ground_median_m": round(float(np.median(self.ground_m)), 3) if self.ground_m else None,
        }


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def look(session: Any, sample: Any, *, radar: bool) -> list[Found]:
    """The net's answer to one sample, with or without its radar picture."""
    picture = cv2.dnn.blobFromImage(
        sample.image, 1 / 255, (WIDTH, HEIGHT), (127.5, 127.5, 127.5), swapRB=True
    )
    returns = sample.radar[None].astype(np.float32) / 255 * (1.0 if radar else 0.0)
    cls, reg = session.run(None, {"image": picture, "radar": returns.astype(np.float32)})
    return decode(cls[0], reg[0], WEAK)


def evaluate(weights: Path, scenes: int, seed: int) -> dict[str, Any]:
    """All, day and night, without and with radar. The seed must not be one that training used."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    maker = SceneMaker(read_rig_crossing(CROSSING), seed)
    marks: dict[str, Marks] = defaultdict(Marks)
    spent: list[float] = []
    for done in range(scenes):
        sample = maker.sample()
        for sensors in ("camera", "camera_and_radar"):
            began = time.perf_counter()
            found = look(session, sample, radar=sensors == "camera_and_radar")
            spent.append((time.perf_counter() - began) * 1000)
            for part in ("all", "night" if sample.night else "day"):
                marks[f"{sensors}.{part}"].add(found, sample)
        if sys.stderr.isatty():
            print(f"\r{done + 1} of {scenes} scenes ", end="", file=sys.stderr)
    figures = {name: mark.figures() for name, mark in sorted(marks.items())}
    return {**figures, "ms_p50": round(float(np.median(spent)), 1), "scenes": scenes, "seed": seed}


def main() -> None:
    """One JSON object on one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=ROOT / "models" / "detector" / "detector.onnx")
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--seed", type=int, default=900001)
    options = parser.parse_args()
    print(json.dumps(evaluate(options.weights, options.scenes, options.seed)))


if __name__ == "__main__":
    main()
