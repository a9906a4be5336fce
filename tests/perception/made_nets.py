"""ONNX files whose outputs are constants, so that what a detector makes of them is known by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.heads.detector import Detector

Dims = list[Any]
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def net(
    path: Path,
    outputs: Mapping[str, np.ndarray[Any, Any]],
    inputs: Mapping[str, tuple[int, Dims]],
    metadata: Mapping[str, str] | None = None,
    producer: str = "",
    shapes: Mapping[str, Dims] | None = None,
) -> Path:
    """A net that gives these arrays for whatever it is fed; `shapes`: what it declares instead of theirs."""
    weights = [numpy_helper.from_array(value, f"{name}_value") for name, value in outputs.items()]
    nodes = [helper.make_node("Identity", [f"{name}_value"], [name]) for name in outputs]
    declared = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), (shapes or {}).get(name, list(value.shape))
        )
        for name, value in outputs.items()
    ]
    fed = [helper.make_tensor_value_info(name, kind, dims) for name, (kind, dims) in inputs.items()]
    graph = helper.make_graph(nodes, "made", fed, declared, weights)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name=producer
    )
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, str(path))
    return path


def image(width: int = 640, height: int = 640, name: str = "images") -> dict[str, tuple[int, Dims]]:
    """The one input of most nets."""
    return {name: (FLOAT, [1, 3, height, width])}


def picture(width: int, height: int) -> np.ndarray[Any, Any]:
    """A camera's picture of this size; what is on it does not matter here."""
    return np.full((height, width, 3), 90, np.uint8)


def seen(path: Path, width: int, height: int, threshold: float = 0.3) -> list[Detection]:
    """What the detector of a file says of a picture of this size."""
    return Detector(path).detect(picture(width, height), None, threshold)


def cell(
    width: int, height: int, stride: int, column: int, row: int, strides: tuple[int, ...] = (8, 16, 32)
) -> int:
    """Index of a cell among all, counted by hand: whole levels before it, rows before it, column."""
    before = sum((-(-width // k)) * (-(-height // k)) for k in strides if k < stride)
    return before + row * -(-width // stride) + column
