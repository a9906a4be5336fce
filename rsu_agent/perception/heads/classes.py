"""Classes of a model file and ours: COCO, names where the file lists them, the sidecar above all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.world.road_user import UserClass

COCO_CLASSES = 80
COCO = {
    "person": 0,
    "bicycle": 1,
    "car": 2,
    "motorcycle": 3,
    "bus": 5,
    "truck": 7,
}  # the useful of the eighty
NAMED: dict[str, UserClass] = {kind.value: kind for kind in UserClass}
NAMED["person"] = NAMED[UserClass.PEDESTRIAN]
del NAMED[UserClass.UNKNOWN]


def class_map(
    count: int | None, names: Sequence[str], said: Mapping[str, UserClass], file: str
) -> dict[int, UserClass]:
    """Number in the file -> ours; what is not in it is dropped.

    count: how many classes the outputs have, None where labels come as bare numbers. Raises ModelRefused
    when nothing tells what the classes are.
    """
    if names and count is not None and len(names) != count:
        raise ModelRefused(f"{file}: {count} classes, but its metadata name {len(names)}: {', '.join(names)}")
    coco = not names and count in (None, COCO_CLASSES)
    if said:
        numbers = COCO if coco else {name: number for number, name in enumerate(names)}
        return {_number(key, numbers, count, file): kind for key, kind in said.items()}
    if names:
        known = {n: NAMED[name.lower()] for n, name in enumerate(names) if name.lower() in NAMED}
        if not known:
            shown = ", ".join(names[:20])
            raise ModelRefused(f"{file}: none of its classes is ours: {shown}; write [classes] in model.toml")
        return known
    if not coco:
        raise ModelRefused(
            f"{file}: {count} classes without names, not the {COCO_CLASSES} of COCO; write in model.toml, for"
            ' example:\n[classes]\n0 = "pedestrian"\n1 = "car"'
        )
    return {number: NAMED[name] for name, number in COCO.items()}


def _number(key: str, numbers: Mapping[str, int], count: int | None, file: str) -> int:
    """The number of a class that the sidecar names or numbers. Raises ModelRefused."""
    if key in numbers:
        return numbers[key]
    if not key.isdecimal():
        have = ", ".join(list(numbers)[:20]) or "numbers only: its metadata list no names"
        raise ModelRefused(f"{file}: model.toml: classes.{key}: no such class in the file; it has {have}")
    if count is not None and int(key) >= count:
        raise ModelRefused(f"{file}: model.toml: classes.{key}: the file has classes 0 to {count - 1}")
    return int(key)
