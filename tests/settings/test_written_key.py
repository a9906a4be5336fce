"""One value of a site file set or taken away by its dotted name: nothing else changes, comments stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from rsu_agent.ports.assets import asset
from rsu_agent.settings.dotted import NoSuchKey, steps
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import read_site
from rsu_agent.settings.written import NotWritable
from rsu_agent.settings.written_key import remove_key, with_key, without_key, write_key

TEXT = """\
# 站点 comments stay
site: {id: a-1, district: "ping, {shan}"}  # who
list:
  - name: north          # the first
    url: 'http://x/#a'   # quoted
    pose: {x: 1.5, y: [1, 2], z: {deep: no}}
    covers: [N, E]       # arms
  - name: south
    pose:
      x: 2               # metres

last:
  a: 1
  # of a

next: 5
"""


@pytest.mark.parametrize(
    ("name", "value", "old", "new"),
    [
        ("site.id", "b-2", "{id: a-1,", "{id: b-2,"),
        ("site.district", "x", '"ping, {shan}"}  # who', "x}  # who"),
        ("site.more", "[1, 2]", 'shan}"}  # who', 'shan}", more: [1, 2]}  # who'),
        ("site.new.deep", "1", 'shan}"}  # who', 'shan}", new: {deep: 1}}  # who'),
        ("list.north.url", "http://y", "'http://x/#a'   # quoted", "http://y   # quoted"),
        ("list.0.pose.x", "2.5", "{x: 1.5,", "{x: 2.5,"),
        ("list.north.pose.y", "[3]", "y: [1, 2],", "y: [3],"),
        ("list.north.pose.z.deep", "yes", "{deep: no}", "{deep: yes}"),
        ("list.north.covers", "[S]", "covers: [N, E]       # arms", "covers: [S]       # arms"),
        ("list.south.pose.x", "-7", "x: 2               # metres", "x: -7               # metres"),
        ("list.south.pose.y", "9", "# metres\n", "# metres\n      y: 9\n"),
        ("list.south.field.range", "9", "# metres\n", "# metres\n    field:\n      range: 9\n"),
        ("last.b", '"#x"', "  a: 1\n", '  a: 1\n  b: "#x"\n'),
        ("next", "6", "next: 5", "next: 6"),
        ("fresh", "true", "next: 5\n", "next: 5\nfresh: true\n"),
    ],
)
def test_one_value_changes_and_every_other_line_stays(name: str, value: str, old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    changed = with_key(TEXT, name, value)
    assert changed == TEXT.replace(old, new)
    windows = with_key(TEXT.replace("\n", "\r\n"), name, value)
    assert windows == changed.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("list.north.covers", "    covers: [N, E]       # arms\n", ""),
        ("list.south.pose", "    pose:\n      x: 2               # metres\n", ""),
        ("last", "last:\n  a: 1\n", ""),
        ("next", "next: 5\n", ""),
    ],
)
def test_a_key_goes_with_what_is_below_it(name: str, old: str, new: str) -> None:
    assert without_key(TEXT, name) == TEXT.replace(old, new)


@pytest.mark.parametrize("text", [TEXT, TEXT.rstrip("\n")])
def test_a_file_without_a_last_line_end_takes_a_key(text: str) -> None:
    assert YAML(typ="safe").load(with_key(text, "fresh", "1"))["fresh"] == 1


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("list.west.url", "x", "no west here; there are: north, south"),
        ("list.nort.url", "x", "did you mean north"),
        ("last", "3", "a section"),
        ("next", "a: b", "of a section set its keys"),
        ("next", "[1", "no value of YAML"),
        ("next", "", "one value on one line"),
        ("next", "1\n2", "one value on one line"),
        ("next.deep", "1", "no section"),
    ],
)
def test_what_cannot_be_written_is_said(name: str, value: str, why: str) -> None:
    with pytest.raises((NotWritable, NoSuchKey), match=why):
        with_key(TEXT, name, value)


def test_names_lead_by_name_or_by_place() -> None:
    tree = YAML(typ="safe").load(TEXT)
    assert steps(tree, "list.south.pose.x") == steps(tree, "list.1.pose.x") == ["list", 1, "pose", "x"]


def test_a_site_file_is_changed_only_into_a_valid_one(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    text = asset("config/virtual.yaml").read_text()
    site.write_text(text)
    write_key(site, "cameras.south-west.pose.yaw_deg", "46.5")
    assert site.read_text() == text.replace("yaw_deg: 45.0", "yaw_deg: 46.5", 1)
    assert read_site(site).settings.cameras[0].pose.yaw_deg == 46.5
    before = site.read_text()
    with pytest.raises(SiteInvalid, match="did you mean radio"):
        write_key(site, "radoi.standard", "etsi")
    for name, value in (("cameras.south-west.pose.yaw_deg", "north"), ("cameras.south-west.poze", "1")):
        with pytest.raises(SiteInvalid):
            write_key(site, name, value)
    with pytest.raises(SiteInvalid):
        remove_key(site, "crossing.file")
    assert site.read_text() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["site.yaml"]
