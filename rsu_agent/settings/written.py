"""Writing a camera's signal heads into a site file: no other line changes, and no wrong file is written."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from rsu_agent.settings.read import read_site

NO_CONTENT = re.compile(r"\s*(#.*)?$")
COMMENT = re.compile(r"\s+#[^\n]*$")


class NotWritable(Exception):
    """A site file whose list of cameras is not written one key a line."""


def write_heads(path: Path, camera: str, heads: Sequence[dict[str, Any]]) -> None:
    """Puts the list in the place of `cameras[].heads` of the camera so named, as the file is now.

    heads: {group, box, layout}, plain. One that stays keeps its lines with their comments. Raises
    SiteInvalid, naming what would be wrong, NotWritable and OSError; then the file is as it was.
    """
    replace_site(path, lambda text: with_heads(text, camera, heads))


def replace_site(path: Path, change: Callable[[str], str]) -> None:
    """Puts the changed text in the file's place where it is a site file that can be used.

    Raises SiteInvalid, OSError, and what the change raises; then the file is as it was.
    """
    path = path.resolve()
    with path.open(newline="") as file:
        text = file.read()
    changed = change(text)
    candidate = path.with_name(f".{path.name}.new")
    try:
        with candidate.open("w", newline="") as file:
            file.write(changed)
        shutil.copymode(path, candidate)
        read_site(candidate, shown=path)
        os.replace(candidate, path)
    finally:
        candidate.unlink(missing_ok=True)


def checked_in_place(path: Path, text: bytes, shown: Path) -> None:
    """Whether the text would be a site file in that place; shown: where it comes from.

    Raises SiteInvalid, OSError.
    """
    path = path.resolve()
    candidate = path.with_name(f".{path.name}.look")
    try:
        candidate.write_bytes(text)
        read_site(candidate, shown=shown)
    finally:
        candidate.unlink(missing_ok=True)


def checked(text: str, wanted: Any, what: str) -> str:
    """The text where it says just that; what: whose place a complaint speaks of. Raises NotWritable."""
    try:
        said = YAML(typ="safe").load(text)
    except YAMLError:
        said = None
    if said != wanted:
        raise NotWritable(f"{what} written in a way that is not understood")
    return text


def plain(value: Any) -> Any:
    """A tree with its comments as one without."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def newline_of(lines: Sequence[str]) -> str:
    """How the file ends its lines."""
    return "\r\n" if lines[0].endswith("\r\n") else "\n"


def indent_of(line: str) -> int:
    """Blanks before its first word."""
    return len(line) - len(line.lstrip(" "))


def with_heads(text: str, camera: str, heads: Sequence[dict[str, Any]]) -> str:
    """The text of a site file with other heads. Raises NotWritable."""
    site = YAML().load(text)
    section = next((s for s in site.get("cameras") or () if s.get("name") == camera), None)
    if section is None or section.fa.flow_style():
        raise NotWritable(f"the section of camera {camera} is not written one key a line")
    lines = text.splitlines(keepends=True)
    newline = newline_of(lines)
    if not lines[-1].endswith("\n"):
        lines[-1] += newline
    old = section.get("heads")
    first, end, head_line = _place(lines, section, newline)
    listed = isinstance(old, CommentedSeq) and len(old) > 0 and not old.fa.flow_style()
    dash = indent_of(lines[old.lc.item(0)[0]]) if listed else section.lc.col + 2
    sources = _sources(lines, old, end) if listed else {}
    body = [sources.get(_key(head)) or f"{' ' * dash}- {_flow(head)}{newline}" for head in heads]
    changed = "".join([*lines[:first], *([head_line, *body] if heads else []), *lines[end:]])
    if not _is(changed, site, camera, heads):
        raise NotWritable(f"the section of camera {camera} is written in a way that is not understood")
    return changed


def _is(changed: str, site: Any, camera: str, heads: Sequence[dict[str, Any]]) -> bool:
    """Whether the text says the site with these heads and nothing else."""
    try:
        said = YAML(typ="safe").load(changed)
    except YAMLError:
        return False
    wanted = plain(site)
    for document in (said, wanted):
        section = next(section for section in document["cameras"] if section["name"] == camera)
        told = section.pop("heads", ())
        if document is said and [_key(head) for head in told] != [_key(head) for head in heads]:
            return False
    return bool(said == wanted)


def _place(lines: list[str], section: CommentedMap, newline: str) -> tuple[int, int, str]:
    """First line and end of the list with its key, and the key's line; where there is none, its place."""
    column = section.lc.col
    if "heads" not in section:
        last = max(section.lc.key(key)[0] for key in section)
        end = _end(lines, last + 1, column + 1)
        return end, end, f"{' ' * column}heads:{newline}"
    first = section.lc.key("heads")[0]
    end = _end(lines, first + 1, column + 1, dash=column)
    line = lines[first]
    comment = COMMENT.search(line.rstrip())
    start = line[: line.index("heads:") + len("heads:")]
    return first, end, f"{start}{comment[0] if comment else ''}{newline}"


def _end(lines: list[str], start: int, column: int, dash: int | None = None) -> int:
    """The line after the last with content that is indented to the column, or is an item at the dash."""
    end = start
    for number in range(start, len(lines)):
        if NO_CONTENT.fullmatch(lines[number].rstrip()):
            continue
        indent = indent_of(lines[number])
        if indent < column and not (indent == dash and lines[number].lstrip().startswith("- ")):
            break
        end = number + 1
    return end


def _sources(lines: list[str], old: CommentedSeq, end: int) -> dict[tuple[Any, ...], str]:
    """The lines of each head as they stand, by what it says."""
    starts = [old.lc.item(number)[0] for number in range(len(old))]
    ends = [*starts[1:], end]
    return {
        _key(head): "".join(lines[start:stop]) for head, start, stop in zip(old, starts, ends, strict=True)
    }


def _key(head: dict[str, Any]) -> tuple[Any, ...]:
    return head.get("group"), tuple(head.get("box", ())), head.get("layout", "vertical")


def _flow(head: dict[str, Any]) -> str:
    left, top, width, height = head["box"]
    box = f"[{left}, {top}, {width}, {height}]"
    return f"{{group: {head['group']}, box: {box}, layout: {head['layout']}}}"
