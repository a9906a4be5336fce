"""ONNX Runtime sessions: one thread, no spinning, all optimisations; the provider really used is told."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import onnxruntime as ort

PROVIDERS = ("CPUExecutionProvider",)


class ModelRefused(Exception):
    """A model that may not or cannot be used; says what to do."""


class Model:
    """One session; runs in whatever thread calls it."""

    def __init__(self, path: Path, allow: Collection[str] = ()) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, providers=list(PROVIDERS))
        except Exception as error:  # noqa: BLE001 (the run time raises kinds of its own)
            raise ModelRefused(f"{path}: cannot be loaded: {error}") from None
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        use = self.metadata.get("use", "")
        if use and use not in allow:
            raise ModelRefused(
                f"{path.name} is marked {use}: trained on rendered pictures, it does not know real ones; "
                f"bring weights for your cameras, or in the rig set perception.detector.allow: [{use}]"
            )
        self.inputs = {entry.name: tuple(entry.shape) for entry in self._session.get_inputs()}
        self.outputs = {entry.name: tuple(entry.shape) for entry in self._session.get_outputs()}
        self.provider = self._session.get_providers()[0]

    def run(self, feeds: dict[str, Any]) -> list[Any]:
        """All outputs in order."""
        outputs: list[Any] = self._session.run(None, feeds)
        return outputs
