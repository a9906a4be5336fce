"""Site files of earlier versions brought up to this one's form: a table of steps, comments kept."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from rsu_agent.settings.yaml_faults import tree_of

KEY, FORM = "form", 1  # `form: 1` may be left out; a later version that renames keys raises it
WIDE = 4096  # lines are never folded
Step = Callable[[CommentedMap], list[str]]
"""Changes a tree of one form into the next; gives a sentence for each change."""
STEPS: Mapping[int, Step] = {}  # form that a step begins with -> the step; none was needed yet


class TooNew(ValueError):
    """A file of a later version. `form`: what it says of itself."""

    def __init__(self, form: object) -> None:
        self.form = form
        super().__init__(f"form {form} is of a later version; this one knows forms up to {FORM}")


def migrated(
    data: bytes, file: str, steps: Mapping[int, Step] = STEPS, form: int = FORM
) -> tuple[str, list[str]]:
    """(the file's text in the present form, what was changed); the same text where nothing is to do.

    Raises SiteInvalid where it is no YAML, TooNew where a later version wrote it.
    """
    tree = tree_of(data, file)
    begins = tree.get(KEY, 1)
    if isinstance(begins, bool) or not isinstance(begins, int) or begins > form:
        raise TooNew(begins)
    changes: list[str] = []
    for each in range(begins, form):
        changes += steps[each](tree)
    if begins == form:
        return data.decode("utf-8-sig"), []
    if KEY in tree:
        tree[KEY] = form
    else:
        tree.insert(0, KEY, form)
    return _text(tree), [*changes, f"{KEY}: {begins} -> {form}"]


def _text(tree: CommentedMap) -> str:
    yaml, out = YAML(typ="rt"), io.StringIO()
    yaml.width, yaml.preserve_quotes = WIDE, True
    yaml.dump(tree, out)
    return out.getvalue()
