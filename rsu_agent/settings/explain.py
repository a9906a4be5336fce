"""Faults of a site file: where, which key, why, all at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar

ROOT_POSITION = (1, 1)
HIDDEN = "***"  # what stands for a secret
IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
LONGEST_SHOWN = 60  # characters of a wrong value: enough to find it, short enough to read


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault; line and column count from 1. Reads `file:line:column: path: reason`."""

    file: str
    line: int
    column: int
    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.reason}"


class SiteInvalid(Exception):
    """A site file that cannot be used, with every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = sorted(set(faults))
        super().__init__("\n".join(map(str, self.faults)))


def faults_of(error: ValidationError, tree: Any, file: str, model: type[BaseModel]) -> list[Fault]:
    """Every error of pydantic at the place of its key in the YAML tree."""
    faults = []
    for entry in error.errors(include_url=False):
        path = _path_in(tree, entry["loc"])
        if entry["type"] == "union_tag_invalid":
            path = [*path, "driver"]
        at_key = entry["type"] == "extra_forbidden" or entry["loc"][-1:] == ("[key]",)
        line, column = position(tree, path, key=at_key)
        reason = _reason(dict(entry), model, path)
        faults.append(Fault(file, line, column, ".".join(map(str, path)) or "(file)", reason))
    return faults


def position(tree: Any, path: Sequence[str | int], *, key: bool = False) -> tuple[int, int]:
    """Line and column (from 1) of a value, of its key with `key`; else of the last parent that exists."""
    found = ROOT_POSITION
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


def _path_in(tree: Any, loc: Sequence[str | int]) -> list[str | int]:
    """pydantic's location without the tags of unions and the marks of mapping keys."""
    path: list[str | int] = []
    node = tree
    for index, step in enumerate(loc):
        if step == "[key]":
            continue
        is_tag = isinstance(node, dict) and step not in node and node.get("driver") == step
        if is_tag and index < len(loc) - 1:
            continue
        path.append(step)
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            node = None
    return path


def _reason(entry: dict[str, Any], model: type[BaseModel], path: Sequence[str | int]) -> str:
    kind, given = entry["type"], entry.get("input")
    context = entry.get("ctx", {})
    match kind:
        case "extra_forbidden":
            return "no such setting" + _did_you_mean(str(path[-1]), _keys_beside(model, path))
        case "missing":
            return "is missing"
        case "union_tag_invalid":
            expected = context.get("expected_tags", "").replace("'", "").split(", ")
            return f"no driver {context.get('tag')!r}" + _did_you_mean(str(context.get("tag")), expected)
        case "union_tag_not_found":
            return "driver is missing"
        case "literal_error":
            expected = context.get("expected", "")
            return f"{_shown(given)} is none of {expected}" + _did_you_mean(
                str(given), expected.replace("'", "").split(" or ")
            )
        case "value_error":
            return str(context.get("error", entry["msg"]))
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be a section of keys, not {_shown(given)}"
        case _:
            return f"{entry['msg'][0].lower()}{entry['msg'][1:]}, not {_shown(given)}"


def _shown(given: Any) -> str:
    """What stands there, in few characters on one line."""
    if given is None:
        return "empty"
    text = without_login(repr(given.value if isinstance(given, TaggedScalar) else given))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def without_login(text: str) -> str:
    """Addresses in a text without the name and password that may stand in them."""
    return IN_ADDRESS.sub(HIDDEN, text)


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _keys_beside(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Keys that may stand where the last step of the path stands, over all drivers."""
    models: list[type[BaseModel]] = [model]
    for step in path[:-1]:
        if isinstance(step, int):
            continue
        models = [
            inner
            for outer in models
            if step in outer.model_fields
            for inner in _models_in(outer.model_fields[step].annotation)
        ]
    return sorted({name for found in models for name in found.model_fields})


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, list) or get_args(annotation):
        return [found for inner in get_args(annotation) for found in _models_in(inner)]
    return []
