"""The bundled weights in eight bits: `python -m models.quantise`, calibrated on scenes of a seed of its own.

Static QDQ, activations u8, weights s8 per channel (dynamic quantisation destroys detections and is slower).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from hil.world.crossing_read import read_rig_crossing
from models.described import describe, write_manifest
from models.evaluate import CROSSING
from models.scenes import HEIGHT, WIDTH, SceneMaker

SCENES, SEED = 96, 700_001
RADAR_EVERY = 2  # the net must hold with radar and without it


class Scenes(CalibrationDataReader):
    """Inputs of rendered scenes, every other one with its radar picture."""

    def __init__(self, scenes: int, seed: int) -> None:
        self._feeds = self._made(SceneMaker(read_rig_crossing(CROSSING), seed), scenes)

    def get_next(self) -> dict[str, Any] | None:
        """The next input, None after the last."""
        return next(self._feeds, None)

    def _made(self, maker: SceneMaker, scenes: int) -> Iterator[dict[str, Any]]:
        for number in range(scenes):
            sample = maker.sample()
            picture = cv2.dnn.blobFromImage(
                sample.image, 1 / 255, (WIDTH, HEIGHT), (127.5, 127.5, 127.5), swapRB=True
            )
            radar = sample.radar[None].astype(np.float32) / 255 * (number % RADAR_EVERY)
            if sys.stderr.isatty():
                print(f"\rscene {number + 1} of {scenes} ", end="", file=sys.stderr)
            yield {"image": picture, "radar": radar.astype(np.float32)}


def quantise(folder: Path, scenes: int, seed: int) -> Path:
    """detector.int8.onnx and manifest.int8.json beside detector.onnx."""
    source, path = folder / "detector.onnx", folder / "detector.int8.onnx"
    with tempfile.TemporaryDirectory() as work:
        prepared = Path(work) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(path),
            Scenes(scenes, seed),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )
    if not onnx.load(str(path)).metadata_props:
        describe(path, {prop.key: prop.value for prop in onnx.load(str(source)).metadata_props})
    manifest = json.loads((folder / "manifest.json").read_text())
    told = {key: value for key, value in manifest.items() if key not in ("file", "sha256")}
    quantised = {"kind": "static QDQ, u8 activations, s8 weights", "scenes": scenes, "seed": seed}
    write_manifest(path, "manifest.int8.json", {**told, "quantised": quantised})
    return path


def main() -> None:
    """Quantise the weights of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "detector")
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    print(quantise(options.folder, options.scenes, options.seed))


if __name__ == "__main__":
    main()
