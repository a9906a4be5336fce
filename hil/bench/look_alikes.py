"""Nets with the layers of YOLOX and YOLOv8 and random weights: heavy as operators' own, and nobody's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 80
PRIOR = -4.6  # a score of 0.01: nobody is seen, as on an empty road
OPSET, IR = 17, 8  # what run times of the last years read


class Graph:
    """A graph under construction; every method gives the name of what it made."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.parameters = 0

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One operator with one output."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, dtype: str = "float32") -> str:
        """An array that is part of the graph."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def answer(self, x: str, into: int, out: int, bias: float = 0.0) -> str:
        """A last convolution, as one is set up for training: it says next to nothing but its bias."""
        return self.bare(x, into, out, spread=1e-3, bias=bias)

    def bare(
        self,
        x: str,
        into: int,
        out: int,
        size: int = 1,
        stride: int = 1,
        groups: int = 1,
        *,
        spread: float = 1.0,
        bias: float = 0.0,
    ) -> str:
        """A convolution with bias, as normalisation folds into it."""
        fan = into // groups * size * size
        shape = (out, into // groups, size, size)
        self.parameters += out * fan + out
        weight = self.constant(self._dice.normal(0, spread * (2 / fan) ** 0.5, shape))
        shift = self.constant(np.full(out, bias))
        pads = [size // 2] * 4
        return self.node(
            "Conv", x, weight, shift, kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads, group=groups
        )

    def conv(
        self, x: str, into: int, out: int, size: int = 1, stride: int = 1, *, apart: bool = False
    ) -> str:
        """Convolution and SiLU; apart: channel by channel, then across them."""
        if apart:
            x = self.silu(self.bare(x, into, into, size, stride, into))
            return self.silu(self.bare(x, into, out))
        return self.silu(self.bare(x, into, out, size, stride))

    def silu(self, x: str) -> str:
        """x sigmoid(x)."""
        return self.node("Mul", x, self.node("Sigmoid", x))

    def join(self, parts: Sequence[str], axis: int = 1) -> str:
        """Concatenation."""
        return self.node("Concat", *parts, axis=axis)

    def pool(self, x: str, size: int) -> str:
        """Largest neighbour, same size."""
        return self.node("MaxPool", x, kernel_shape=[size] * 2, strides=[1, 1], pads=[size // 2] * 4)

    def twice(self, x: str) -> str:
        """Nearest neighbour, twice as large."""
        scales = self.constant([1, 1, 2, 2])
        return self.node(
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def flat(self, x: str, channels: int) -> str:
        """(1, C, h, w) to (1, C, cells)."""
        return self.node("Reshape", x, self.constant([1, channels, -1], "int64"))

    def save(self, path: Path, x: str, y: str, size: int, metadata: dict[str, str]) -> Path:
        """The file; one input [1, 3, size, size], one output."""
        inputs = [helper.make_tensor_value_info(x, TensorProto.FLOAT, [1, 3, size, size])]
        outputs = [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)]
        graph = helper.make_graph(self.nodes, "look-alike", inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        helper.set_model_props(model, metadata)
        onnx.save(model, str(path))
        return path


def yolox(path: Path, size: int, width: float, *, apart: bool, seed: int) -> float:
    """YOLOX of a width (nano 0.25 with convolutions apart, s 0.5), depth 0.33; its parameters in millions."""
    g, b = Graph(seed), round(64 * width)

    def csp(x: str, into: int, out: int, repeats: int = 1, *, residual: bool = True) -> str:
        half = out // 2
        y = g.conv(x, into, half)
        for _ in range(repeats):
            z = g.conv(g.conv(y, half, half), half, half, 3, apart=apart)
            y = g.node("Add", y, z) if residual else z
        return g.conv(g.join([y, g.conv(x, into, half)]), 2 * half, out)

    x = g.conv(g.node("SpaceToDepth", "images", blocksize=2), 12, b, 3)
    levels = []
    for n, repeats in enumerate((1, 3, 3)):
        x = csp(g.conv(x, b << n, b << n + 1, 3, 2, apart=apart), b << n + 1, b << n + 1, repeats)
        levels.append(x)
    x = g.conv(g.conv(x, 8 * b, 16 * b, 3, 2, apart=apart), 16 * b, 8 * b)
    x = g.conv(g.join([x, *(g.pool(x, side) for side in (5, 9, 13))]), 32 * b, 16 * b)
    deep = csp(x, 16 * b, 16 * b, residual=False)
    low = g.conv(deep, 16 * b, 8 * b)
    middle = csp(g.join([g.twice(low), levels[2]]), 16 * b, 8 * b, residual=False)
    thin = g.conv(middle, 8 * b, 4 * b)
    p3 = csp(g.join([g.twice(thin), levels[1]]), 8 * b, 4 * b, residual=False)
    p4 = csp(g.join([g.conv(p3, 4 * b, 4 * b, 3, 2, apart=apart), thin]), 8 * b, 8 * b, residual=False)
    p5 = csp(g.join([g.conv(p4, 8 * b, 8 * b, 3, 2, apart=apart), low]), 16 * b, 16 * b, residual=False)
    rows = []
    h = round(256 * width)
    for level, channels in ((p3, 4 * b), (p4, 8 * b), (p5, 16 * b)):
        x = g.conv(level, channels, h)
        cls, reg = (g.conv(g.conv(x, h, h, 3, apart=apart), h, h, 3, apart=apart) for _ in range(2))
        scores = [g.node("Sigmoid", g.answer(y, h, count, PRIOR)) for y, count in ((reg, 1), (cls, CLASSES))]
        rows.append(g.flat(g.join([g.answer(reg, h, 4), *scores]), 5 + CLASSES))
    out = g.node("Transpose", g.join(rows, 2), perm=[0, 2, 1])
    g.save(path, "images", out, size, {})
    return round(g.parameters / 1e6, 2)


def yolov8n(path: Path, size: int, *, seed: int) -> float:
    """YOLOv8n with its decoding inside the graph; its parameters in millions."""
    g = Graph(seed)

    def c2f(x: str, into: int, out: int, repeats: int = 1, *, residual: bool = False) -> str:
        half = out // 2
        x = g.conv(x, into, out)
        first = g.node("Slice", x, *(g.constant([v], "int64") for v in (0, half, 1)))
        parts = [first, g.node("Slice", x, *(g.constant([v], "int64") for v in (half, out, 1)))]
        for _ in range(repeats):
            y = g.conv(g.conv(parts[-1], half, half, 3), half, half, 3)
            parts.append(g.node("Add", parts[-1], y) if residual else y)
        return g.conv(g.join(parts), (2 + repeats) * half, out)

    x = g.conv("images", 3, 16, 3, 2)
    levels = []
    for wide, repeats in ((32, 1), (64, 2), (128, 2), (256, 1)):
        x = c2f(g.conv(x, wide // 2, wide, 3, 2), wide, wide, repeats, residual=True)
        levels.append(x)
    pools = [g.conv(x, 256, 128)]
    for _ in range(3):
        pools.append(g.pool(pools[-1], 5))
    deep = g.conv(g.join(pools), 512, 256)
    middle = c2f(g.join([g.twice(deep), levels[2]]), 384, 128)
    p3 = c2f(g.join([g.twice(middle), levels[1]]), 192, 64)
    p4 = c2f(g.join([g.conv(p3, 64, 64, 3, 2), middle]), 192, 128)
    p5 = c2f(g.join([g.conv(p4, 128, 128, 3, 2), deep]), 384, 256)
    sides, scores = [], []
    for level, channels in ((p3, 64), (p4, 128), (p5, 256)):
        reg = g.answer(g.conv(g.conv(level, channels, 64, 3), 64, 64, 3), 64, 64)
        cls = g.answer(g.conv(g.conv(level, channels, 80, 3), 80, 80, 3), 80, CLASSES, PRIOR)
        sides.append(g.flat(reg, 64))
        scores.append(g.flat(cls, CLASSES))
    out = g.join([_boxes(g, g.join(sides, 2), size), g.node("Sigmoid", g.join(scores, 2))])
    told = {"task": "detect", "stride": "32", "imgsz": f"[{size}, {size}]"}
    g.save(path, "images", out, size, told)
    return round(g.parameters / 1e6, 2)


def _boxes(g: Graph, sides: str, size: int) -> str:
    """Centre and size in pixels from distributions of sixteen bins."""
    x = g.node("Reshape", sides, g.constant([1, 4, 16, -1], "int64"))
    x = g.node("Softmax", g.node("Transpose", x, perm=[0, 2, 1, 3]), axis=1)
    bins = g.constant(np.arange(16).reshape(1, 16, 1, 1))
    x = g.node("Conv", x, bins)  # the mean bin: (1, 1, 4, cells)
    x = g.node("Reshape", x, g.constant([1, 4, -1], "int64"))
    grids = [np.mgrid[0 : size // k, 0 : size // k][::-1].reshape(2, -1) + 0.5 for k in (8, 16, 32)]
    strides = np.concatenate([np.full(grid.shape[1], k) for grid, k in zip(grids, (8, 16, 32), strict=True)])
    places = g.constant(np.concatenate(grids, axis=1)[None])
    near = g.node("Sub", places, g.node("Slice", x, *(g.constant([v], "int64") for v in (0, 2, 1))))
    far = g.node("Add", places, g.node("Slice", x, *(g.constant([v], "int64") for v in (2, 4, 1))))
    middle = g.node("Mul", g.node("Add", near, far), g.constant(0.5))
    box = g.join([middle, g.node("Sub", far, near)])
    return g.node("Mul", box, g.constant(strides[None, None]))
