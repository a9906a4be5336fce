"""Values of one sensor are written into the site file; comments and all other lines stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from rsu_agent.settings.written import NotWritable
from rsu_agent.settings.written_values import with_values

FLOW = """\
cameras:   # all of them
  - name: a
    pose: {x_east_m: 1.0, yaw_deg: 45.0}   # measured by eye
    lens: {width_px: 640, focal_px: 430.0}
    # the end of a
  - name: b
    pose: {x_east_m: 1.0, yaw_deg: 45.0}
radars:
  - name: a
    pose: {yaw_deg: 3.0}
"""
BLOCK = """\
cameras:
  - name: a
    pose:
      x_east_m: 1.0   # of the pole
      # by eye
      yaw_deg: 45.0
    lens:
      width_px: 640
      focal_px: 430.0
      distortion:
        - 0.1
        - 0.2

  - name: b
    pose: {x_east_m: 1.0}
"""
FORMS = {"flow": FLOW, "block": BLOCK, "windows": BLOCK.replace("\n", "\r\n"), "end": BLOCK.split("\n\n")[0]}


def said(text: str, name: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = next(s for s in YAML(typ="safe").load(text)["cameras"] if s["name"] == name)
    return found


def test_a_flow_mapping_keeps_its_place_and_the_comment_behind_it() -> None:
    after = with_values(FLOW, "cameras", "a", {"pose": {"yaw_deg": 44.8, "roll_deg": 0.6}})
    assert after == FLOW.replace(
        "{x_east_m: 1.0, yaw_deg: 45.0}   # measured",
        "{x_east_m: 1.0, yaw_deg: 44.8, roll_deg: 0.6}   # measured",
    )


def test_one_key_a_line_keeps_every_comment() -> None:
    after = with_values(BLOCK, "cameras", "a", {"pose": {"x_east_m": 2.5, "roll_deg": 1.5}})
    wanted = BLOCK.replace("x_east_m: 1.0   # of the pole", "x_east_m: 2.5   # of the pole")
    assert after == wanted.replace("      yaw_deg: 45.0\n", "      yaw_deg: 45.0\n      roll_deg: 1.5\n")


@pytest.mark.parametrize("form", FORMS)
def test_a_key_goes_another_comes_and_a_list_is_replaced(form: str) -> None:
    changes = {"lens": {"focal_px": None, "fx_px": 431.5, "distortion": [-0.1, 0.0, 0.0, 0.0, 0.25]}}
    after = with_values(FORMS[form], "cameras", "a", changes)
    assert said(after)["lens"] == {"width_px": 640, "fx_px": 431.5, "distortion": [-0.1, 0.0, 0.0, 0.0, 0.25]}


def test_the_radar_of_the_same_name_is_another_one() -> None:
    after = with_values(FLOW, "radars", "a", {"pose": {"yaw_deg": 4.25}})
    assert after == FLOW.replace("pose: {yaw_deg: 3.0}", "pose: {yaw_deg: 4.25}")


@pytest.mark.parametrize("form", FORMS)
@given(
    values=st.dictionaries(st.sampled_from(["x_east_m", "yaw_deg", "roll_deg", "n"]), st.floats(-1e6, 1e6))
)
def test_any_values_are_read_back_and_no_other_line_changes(form: str, values: dict[str, float]) -> None:
    text = FORMS[form]
    after = with_values(text, "cameras", "a", {"pose": values})
    assert said(after)["pose"] == {**said(text)["pose"], **values}
    kept = [line for line in text.splitlines() if "x_east_m" not in line and "yaw_deg" not in line]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert ("\r\n" in after) == (form == "windows")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cameras: [{name: a, pose: {x_east_m: 1.0}}]\n", "one key a line"),
        ("cameras:\n  - name: b\n", "is named a"),
        ("cameras:\n  - name: a\n", "has no pose"),
        (
            "cameras:\n  - name: a\n    pose: {x_east_m: 1.0,   # east\n      yaw_deg: 2.0}\n",
            "comments between",
        ),
        ("cameras:\n  - name: a\n    pose: &p {x_east_m: 1.0}\n    other: *p\n", "not understood"),
    ],
)
def test_what_is_not_understood_is_left_alone(text: str, words: str) -> None:
    with pytest.raises(NotWritable, match=words):
        with_values(text, "cameras", "a", {"pose": {"x_east_m": 2.0}})
