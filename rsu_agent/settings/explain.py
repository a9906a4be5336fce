"""Faults of a site file: where, which key, why, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from rsu_agent.ports.declare import Misfit, Step
from rsu_agent.settings.language import say
from rsu_agent.settings.reasons import reason

ROOT_POSITION = (1, 1)
AT_KEY = ("extra_forbidden",)  # faults of the key, not of its value


class Place(NamedTuple):
    """Line and column count from 1."""

    file: str
    line: int
    column: int


class Placed(Protocol):
    """A tree of settings that knows where its values were written."""

    @property
    def tree(self) -> dict[str, Any]:
        """What holds."""

    def place(self, path: Sequence[Step], *, key: bool = False) -> Place:
        """Where a value was written, or its key, or the last section around it that exists."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; line and column count from 1. Reads `file:line:column: path: reason`.

    other: the place of what it does not agree with.
    """

    file: str
    line: int
    column: int
    path: str
    reason: str
    other: Place | None = None

    def __str__(self) -> str:
        told = f"{self.file}:{self.line}:{self.column}: {self.path}: {self.reason}"
        if self.other is None:
            return told
        file, line, column = self.other
        where = f"{line}:{column}" if file == self.file else f"{file}:{line}:{column}"
        return told + say(" (see {where})", where=where)


class SiteInvalid(Exception):
    """A site file that cannot be used, with every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(
            set(faults), key=lambda fault: (fault.file, fault.line, fault.column, fault.path)
        )
        super().__init__("\n".join(map(str, self.faults)))


def faults_of(error: ValidationError, placed: Placed, model: type[BaseModel]) -> list[Fault]:
    """Every error of pydantic at the place of its key."""
    return [_fault(dict(entry), placed, model) for entry in error.errors(include_url=False)]


def _fault(entry: dict[str, Any], placed: Placed, model: type[BaseModel]) -> Fault:
    path, other = _path_in(placed.tree, entry["loc"]), None
    at_key = entry["type"] in AT_KEY or entry["loc"][-1:] == ("[key]",) or entry.get("input", 0) is None
    if entry["type"] in ("union_tag_invalid", "union_tag_not_found") and isinstance(entry.get("input"), dict):
        path = [*path, "driver"]
    misfit = entry.get("ctx", {}).get("error")
    if isinstance(misfit, Misfit):
        other = None if misfit.other is None else placed.place([*path, *misfit.other])
        path, at_key = [*path, *misfit.where], at_key or misfit.at_key
    why = reason(entry, model, path, _driver_of(placed.tree, path))
    return Fault(*placed.place(path, key=at_key), ".".join(map(str, path)) or "(file)", why, other)


def position(tree: Any, path: Sequence[Step], *, key: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of a value, of its key with `key`; else of the last parent that exists."""
    found = (tree.lc.line + 1, tree.lc.col + 1) if isinstance(tree, CommentedMap) else ROOT_POSITION
    node = tree
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        try:
            if isinstance(node, CommentedMap):
                line, column = node.lc.key(step) if key and last else node.lc.value(step)
            elif isinstance(node, CommentedSeq):
                line, column = node.lc.item(step)
            else:
                break
            node = node[step]
        except (KeyError, IndexError, TypeError):
            break
        found = (line + 1, column + 1)
    return found


def _driver_of(tree: Any, path: Sequence[Step]) -> str | None:
    """The driver named in the section that a path leads into."""
    node = tree
    for step in path[:2]:
        node = _within(node, step)
        if isinstance(node, dict) and isinstance(node.get("driver"), str):
            return str(node["driver"])
    return None


def _within(node: Any, step: Step) -> Any:
    """What stands there in a mapping or a list, None where nothing does."""
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


def _path_in(tree: Any, loc: Sequence[Step]) -> list[Step]:
    """pydantic's location without the tags of unions and the marks of mapping keys."""
    path: list[Step] = []
    node = tree
    for index, step in enumerate(loc):
        if step == "[key]":
            continue
        is_tag = isinstance(node, dict) and step not in node and node.get("driver") == step
        if is_tag and index < len(loc) - 1:
            continue
        path.append(step)
        node = _within(node, step)
    return path
