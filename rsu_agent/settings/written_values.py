"""Writing a few values of one sensor into a site file: comments and every other line stay."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from rsu_agent.settings.written import NotWritable, checked, indent_of, newline_of, replace_site

Value = float | int | Sequence[float] | None
Values = Mapping[
    str, Mapping[str, Value]
]  # part -> key -> value; None: the key goes; part "": the sensor's own
COMMENT = re.compile(r"\s+#[^\n]*$")


def write_values(path: Path, kind: str, name: str, values: Values) -> None:
    """Puts `values` (as {"pose": {"yaw_deg": 45.2}}) into the sensor of that name in `cameras` or `radars`.

    Raises SiteInvalid, naming what would be wrong, NotWritable and OSError; then the file is as it was.
    """
    replace_site(path, lambda text: with_values(text, kind, name, values))


def with_values(text: str, kind: str, name: str, values: Values) -> str:
    """The text of a site file with other values. Raises NotWritable."""
    wanted = _wanted(text, kind, name, values)
    for part, changes in values.items():
        text = _with_part(text, kind, name, part, changes)
    return checked(text, wanted, f"the section of {name} is")


def _wanted(text: str, kind: str, name: str, values: Values) -> Any:
    """What the changed text must say."""
    site = YAML(typ="safe").load(text)
    section = next((each for each in site.get(kind) or () if each.get("name") == name), None)
    if section is None:
        raise NotWritable(f"no section of {kind} is named {name}")
    for part, changes in values.items():
        inner = section.setdefault(part, {}) if part else section
        for key, value in changes.items():
            if value is None:
                inner.pop(key, None)
            else:
                inner[key] = list(value) if isinstance(value, Sequence) else value
    return site


def _with_part(text: str, kind: str, name: str, part: str, changes: Mapping[str, Value]) -> str:
    site = YAML().load(text)
    section = next(each for each in site[kind] if each.get("name") == name)
    if section.fa.flow_style():
        raise NotWritable(f"the section of {name} is not written one key a line")
    lines = text.splitlines(keepends=True)
    if not part:
        _block(lines, section, changes, section.lc.key("name")[0] + 1)
        return "".join(lines)
    inner = section.get(part)
    if not isinstance(inner, CommentedMap) or not inner:
        raise NotWritable(f"{name} has no {part}")
    if inner.fa.flow_style():
        _flow(lines, inner, section.lc.value(part), changes, name)
    else:
        _block(lines, inner, changes)
    return "".join(lines)


def _flow(
    lines: list[str], inner: CommentedMap, start: tuple[int, int], changes: Mapping[str, Value], name: str
) -> None:
    """{a: 1, b: 2}: written anew in its place, its order kept."""
    first, column = start
    last = first
    while (held := "".join([lines[first][column:], *lines[first + 1 : last + 1]])).count("{") > held.count(
        "}"
    ):
        last += 1
    body, _, after = held.rpartition("}")
    if "#" in body:
        raise NotWritable(f"a part of {name} has comments between its braces")
    merged = {
        **{key: _said(value) for key, value in inner.items()},
        **{k: _told(v) for k, v in changes.items()},
    }
    told = ", ".join(f"{key}: {value}" for key, value in merged.items() if value is not None)
    lines[first : last + 1] = [f"{lines[first][:column]}{{{told}}}{after}"]


def _block(
    lines: list[str], inner: CommentedMap, changes: Mapping[str, Value], place: int | None = None
) -> None:
    """One key a line: values are replaced where they stand; new keys come at `place`, else after the last."""
    newline = newline_of(lines)
    ends = _ends(lines, inner)
    end, added = max(ends.values()) if place is None else place, []
    edits: list[tuple[int, int, str | None]] = []
    for key, value in changes.items():
        told = _told(value)
        if key not in inner:
            added += [] if told is None else [f"{' ' * inner.lc.col}{key}: {told}{newline}"]
            continue
        line = inner.lc.key(key)[0]
        comment = COMMENT.search(lines[line].rstrip("\r\n"))
        fresh = f"{' ' * inner.lc.col}{key}: {told}{comment[0] if comment else ''}{newline}"
        edits.append((line, ends[key], None if told is None else fresh))
    if not lines[-1].endswith("\n"):
        lines[-1] += newline
    edits.append((end, end, "".join(added)))
    for line, stop, fresh_line in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[line:stop] = [] if fresh_line is None else [fresh_line]


def _ends(lines: list[str], inner: CommentedMap) -> dict[str, int]:
    """The line after each key's value; lists may go on over lines that are indented deeper."""
    found = {}
    for key in inner:
        end = inner.lc.key(key)[0] + 1
        while end < len(lines) and lines[end].strip() and indent_of(lines[end]) > inner.lc.col:
            end += 1
        found[key] = end
    return found


def _said(value: Any) -> str:
    """A value that stays."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _told(value: Value) -> str | None:
    if value is None:
        return None
    if isinstance(value, Sequence):
        return f"[{', '.join(f'{float(each)!r}' for each in value)}]"
    return repr(value)
