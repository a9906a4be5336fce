"""One picture through the bundled net: the product's session against ONNX Runtime's default one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import onnxruntime as ort

from hil.bench.crossing import site
from hil.bench.taken import Taken
from rsu_agent.perception.heads import CentrePointDetector
from rsu_agent.perception.onnx import Model
from rsu_agent.perception.pipeline import SURE
from rsu_agent.ports.assets import asset

PICTURES, WARM = 60, 5


def detector(seed: int) -> dict[str, Any]:
    """Milliseconds a picture on one thread, of it the net; ratio = default session / product's, net alone."""
    section = site().settings.perception.detector
    assert section is not None
    path = asset(section.model)
    ours, model = CentrePointDetector(path, section.allow), Model(path, section.allow)
    quiet = ort.SessionOptions()
    quiet.log_severity_level = 3
    theirs = ort.InferenceSession(str(path), quiet, providers=["CPUExecutionProvider"])
    shapes = {entry.name: entry.shape for entry in theirs.get_inputs()}
    dice = np.random.default_rng(seed)
    whole, net, default = Taken(), Taken(), Taken()
    for n in range(PICTURES + WARM):
        picture = cv2.GaussianBlur(dice.integers(0, 255, (384, 640, 3), np.uint8), (9, 9), 0)
        feeds = {name: dice.random(shape, np.float32) for name, shape in shapes.items()}
        for taken, work in (
            (whole, lambda p=picture: ours.detect(p, None, SURE)),
            (net, lambda f=feeds: model.run(f)),
            (default, lambda f=feeds: theirs.run(None, f)),
        ):
            with (taken if n >= WARM else Taken()).once():
                work()
    return {
        "picture_ms": whole.ms(),
        "picture_p99_ms": whole.ms(0.99),
        "net_ms": net.ms(),
        "default_session_ms": default.ms(),
        "ratio": round(default.ms() / net.ms(), 2),
        "provider": ours.provider,
    }
