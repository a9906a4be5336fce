"""The heads of a camera are written into the site file; every other line stays as it was, comments too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rsu_agent.settings.written import NotWritable, with_heads

COMMENTED = """\
# the whole file
cameras:
  - name: a
    # before the heads
    heads:   # made by hand
      - {group: 1, box: [1, 2, 3, 9]}   # the first
      # between both
      - {group: 2, box: [1, 2, 3, 9], layout: vertical}   # the second

# before the radars
radars:
  - name: b
"""
FORMS = {
    "commented": COMMENTED,
    "windows": COMMENTED.replace("\n", "\r\n"),
    "empty list": "cameras:\n- name: a\n  heads: []  # none yet\n  lens: {x: 1,\n     y: 2}  # glass\n",
    "no list": "cameras:\n- name: a\n  lens:\n    x: 1\n\n# radars\nradars: []\n",
    "end of file": "cameras:\n  - name: z\n  - name: a\n    heads:\n    - group: 1\n      box: [1, 2, 3, 9]",
    "flow list": "cameras:\n- name: a\n  heads: [{group: 1, box: [1, 2, 3, 9]},\n"
    "    {group: 2, box: [5, 6, 7, 8]}]\n  x: 1\n",
}


def head(group: int, layout: str = "vertical") -> dict[str, Any]:
    return {"group": group, "box": [1, 2, 3, 9], "layout": layout}


def heads_of(text: str) -> list[dict[str, Any]]:
    section = next(s for s in YAML(typ="safe").load(text)["cameras"] if s["name"] == "a")
    return [{"layout": "vertical", **each} for each in section.pop("heads", [])]


def test_a_head_that_stays_keeps_its_comments_and_the_others_go_with_theirs() -> None:
    after = with_heads(COMMENTED, "a", [head(2), head(3, "horizontal")])
    gone = "      - {group: 1, box: [1, 2, 3, 9]}   # the first\n      # between both\n"
    new = "      - {group: 3, box: [1, 2, 3, 9], layout: horizontal}\n"
    second = "      - {group: 2, box: [1, 2, 3, 9], layout: vertical}   # the second\n"
    assert after == COMMENTED.replace(gone, "").replace(second, second + new)


@pytest.mark.parametrize("form", FORMS)
def test_writing_what_is_there_changes_nothing_or_only_how_it_is_written(form: str) -> None:
    text = FORMS[form]
    after = with_heads(text, "a", heads_of(text))
    assert heads_of(after) == heads_of(text)
    if form in ("commented", "windows", "no list"):
        assert after == text


@pytest.mark.parametrize("form", FORMS)
@given(
    heads=st.lists(st.builds(head, st.integers(1, 5), st.sampled_from(["vertical", "single"])), max_size=4)
)
def test_any_heads_are_read_back_and_no_line_of_another_key_is_lost(
    form: str, heads: list[dict[str, Any]]
) -> None:
    text = FORMS[form]
    after = with_heads(text, "a", heads)
    assert heads_of(after) == heads
    kept = [line for line in text.splitlines() if line.strip() and "group" not in line and "box" not in line]
    others = [line for line in kept if "heads" not in line and "between" not in line]
    assert [line for line in after.splitlines() if line in others] == others
    assert ("\r\n" in after) == (form == "windows")


@pytest.mark.parametrize(
    "text", ["cameras: [{name: a}]\n", "cameras:\n  - name: b\n", "cameras: []\n", "radars: []\n"]
)
def test_a_camera_that_is_not_written_one_key_a_line_is_left_alone(text: str) -> None:
    with pytest.raises(NotWritable, match="one key a line"):
        with_heads(text, "a", [head(1)])
