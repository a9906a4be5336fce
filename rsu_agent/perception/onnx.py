"""ONNX Runtime sessions: one thread, no spinning, all optimisations; the provider really used is told."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from rsu_agent.perception.model_refused import ModelRefused as ModelRefused

CPU = "CPUExecutionProvider"
FALLBACK = "perception.detector.allow_fallback: true"


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output as the run time lists it: name, element type, shape (numbers, names or None)."""

    name: str
    kind: str
    shape: tuple[Any, ...]

    def __str__(self) -> str:
        dims = ", ".join("?" if dim is None else str(dim) for dim in self.shape)
        return f"{self.name} [{dims}] {self.kind.removeprefix('tensor(').removesuffix(')')}"


class Model:
    """One session; runs in whatever thread calls it.

    allow: marks of use that are allowed. providers: execution providers in the order wanted; one that is not
    there, or that runs no node, is refused unless `allow_fallback`. Raises ModelRefused.
    """

    def __init__(
        self,
        path: Path,
        allow: Collection[str] = (),
        providers: Sequence[str] = (CPU,),
        *,
        allow_fallback: bool = False,
    ) -> None:
        self.warnings: list[str] = []
        self._given_up: set[str] = set()
        self.path, self.wanted, self._allow_fallback = path, tuple(providers), allow_fallback
        self._asked = self._available()
        self._session = self._open(_options())
        told = self._session.get_modelmeta()
        self.metadata: dict[str, str] = dict(told.custom_metadata_map)
        self.producer = str(told.producer_name)
        use = self.metadata.get("use", "")
        if use and use not in allow:
            raise ModelRefused(
                f"{path.name} is marked {use}: trained on rendered pictures, it does not know real ones; "
                f"bring weights for your cameras, or in the rig set perception.detector.allow: [{use}]"
            )
        self.inputs = tuple(Tensor(e.name, e.type, tuple(e.shape)) for e in self._session.get_inputs())
        self.outputs = tuple(Tensor(e.name, e.type, tuple(e.shape)) for e in self._session.get_outputs())
        self.providers = tuple(self._session.get_providers())
        self._must_have(self.providers, "ONNX Runtime could not start it; its log says why")

    def run(self, feeds: dict[str, Any]) -> list[Any]:
        """All outputs in order."""
        outputs: list[Any] = self._session.run(None, feeds)
        return outputs

    def tried(self, feeds: dict[str, Any]) -> tuple[Any, ...]:
        """A first run. Raises ModelRefused when the graph does not take the feeds or gives no tensors."""
        try:
            values = tuple(self.run(feeds))
        except Exception as error:  # noqa: BLE001 (the run time raises kinds of its own)
            raise ModelRefused(f"{self.path.name}: cannot be run: {error}") from None
        if not all(isinstance(value, np.ndarray) for value in values):
            raise ModelRefused(f"{self.path.name}: gives sequences or maps; export it with plain tensors")
        return values

    def shares(self, feeds: dict[str, Any]) -> dict[str, float]:
        """Share of the graph's nodes that each provider runs, by a profiled run where there are several.

        Raises ModelRefused when the first wanted runs none.
        """
        if self.providers == (CPU,):
            return {CPU: 1.0}
        with tempfile.TemporaryDirectory() as folder:
            options = _options()
            options.enable_profiling, options.profile_file_prefix = True, f"{folder}/run"
            session = self._open(options)
            session.run(None, feeds)
            events = json.loads(Path(session.end_profiling()).read_text())
        counts = Counter(
            event["args"]["provider"] for event in events if event.get("args", {}).get("provider")
        )
        shares = {name: count / counts.total() for name, count in counts.most_common()}
        self._must_have([*shares, *self.wanted[1:]], "it took none of the graph's nodes")
        if CPU in shares and CPU not in self.wanted:
            self.warnings.append(f"{shares[CPU]:.0%} of the nodes run on the CPU, which was not asked for")
        return shares

    def _available(self) -> list[str]:
        there = ort.get_available_providers()
        self._must_have(there, f"this machine's ONNX Runtime has {', '.join(there)}")
        return [name for name in self.wanted if name in there] or [CPU]

    def _must_have(self, there: Collection[str], why: str) -> None:
        for name in self.wanted:
            if name in there or name in self._given_up:
                continue
            text = f"{name} is not used: {why}"
            if not self._allow_fallback:
                raise ModelRefused(
                    f"{self.path.name}: {text}; install what it needs, ask for another in"
                    f" perception.detector.providers, or allow what there is by {FALLBACK}"
                )
            self._given_up.add(name)
            self.warnings.append(text)

    def _open(self, options: ort.SessionOptions) -> ort.InferenceSession:
        try:
            return ort.InferenceSession(str(self.path), options, providers=self._asked)
        except Exception as error:  # noqa: BLE001 (the run time raises kinds of its own)
            raise ModelRefused(f"{self.path}: cannot be loaded: {error}") from None


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return options
