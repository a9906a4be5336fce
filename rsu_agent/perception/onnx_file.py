"""An ONNX file as bytes: its checksum, and which operators its graph names (no ONNX package on a pole)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

DYNAMIC_INT8 = frozenset({"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger"})
STATIC_INT8 = frozenset({"QuantizeLinear", "DequantizeLinear"})
OP_TYPE = 4 << 3 | 2  # NodeProto.op_type: field 4, a string whose length is one byte


def checksum(path: Path) -> str:
    """SHA-256 of the file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def operators(path: Path) -> frozenset[str]:
    """Which of the operators of quantisation stand in the file's nodes."""
    return _operators(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _operators(path: Path, _changed_ns: int) -> frozenset[str]:
    data = path.read_bytes()
    names = DYNAMIC_INT8 | STATIC_INT8
    return frozenset(name for name in names if bytes([OP_TYPE, len(name)]) + name.encode() in data)
