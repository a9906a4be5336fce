"""What every exported net carries: its description inside the file, a manifest with its checksum beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx


def describe(path: Path, description: Mapping[str, str]) -> None:
    """Put the description into the ONNX file's metadata."""
    model = onnx.load(str(path))
    for key, value in description.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))


def write_manifest(path: Path, name: str, told: Mapping[str, Any]) -> None:
    """The manifest of this file, beside it: its name, its sha256, and what is told."""
    manifest = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **told}
    path.with_name(name).write_text(json.dumps(manifest, indent=1) + "\n")
