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
    taken, rest, node = _walk(tree, path)
    if len(rest) > 1 or (rest and not isinstance(node, dict)):
        raise NoSuchKey(path, rest[0], choices(node))
    return [*taken, *rest]


def steps_to(tree: Any, path: str) -> list[Step]:
    """As `steps`; sections that are not there yet may be on the way, but no items of lists (NoSuchKey)."""
    taken, rest, node = _walk(tree, path)
    if rest and isinstance(node, list):
        raise NoSuchKey(path, rest[0], choices(node))
    return [*taken, *rest]


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


def _walk(tree: Any, path: str) -> tuple[list[Step], list[str], Any]:
    """(steps that are there, the rest of the name, where the last of them leads)."""
    node, taken, parts = tree, list[Step](), path.split(".")
    for depth, part in enumerate(parts):
        if (step := _step(node, part)) is None:
            return taken, parts[depth:], node
        taken.append(step)
        node = node[step]
    return taken, [], node


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
