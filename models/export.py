"""Weights as ONNX with their description inside, and a manifest beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from models.described import describe, write_manifest
from models.net import Detector
from models.scenes import CLASSES, HEIGHT, WIDTH

OPSET = 17
DESCRIPTION = {
    "head": "rsu_centre_point",
    "classes": ",".join(CLASSES),
    "stride": "8",
    "scale": "32",
    "colour": "RGB",
    "mean": "0.5",
    "std": "1",
    "radar_scale": "4",
    "licence": "Apache-2.0",
    "use": "simulation_only",
}


def export(net: Detector, folder: Path, options: dict[str, Any]) -> Path:
    """Write detector.onnx and manifest.json."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "detector.onnx"
    example = torch.zeros(1, 3, HEIGHT, WIDTH), torch.zeros(1, 2, HEIGHT // 4, WIDTH // 4)
    torch.onnx.export(
        net,
        example,
        str(path),
        input_names=["image", "radar"],
        output_names=["cls", "reg"],
        opset_version=OPSET,
        dynamo=False,
    )
    describe(path, DESCRIPTION)
    manifest = {
        "inputs": {"image": [1, 3, HEIGHT, WIDTH], "radar": [1, 2, HEIGHT // 4, WIDTH // 4]},
        "outputs": {
            "cls": [1, len(CLASSES), HEIGHT // 8, WIDTH // 8],
            "reg": [1, 6, HEIGHT // 8, WIDTH // 8],
        },
        "parameters": sum(p.numel() for p in net.parameters()),
        "trained_with": {key: str(value) for key, value in options.items() if key != "out"},
        **{key: value for key, value in DESCRIPTION.items() if key in ("classes", "licence", "use", "head")},
    }
    write_manifest(path, "manifest.json", manifest)
    return path
