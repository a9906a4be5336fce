"""One model file as a detector: recognised, fed, decoded; what it is and does is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rsu_agent.perception.heads.centre_point import OURS
from rsu_agent.perception.heads.classes import class_map
from rsu_agent.perception.heads.detection import Array, Candidates, Detection
from rsu_agent.perception.heads.families import recognise
from rsu_agent.perception.heads.feeds import Feeds
from rsu_agent.perception.heads.picture import Fitting, Placement
from rsu_agent.perception.heads.sidecar import Sidecar, read_sidecar, sidecar_of
from rsu_agent.perception.heads.suppress import strongest, suppress
from rsu_agent.perception.heads.told import Told
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.onnx import CPU, Model, Tensor
from rsu_agent.perception.onnx_file import DYNAMIC_INT8, checksum, operators

UNMAPPED, NO_BOX = "unmapped", "no_box"
DROPPED = (UNMAPPED, NO_BOX)  # of a class that is not ours; numbers that make no box


class Detector:
    """A session of its own, to be used by one thread. Raises ModelRefused where the file cannot be used.

    allow: marks of use that are allowed (`simulation_only`); sidecar: the file to read instead of the one
    beside the model; providers, allow_fallback: see `Model`.
    """

    def __init__(
        self,
        path: Path,
        allow: Collection[str] = (),
        *,
        sidecar: Path | None = None,
        providers: Sequence[str] = (CPU,),
        allow_fallback: bool = False,
    ) -> None:
        self.path, self.sidecar = path, sidecar or sidecar_of(path)
        self.said = Sidecar() if self.sidecar is None else read_sidecar(self.sidecar)
        self.model = Model(path, allow, providers, allow_fallback=allow_fallback)
        self.sha256 = checksum(path)
        if self.said.sha256 not in ("", self.sha256):
            raise ModelRefused(f"{self.sidecar}: sha256 is of another file: {path.name} has {self.sha256}")
        self._feeds = Feeds(self.model.inputs, self.said, self.model.metadata, path.name)
        self.width, self.height = self._feeds.width, self._feeds.height
        told = self._try()
        self.family, self.head = recognise(told, self.said, path.name)
        self.names = self.head.names or told.names
        self.classes = class_map(self.head.classes, self.names, self.said.classes, path.name)
        self.preparation = self.said.over(self.family.preparation)
        self._fitting = Fitting(self.preparation, self.width, self.height, self._feeds.dtype)
        self.shares = self.model.shares(self._feeds.grey())
        self.provider = max(self.shares, key=lambda name: self.shares[name])
        self.outputs = tuple(
            Tensor(tensor.name, tensor.kind, value.shape)
            for tensor, value in zip(told.outputs, told.values, strict=True)
        )
        self.licence = self.said.licence or self.model.metadata.get("licence", "")
        self.use = self.model.metadata.get("use", "")
        self.warnings = tuple(self._warnings())
        self.dropped: Counter[str] = Counter(dict.fromkeys(DROPPED, 0))

    def detect(self, image: Array, radar: Array | None, threshold: float) -> list[Detection]:
        """Users in a BGR picture (h, w, 3) of any size; boxes in its pixels.

        radar: uint8 (2, H/4, W/4) for nets that take one, None = no radar.
        """
        blob, placement = self.prepare(image)
        size = (image.shape[1], image.shape[0])
        return self.finish(self.infer(blob, radar), placement, size, threshold)

    def prepare(self, image: Array) -> tuple[Array, Placement]:
        """The picture as the net takes it, and where it lies in there."""
        return self._fitting.fit(image)

    def infer(self, blob: Array, radar: Array | None = None) -> list[Array]:
        """The net's outputs."""
        return self.model.run(self._feeds.of(blob, radar))

    def finish(
        self, outputs: Sequence[Array], placement: Placement, size: tuple[int, int], threshold: float
    ) -> list[Detection]:
        """Detections from outputs: finite, of classes of ours, each user once, strongest first.

        Boxes of other heads than ours end at the edges of the picture (width, height).
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            found = self.head.decode(outputs, threshold)
            sound = found.sound()
        self.dropped[NO_BOX] += int(len(sound) - sound.sum())
        found = found.pick(sound)
        found = found.pick(strongest(found.scores))
        ours = self.family.name == OURS
        kinds = [self.classes.get(int(number)) for number in found.classes]
        if self.head.overlapping:
            groups = np.zeros(len(kinds)) if ours else _groups(kinds, found.classes)
            kept = suppress(found.boxes, found.scores, groups)
            found, kinds = found.pick(kept), [kinds[n] for n in kept]
        known = np.array([kind is not None for kind in kinds], bool)
        self.dropped[UNMAPPED] += int(len(known) - known.sum())
        return _detections(
            found.pick(known), [k for k in kinds if k is not None], placement, None if ours else size
        )

    def _try(self) -> Told:
        """The net's answer to a plain picture: real shapes, and numbers that say what columns mean."""
        values = self.model.tried(self._feeds.grey())
        real = [value for value in values if value.dtype.kind == "f"]
        if any(value.size and not np.isfinite(value).any() for value in real):
            raise ModelRefused(f"{self.path.name}: gives no finite number for a plain picture")
        model = self.model
        metadata = {key.lower(): value for key, value in model.metadata.items()}
        return Told(model.inputs, model.outputs, values, metadata, model.producer, self.width, self.height)

    def _warnings(self) -> list[str]:
        found = list(self.model.warnings)
        if self.head.recalled:
            found.append(
                f"taken for {self.family.name} by a rule that was never tried on a real file"
                f" ({self.head.recalled}): look at a picture (rsu model check --image --out),"
                f' then write head = "{self.family.name}" into model.toml'
            )
        if DYNAMIC_INT8 & operators(self.path):
            found.append(
                "quantised dynamically: slower than float, and detections are often destroyed;"
                " quantise it statically (QDQ, activations u8, weights s8 per channel), or take the float one"
            )
        if not self.licence:
            found.append("no licence is stated: production needs `licence` in model.toml")
        return found


class CentrePointDetector(Detector):
    """Our own head, and no other."""

    def __init__(self, path: Path, allow: Collection[str] = ()) -> None:
        super().__init__(path, allow)
        if self.family.name != OURS:
            raise ModelRefused(f"{path.name}: the head is {self.family.name}, not {OURS}")


def _groups(kinds: Sequence[Any], classes: Array) -> Array:
    """Boxes compete within a class of ours; those that will be dropped within the file's own."""
    names = [int(c) if kind is None else kind for kind, c in zip(kinds, classes, strict=True)]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names])


def _detections(
    found: Candidates, kinds: Sequence[Any], placement: Placement, size: tuple[int, int] | None
) -> list[Detection]:
    boxes = placement.back(found.boxes)
    if size is not None:
        boxes = boxes.clip(0.0, np.tile(size, 2))
        seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        kinds = [kind for kind, inside in zip(kinds, seen, strict=True) if inside]
        boxes, found = boxes[seen], found.pick(seen)
    grounded = found.grounds is not None
    bottoms = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
    grounds = bottoms if found.grounds is None else placement.back(found.grounds)
    rows = zip(kinds, found.scores.tolist(), boxes.tolist(), grounds.tolist(), strict=True)
    return [Detection(kind, score, tuple(box), tuple(ground), grounded) for kind, score, box, ground in rows]
