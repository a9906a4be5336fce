"""The site file and what lies in conf.d beside it: one tree, and where each of its values was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from rsu_agent.ports.declare import Step
from rsu_agent.settings.explain import Fault, Place, SiteInvalid, position
from rsu_agent.settings.language import because, say
from rsu_agent.settings.yaml_faults import tree_of

FOLDER, NAMES = "conf.d", "*.yaml"
LARGEST_SITE_BYTES = 1 << 20  # a hostile or mistaken file must not fill memory
MOST_FILES = 64


@dataclass(frozen=True, slots=True)
class Parts:
    """Every file with its tree, the site file first; a later one has the last word on each value."""

    files: tuple[tuple[str, CommentedMap], ...]
    tree: dict[str, Any]

    def place(self, path: Sequence[Step], *, key: bool = False) -> Place:
        """Where a value was written that holds, or the last section around it that exists."""
        depths = [_depth(tree, path) for _, tree in self.files]
        whole = [number for number, depth in enumerate(depths) if depth == len(path)]
        number = whole[-1] if whole else depths.index(max(depths))
        name, tree = self.files[number]
        return Place(name, *position(tree, path, key=key))


def read_parts(path: Path, shown: Path | None = None) -> Parts:
    """The site file and, in the order of their names, the files of conf.d. Raises SiteInvalid.

    Sections are merged key by key; a list or a single value of a later file comes in the place of an earlier.
    shown: what faults call the site file.
    """
    name = str(shown or path)
    trees = [(name, tree_of(_bytes(path), name))]
    faults: list[Fault] = []
    for extra in extra_files(path):
        try:
            trees.append((str(extra), tree_of(_bytes(extra), str(extra), may_be_empty=True)))
        except SiteInvalid as invalid:
            faults += invalid.faults
    if faults:
        raise SiteInvalid(faults)
    merged: dict[str, Any] = trees[0][1]
    for _, tree in trees[1:]:
        merged = _over(merged, tree)
    return Parts(tuple(trees), merged)


def overruled(path: Path, key: Sequence[Step]) -> Place | None:
    """Where a file of conf.d has the last word on a value of the site file. Raises SiteInvalid."""
    parts = read_parts(path)
    for number in range(len(parts.files) - 1, 0, -1):
        if _depth(parts.files[number][1], key) == len(key):
            return Place(parts.files[number][0], *position(parts.files[number][1], key))
    return None


def extra_files(path: Path) -> list[Path]:
    """The files of conf.d beside a site file, in the order in which they count. Raises SiteInvalid."""
    found = sorted(each for each in (path.parent / FOLDER).glob(NAMES) if not each.name.startswith("."))
    if len(found) > MOST_FILES:
        reason = say("holds {count} files; {most} are read at most", count=len(found), most=MOST_FILES)
        raise SiteInvalid([Fault(str(path.parent / FOLDER), 1, 1, "(file)", reason)])
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_SITE_BYTES + 1)
    except OSError as error:
        reason = say("cannot be read: {why}", why=because(error))
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", reason)]) from None
    if len(data) > LARGEST_SITE_BYTES:
        reason = say("is larger than {most} bytes", most=LARGEST_SITE_BYTES)
        raise SiteInvalid([Fault(str(path), 1, 1, "(file)", reason)])
    return data


def _over(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {
        **below,
        **{key: _over(below[key], each) if key in below else each for key, each in above.items()},
    }


def _depth(tree: Any, path: Sequence[Step]) -> int:
    """How many steps of a path lead somewhere in a tree."""
    for depth, step in enumerate(path):
        within = isinstance(tree, list) and isinstance(step, int) and step < len(tree)
        if not within and not (isinstance(tree, dict) and step in tree):
            return depth
        tree = tree[step]
    return len(path)
