"""Writing one value of a site file by its dotted name: comments and every other line stay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from rsu_agent.settings.dotted import NoSuchKey, Step, choices, steps, steps_to, value_at
from rsu_agent.settings.written import NotWritable, checked, indent_of, newline_of, plain, replace_site

QUOTED = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\""""
BETWEEN_BRACES = re.compile(QUOTED + r"""|\[[^\[\]{}#]*\]|[^#,\[\]{}'"\n]+?(?=\s*(?:#|,|\]|\}|$))""")
ON_A_LINE = re.compile(QUOTED + r"""|\[[^#\n]*\]|\{[^#\n]*\}|[^\n]+?(?=\s+#|\s*$)""")


def write_key(path: Path, name: str, value: str) -> None:
    """Put a value, as it is written in YAML, at a dotted name.

    Raises SiteInvalid, NotWritable, NoSuchKey and OSError; then the file is as it was.
    """
    replace_site(path, lambda text: with_key(text, name, value))


def remove_key(path: Path, name: str) -> None:
    """Take a key away, so that its default holds. Raises as `write_key` does."""
    replace_site(path, lambda text: without_key(text, name))


def with_key(text: str, name: str, value: str) -> str:
    """The text with another value. Raises NotWritable, NoSuchKey."""
    try:
        said = YAML(typ="safe").load(value)
    except YAMLError:
        raise NotWritable(f"{value} is no value of YAML: put it between quotes") from None
    if "\n" in value or value.strip() == "" or isinstance(said, dict):
        raise NotWritable("one value on one line; of a section set its keys one by one")
    tree = YAML().load(text)
    taken = steps_to(tree, name)
    wanted = plain(tree)
    _put(wanted, taken, said)
    there = _deepest(tree, taken)
    lines = text.splitlines(keepends=True)
    if not lines[-1].endswith("\n"):
        lines[-1] += newline_of(lines)
    if there == len(taken):
        _replace(lines, tree, taken, value)
    else:
        _add(lines, tree, taken, there, value)
    return checked("".join(lines), wanted, f"the surroundings of {name} are")


def without_key(text: str, name: str) -> str:
    """The text without a key and what is below it. Raises NotWritable, NoSuchKey."""
    tree = YAML().load(text)
    taken = steps(tree, name)
    parent, key = value_at(tree, taken[:-1]), taken[-1]
    if not isinstance(parent, CommentedMap) or key not in parent:
        raise NoSuchKey(name, str(key), choices(parent))
    if parent.fa.flow_style():
        raise NotWritable(f"{name} stands between braces: edit the file by hand")
    wanted = plain(tree)
    del value_at(wanted, taken[:-1])[key]
    lines = text.splitlines(keepends=True)
    first = parent.lc.key(key)[0]
    if first == parent.lc.line and taken[:-1] and isinstance(taken[-2], int):
        raise NotWritable(f"{name} is the first key of its item: edit the file by hand")
    del lines[first : _end(lines, first, parent.lc.col)]
    return checked("".join(lines), wanted, f"the surroundings of {name} are")


def _deepest(tree: Any, taken: Sequence[Step]) -> int:
    """How many steps lead to something that is there."""
    for count in range(len(taken)):
        node = value_at(tree, taken[:count])
        is_there = node is not None and (
            taken[count] in node if isinstance(node, dict) else isinstance(node, list)
        )
        if not is_there:
            return count
    return len(taken)


def _put(tree: Any, taken: Sequence[Step], value: Any) -> None:
    for step in taken[:-1]:
        if isinstance(tree, dict) and tree.get(step) is None:
            tree[step] = {}
        tree = tree[step]
    if not isinstance(tree, dict | list):
        raise NotWritable(f"{'.'.join(map(str, taken[:-1]))} is a value and no section")
    tree[taken[-1]] = value  # type: ignore[index]


def _replace(lines: list[str], tree: Any, taken: Sequence[Step], value: str) -> None:
    parent, key = value_at(tree, taken[:-1]), taken[-1]
    old = value_at(tree, taken)
    if isinstance(old, dict | list) and not (hasattr(old, "fa") and old.fa.flow_style()):
        raise NotWritable(f"{'.'.join(map(str, taken))} is a section or a list over several lines")
    line, column = parent.lc.value(key) if isinstance(parent, CommentedMap) else parent.lc.item(key)
    if old is None:
        raise NotWritable(f"{'.'.join(map(str, taken))} is empty: edit the file by hand")
    pattern = BETWEEN_BRACES if parent.fa.flow_style() else ON_A_LINE
    found = pattern.match(lines[line].rstrip("\r\n"), column)
    if found is None:
        raise NotWritable(f"{'.'.join(map(str, taken))} is written in a way that is not understood")
    lines[line] = lines[line][:column] + value + lines[line][found.end() :]


def _add(lines: list[str], tree: Any, taken: Sequence[Step], there: int, value: str) -> None:
    """New lines at the end of the deepest section that is there."""
    parent = value_at(tree, taken[:there])
    if not isinstance(parent, CommentedMap) or not len(parent):
        raise NotWritable(f"{'.'.join(map(str, taken[:there]))} is no section with keys")
    if parent.fa.flow_style():
        _add_between_braces(lines, tree, taken, there, value)
        return
    indent, newline = parent.lc.col, newline_of(lines)
    at = max(_end(lines, parent.lc.key(key)[0], indent) for key in parent)
    fresh = []
    for depth, step in enumerate(taken[there:]):
        last = depth == len(taken) - there - 1
        fresh.append(f"{' ' * (indent + 2 * depth)}{step}:{f' {value}' if last else ''}{newline}")
    lines[at:at] = fresh


def _add_between_braces(lines: list[str], tree: Any, taken: Sequence[Step], there: int, value: str) -> None:
    """{a: 1} becomes {a: 1, b: 2}, on its one line."""
    above, key = value_at(tree, taken[: there - 1]), taken[there - 1]
    line, column = above.lc.value(key) if isinstance(above, CommentedMap) else above.lc.item(key)
    close = _closing(lines[line], column)
    for step in reversed(taken[there + 1 :]):
        value = f"{{{step}: {value}}}"
    lines[line] = f"{lines[line][:close].rstrip()}, {taken[there]}: {value}{lines[line][close:]}"


def _closing(line: str, column: int) -> int:
    """Where the brace that opens at the column is closed. Raises NotWritable where that is another line."""
    depth, at = 0, column
    while at < len(line):
        if quoted := re.compile(QUOTED).match(line, at):
            at = quoted.end()
            continue
        depth += (line[at] in "{[") - (line[at] in "}]")
        if depth == 0:
            return at
        at += 1
    raise NotWritable("a section between braces goes on over several lines: edit the file by hand")


def _end(lines: list[str], first: int, indent: int) -> int:
    """The line after what stands under the key of that line."""
    end = number = first + 1
    while number < len(lines):
        content = lines[number].strip()
        depth = indent_of(lines[number])
        is_item = content.startswith("- ") and depth == indent
        if content and not content.startswith("#"):
            if depth <= indent and not is_item:
                break
            end = number + 1
        number += 1
    return end
