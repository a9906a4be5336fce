"""The table of families in the order in which they are tried, and what is said of a file that is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsu_agent.perception.heads import (
    centre_point,
    fastestdet,
    gfl,
    nanodet_plus,
    rt_detr,
    ultralytics,
    yolov5,
    yolox,
)
from rsu_agent.perception.heads.picture import Preparation
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import Head, NotThis, Told
from rsu_agent.perception.model_refused import ModelRefused

IMAGENET_MEAN, IMAGENET_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
ZERO, ONE, BYTE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (255.0, 255.0, 255.0)
MIDDLE = (127.5, 127.5, 127.5)
CENTRED = Preparation("letterbox_centred", "rgb", ZERO, BYTE)
NANODET = Preparation("stretch", "bgr", IMAGENET_MEAN[::-1], IMAGENET_STD[::-1])


@dataclass(frozen=True, slots=True)
class Family:
    """One family: its name in model.toml, how it is recognised, how its pictures are prepared."""

    name: str
    recognise: Callable[[Told, Sidecar], Head | None]
    preparation: Preparation


# facts/perception 2. Ambiguities are settled by this order and, where shapes are the same, by whether columns
# can be scores (0 to 1): [1, A, P] is YOLOX where all columns after the box are, else NanoDet-Plus.
FAMILIES = (
    Family(centre_point.OURS, centre_point.recognise, Preparation("stretch", "rgb", MIDDLE, BYTE)),
    Family("rt_detr", rt_detr.recognise, Preparation("stretch", "rgb", ZERO, BYTE)),
    Family(ultralytics.END_TO_END, ultralytics.recognise_end_to_end, CENTRED),
    Family(ultralytics.DENSE, ultralytics.recognise, CENTRED),
    Family(yolox.NAME, yolox.recognise, Preparation("letterbox", "bgr", ZERO, ONE)),
    Family(yolov5.NAME, yolov5.recognise, CENTRED),
    Family(gfl.NANODET, gfl.recognise_nanodet, NANODET),
    Family(gfl.PICODET, gfl.recognise_picodet, Preparation("stretch", "rgb", IMAGENET_MEAN, IMAGENET_STD)),
    Family(nanodet_plus.NAME, nanodet_plus.recognise, NANODET),
    Family(fastestdet.NAME, fastestdet.recognise, Preparation("stretch", "bgr", ZERO, BYTE)),
)


def recognise(told: Told, said: Sidecar, file: str) -> tuple[Family, Head]:
    """The first family that fits; only the one that the sidecar names, where it names one.

    Raises ModelRefused: with every input and output and their shapes, why families of these shapes did not
    fit, and what to write into the sidecar.
    """
    misses = []
    for family in FAMILIES:
        if said.head not in ("", family.name):
            continue
        try:
            head = family.recognise(told, said)
        except NotThis as miss:
            misses.append(f"not {family.name}: {miss}")
            continue
        if head is not None:
            return family, head
    raise ModelRefused(_unknown(told, said, file, misses))


def _unknown(told: Told, said: Sidecar, file: str, misses: list[str]) -> str:
    names = [tensor.name for tensor in told.outputs]
    shapes = (
        f"{n} {list(v.shape)} {v.dtype}" if v.ndim else f"{n} {v.dtype}"
        for n, v in zip(names, told.values, strict=True)
    )
    lines = [
        f"{file}: its outputs are not those of {said.head}" if said.head else f"{file}: no known head",
        f"  inputs {'; '.join(map(str, told.inputs))}",
        f"  outputs at {told.width} x {told.height}: {'; '.join(shapes)}",
        *(f"  {miss}" for miss in misses),
    ]
    known = ", ".join(family.name for family in FAMILIES)
    if said.head:
        lines.append("  take `head` out of model.toml, or put the right one there: " + known)
    else:
        lines.append(f'  if it is one of {known}, write head = "NAME" into model.toml beside it, and size,')
        lines.append("  colour, mean, std, resize where they differ; else export it as one of them")
    return "\n".join(lines)
