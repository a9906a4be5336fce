"""Naming one value of a site file: `radio.standard`, `cameras.north.latency_s`, `cameras.0.pose.yaw_deg`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

Step = str | int


class NoSuchKey(Exception):
    """A name that leads nowhere; says how far it leads, and what stands there."""

    def __init__(self, path: str, step: str, choices: Sequence[str]) -> None:
        close = difflib.get_close_matches(step, choices, n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(choices) or 'none'}"
        super().__init__(f"{path}: no {step} here{hint}")


def steps(tree: Any, path: str) -> list[Step]:
    """The steps of a dotted name in this tree; a sensor of a list is named by its `name` or its place.

    The last step may be a key that is not there yet. Raises NoSuchKey.
    """
    node, taken = tree, list[Step]()
    parts = path.split(".")
    for depth, part in enumerate(parts):
        step = _step(node, part)
        if step is None and not (depth == len(parts) - 1 and isinstance(node, dict)):
            raise NoSuchKey(path, part, choices(node))
        taken.append(part if step is None else step)
        node = None if step is None else node[step]
    return taken


def steps_to(tree: Any, path: str) -> list[Step]:
    """As `steps`; sections that are not there yet may be on the way, but no items of lists (NoSuchKey)."""
    node, taken, parts = tree, list[Step](), path.split(".")
    for depth, part in enumerate(parts):
        step = _step(node, part)
        if step is None and isinstance(node, list):
            raise NoSuchKey(path, part, choices(node))
        if step is None:
            return [*taken, *parts[depth:]]
        taken.append(step)
        node = node[step]
    return taken


def value_at(tree: Any, taken: Sequence[Step]) -> Any:
    """The value there. Raises KeyError or IndexError where nothing is."""
    for step in taken:
        tree = tree[step]
    return tree


def choices(node: Any) -> list[str]:
    """What may stand for the next step."""
    if isinstance(node, dict):
        return sorted(map(str, node))
    if isinstance(node, list):
        return [
            str(each.get("name", at)) if isinstance(each, dict) else str(at) for at, each in enumerate(node)
        ]
    return []


def _step(node: Any, part: str) -> Step | None:
    if isinstance(node, dict):
        return next((key for key in node if str(key) == part), None)
    if isinstance(node, list):
        named = (at for at, each in enumerate(node) if isinstance(each, dict) and each.get("name") == part)
        found = next(named, None)
        if found is None and part.isascii() and part.isdigit() and int(part[:6]) < len(node):
            return int(part[:6])
        return found
    return None
