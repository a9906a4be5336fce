"""What `rsu model check` measures and prints of a detector."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.settings.language import say

RUNS, WARM = 30, 3
THRESHOLD = 0.3  # the site file's default
SIZE = (640, 360)  # of the sub-stream that a camera is asked for
STAGES = ("pre", "inference", "post")
COLOUR = (0, 220, 255)
Picture = npt.NDArray[Any]


def picture_of(file: Path | None) -> Picture:
    """A picture read, or noise of a sub-stream's size. Raises ValueError."""
    if file is None:
        noise = np.random.default_rng(1).integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8)
        return np.asarray(cv2.GaussianBlur(noise, (9, 9), 0))
    picture = cv2.imread(str(file)) if file.is_file() else None
    if picture is None:
        raise ValueError(say("{file}: no such picture, or it cannot be read", file=file))
    return np.asarray(picture)


def timed(detector: Detector, picture: Picture) -> tuple[dict[str, float], list[Detection]]:
    """Median milliseconds of each stage on one thread, with a bar on a terminal; and what was found."""
    cv2.setNumThreads(1)  # as the senses do
    taken: dict[str, list[float]] = {stage: [] for stage in STAGES}
    size = (picture.shape[1], picture.shape[0])
    found: list[Detection] = []
    console = Console(file=sys.stderr)
    steps = track(
        range(WARM + RUNS), "timing", console=console, disable=not console.is_terminal, transient=True
    )
    for step in steps:
        stamps = [time.perf_counter()]
        blob, placement = detector.prepare(picture)
        stamps.append(time.perf_counter())
        outputs = detector.infer(blob)
        stamps.append(time.perf_counter())
        found = detector.finish(outputs, placement, size, THRESHOLD)
        stamps.append(time.perf_counter())
        if step >= WARM:
            for stage, began_s, ended_s in zip(STAGES, stamps, stamps[1:], strict=False):
                taken[stage].append((ended_s - began_s) * 1000)
    return {stage: round(statistics.median(each), 3) for stage, each in taken.items()}, found


def drawn(picture: Picture, found: list[Detection], file: Path) -> str:
    """The picture with boxes, classes, scores and ground points, written. Raises ValueError."""
    shown = picture.copy()
    for item in found:
        left, top, right, bottom = (round(edge) for edge in item.box)
        cv2.rectangle(shown, (left, top), (right, bottom), COLOUR, 1)
        cv2.circle(shown, (round(item.ground[0]), round(item.ground[1])), 2, (0, 0, 255), -1)
        text = f"{item.kind} {item.score:.2f}"
        cv2.putText(
            shown, text, (left, max(10, top - 3)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, COLOUR, 1, cv2.LINE_AA
        )
    try:
        written = cv2.imwrite(str(file), shown)
    except cv2.error:
        written = False
    if not written:
        raise ValueError(
            say("{file}: cannot be written; is the folder there, and does it end in .png or .jpg?", file=file)
        )
    return str(file)


def object_of(
    detector: Detector, speed_ms: dict[str, float], found: list[Detection] | None, written: str | None
) -> dict[str, Any]:
    """Everything as plain values."""
    way, inputs = detector.preparation, detector.model.inputs
    names = detector.names
    kinds = {(names[n] if n < len(names) else str(n)): str(kind) for n, kind in detector.classes.items()}
    return {
        "file": str(detector.path),
        "sha256": detector.sha256,
        "sidecar": None if detector.sidecar is None else str(detector.sidecar),
        "head": detector.family.name,
        "recognised_by": "model.toml" if detector.said.head else detector.head.why,
        "inputs": [str(tensor) for tensor in inputs],
        "outputs": [str(tensor) for tensor in detector.outputs],
        "input": {
            "width": detector.width,
            "height": detector.height,
            "resize": way.resize,
            "colour": way.colour,
            "mean": list(way.mean),
            "std": list(way.std),
            "pad": way.pad,
        },
        "classes": {"in_file": detector.head.classes, "used": kinds},
        "providers": {"wanted": list(detector.model.wanted), "nodes": detector.shares},
        "speed_ms": {**speed_ms, "runs": RUNS},
        "licence": detector.licence or None,
        "use": detector.use or None,
        "warnings": list(detector.warnings),
        "detections": None if found is None else [_row(item) for item in found],
        "picture": written,
    }


def _row(item: Detection) -> dict[str, Any]:
    edges = [round(edge, 1) for edge in item.box]
    return {"kind": str(item.kind), "score": round(item.score, 3), "box": edges, "grounded": item.grounded}


def words_of(told: dict[str, Any]) -> Iterator[str]:
    """The same for people: a line a matter."""
    way, speed, classes = told["input"], told["speed_ms"], told["classes"]
    yield f"{told['file']}"
    yield say(
        "  head        {head}, by {recognised_by}", head=told["head"], recognised_by=told["recognised_by"]
    )
    yield say("  input       {inputs}", inputs="; ".join(told["inputs"]))
    yield f"              {way['width']} x {way['height']}, {way['resize']}, {way['colour']}"
    yield say("              mean {mean}, std {std}", mean=way["mean"], std=way["std"])
    yield say("  outputs     {outputs}", outputs="; ".join(told["outputs"]))
    used = ", ".join(name if name == kind else f"{name} -> {kind}" for name, kind in classes["used"].items())
    count = classes["in_file"]
    yield say("  classes     {used}", used=used) + (
        "" if count is None else say("; {others} others are dropped", others=count - len(classes["used"]))
    )
    nodes = ", ".join(
        say("{name} {share:.0%} of nodes", name=name, share=share)
        for name, share in told["providers"]["nodes"].items()
    )
    yield say("  runs on     {nodes}", nodes=nodes)
    stages = ", ".join(f"{stage} {speed[stage]:.1f}" for stage in STAGES)
    yield say("  speed       {stages} ms (median of {runs}, one thread)", stages=stages, runs=speed["runs"])
    yield say("  licence     {licence}", licence=told["licence"] or say("not stated"))
    yield say("  use         {use}", use=told["use"] or say("not restricted by a mark"))
    for text in told["warnings"]:
        yield say("  warning: {words}", words=text)
    if told["detections"] is not None:
        for item in told["detections"]:
            yield say(
                "  found       {kind} {score:.2f} at {box}",
                kind=item["kind"],
                score=item["score"],
                box=item["box"],
            )
        yield say("  {count} found", count=len(told["detections"])) + (
            say(", drawn into {picture}", picture=told["picture"]) if told["picture"] else ""
        )
