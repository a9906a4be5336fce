"""Pictures through the bundled net: against the plain way, as int8, and of four cameras at 10 Hz."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hil.bench import plain_detector
from hil.bench.camera_threads import look
from hil.bench.crossing import site
from hil.bench.operator_nets import stages
from hil.bench.static_int8 import quantised
from hil.bench.taken import Taken
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.onnx import Model
from rsu_agent.perception.pipeline import SURE
from rsu_agent.ports.assets import asset

PICTURES, WARM = 60, 5
CAMERAS, RATE_HZ, SECONDS = 4, 10.0, 8.0


def detector(seed: int) -> dict[str, Any]:
    """Milliseconds a picture on one thread.

    pipeline_ratio: a picture, whole / bare session.run of its input. plain_ratio: plain way / ours, whole
    pictures, a thread each. ratio, cpu_ratio: default session (all threads) / ours, net alone, by time and by
    processor time. Four cameras: JPEG to detections.
    """
    section = site().settings.perception.detector
    assert section is not None
    path, allow = asset(section.model), section.allow
    ours = Detector(path, allow)
    with tempfile.TemporaryDirectory() as folder:
        beside = sorted(path.parent.glob("*int8*.onnx"))
        small = Model(beside[0] if beside else quantised(path, Path(folder), seed), allow)
    taken = _by_turns(seed, path, ours, small)
    share, alone = stages(ours), _alone(path, ours)
    return {
        "picture_ms": taken["whole"].ms(),
        "picture_p99_ms": taken["whole"].ms(0.99),
        "fp32_ms": taken["fp32"].ms(),
        "int8_ms": taken["int8"].ms(),
        "int8_shipped": bool(beside),
        "plain_ms": taken["plain"].ms(),
        "pipeline_ratio": round(taken["whole"].ms() / taken["fp32"].ms(), 2),
        "plain_ratio": round(taken["plain"].ms() / taken["whole"].ms(), 2),
        **alone,
        "pre_post_share": round((share["pre_ms"] + share["post_ms"]) / share["inference_ms"], 3),
        **_four_cameras(seed, path, allow),
        "provider": ours.provider,
    }


def _by_turns(seed: int, path: Path, ours: Detector, small: Model) -> dict[str, Taken]:
    plain = plain_detector.session(path, 1)
    dice = np.random.default_rng(seed)
    taken = {name: Taken() for name in ("whole", "plain", "fp32", "int8")}
    for n in range(PICTURES + WARM):
        picture = _picture(dice)
        blob, _ = ours.prepare(picture)
        feeds = {"image": blob, "radar": np.zeros((1, 2, blob.shape[2] // 4, blob.shape[3] // 4), np.float32)}
        works: dict[str, Callable[[], object]] = {
            "whole": partial(ours.detect, picture, None, SURE),
            "plain": partial(plain_detector.found, plain, picture, SURE),
            "fp32": partial(ours.infer, blob),
            "int8": partial(small.run, feeds),
        }
        for name, work in works.items():
            with (taken[name] if n >= WARM else Taken()).once():
                work()
    return taken


def _alone(path: Path, ours: Detector) -> dict[str, float]:
    """The net alone in the default session, by itself: its threads go on spinning between runs."""
    default, blob = plain_detector.session(path), ours.prepare(_picture(np.random.default_rng(0)))[0]
    feeds = {"image": blob, "radar": np.zeros((1, 2, blob.shape[2] // 4, blob.shape[3] // 4), np.float32)}
    wall, cpu_s = {}, {}
    for name, work in (("ours", partial(ours.infer, blob)), ("default", partial(default.run, None, feeds))):
        taken, began_s = Taken(), time.process_time()
        for _ in range(PICTURES):
            with taken.once():
                work()
        wall[name], cpu_s[name] = taken.ms(), time.process_time() - began_s
    ratio, cpu_ratio = wall["default"] / wall["ours"], cpu_s["default"] / cpu_s["ours"]
    return {
        "default_session_ms": wall["default"],
        "ratio": round(ratio, 2),
        "cpu_ratio": round(cpu_ratio, 2),
    }


def _four_cameras(seed: int, path: Path, allow: list[Any]) -> dict[str, float]:
    """What four cameras at 10 Hz cost, of one core: decoding their pictures, and finding users in them."""
    cv2.setNumThreads(1)
    dice = np.random.default_rng(seed)

    def camera() -> Callable[[], object]:
        _, data = cv2.imencode(".jpg", _picture(dice))
        eyes = Detector(path, allow)
        return lambda: eyes.detect(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), None, SURE)

    looked = look([camera() for _ in range(CAMERAS)], RATE_HZ, SECONDS)
    a_picture_s = looked.cores_used / looked.pictures_a_second  # a busy host that falls behind hides no cost
    return {
        "four_cameras_percent_of_core": round(100 * a_picture_s * CAMERAS * RATE_HZ, 1),
        "four_cameras_on_time": looked.on_time,
    }


def _picture(dice: np.random.Generator) -> Any:
    return cv2.GaussianBlur(dice.integers(0, 255, (384, 640, 3), np.uint8), (9, 9), 0)
