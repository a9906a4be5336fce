"""What operators bring: nets with the layers of YOLOX and YOLOv8, and how many cameras they allow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from hil.bench.camera_threads import look
from hil.bench.look_alikes import yolov8n, yolox
from hil.bench.taken import Taken
from rsu_agent.cli.model_told import picture_of
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.pipeline import SURE

RATE_HZ, RUNS = 10.0, 20
FLAT_OUT_S, PACED_S = 4.0, 6.0
ON_TIME = 0.99  # of the pictures of a rate that is sustained are done before the next one comes
NETS: dict[str, tuple[int, Callable[..., float]]] = {
    "yolox_nano": (416, partial(yolox, width=0.25, apart=True)),
    "yolox_s": (640, partial(yolox, width=0.5, apart=False)),
    "yolov8n": (640, yolov8n),
}


def operator(seed: int) -> dict[str, Any]:
    """For each net: milliseconds a stage on one thread, pictures a second of all cores, cameras at 10 Hz."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        return {name: _net(Path(folder) / f"{name}.onnx", *NETS[name], seed) for name in NETS}


def _net(path: Path, size: int, build: Callable[..., float], seed: int) -> dict[str, Any]:
    millions = build(path, size, seed=seed)
    alone = Detector(path)
    figures = {"head": alone.family.name, "size": size, "parameters_m": millions, **stages(alone)}
    flat_out = look(_cameras(path, len(os.sched_getaffinity(0))), 0.0, FLAT_OUT_S)
    figures["frames_a_second"] = flat_out.pictures_a_second
    cameras = int(flat_out.pictures_a_second / RATE_HZ)
    while cameras:
        paced = look(_cameras(path, cameras), RATE_HZ, PACED_S)
        if paced.on_time >= ON_TIME:
            break
        cameras -= 1
    used = {"on_time": paced.on_time, "cores_used": paced.cores_used} if cameras else {}
    return {**figures, "cameras_at_10_hz": cameras, "on_time": None, "cores_used": None, **used}


def _cameras(path: Path, count: int) -> list[Callable[[], object]]:
    picture = picture_of(None)
    return [partial(Detector(path).detect, picture, None, SURE) for _ in range(count)]


def stages(detector: Detector) -> dict[str, float]:
    """Median milliseconds before, in and after the net, for one picture of 640 x 360."""
    picture = picture_of(None)
    size = (picture.shape[1], picture.shape[0])
    taken = {name: Taken() for name in ("pre_ms", "inference_ms", "post_ms")}
    for _ in range(RUNS):
        with taken["pre_ms"].once():
            blob, placement = detector.prepare(picture)
        with taken["inference_ms"].once():
            outputs = detector.infer(blob)
        with taken["post_ms"].once():
            detector.finish(outputs, placement, size, SURE)
    return {name: each.ms() for name, each in taken.items()}
