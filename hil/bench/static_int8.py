"""A net quantised statically (QDQ, activations u8, weights s8 per channel), for its speed only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

CALIBRATION = 24


def quantised(path: Path, into: Path, seed: int) -> Path:
    """The int8 file; calibrated on noise, so its detections mean nothing. Raises ModuleNotFoundError."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    dice = np.random.default_rng(seed)
    inputs = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()

    class Noise(CalibrationDataReader):  # type: ignore[misc]
        """Random inputs."""

        def __init__(self) -> None:
            self._feeds: Iterator[dict[str, Any]] = iter(
                {i.name: dice.random(i.shape, np.float32) - 0.5 for i in inputs} for _ in range(CALIBRATION)
            )

        def get_next(self) -> dict[str, Any] | None:
            return next(self._feeds, None)

    prepared, out = into / "prepared.onnx", into / f"{path.stem}.int8.onnx"
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(out),
        Noise(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
    )
    return out
