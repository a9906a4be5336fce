"""The documentation holds together without a package: every link and anchor, every page in the site's list.

`make docs` builds the site itself, strictly, in an environment of its own; `.ci/run` calls it.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from rsu_agent.cli.site_pages import (
    anchors,
    broken,
    contents,
    foreign,
    gather,
    navigation,
    page,
    places,
    tracked,
)

ROOT = Path(__file__).parents[2]
VENDORED = {  # file -> its SHA-256 in iframe-worker 1.0.4 (shim/index.js)
    "docs/site/iframe-worker.js": "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609",
}


def repository(folder: Path, **files: str) -> list[str]:
    """A repository of these files; two underscores in a name are a slash."""
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tracked(folder)


def test_every_link_of_every_page_leads_somewhere() -> None:
    assert broken(ROOT, tracked(ROOT)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[a](guide/none.md)", "no such file"),
        ("[a](guide/here.md#none)", "no such heading"),
        ("[a](#none)", "no such heading"),
        ("![a](none.png)", "no such file"),
        ("[`code`](none.md)", "no such file"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, text: str, reason: str) -> None:
    names = repository(tmp_path, docs__page=f"# Page\n\n{text}\n", docs__guide__here="# Here\n")
    (told,) = broken(tmp_path, names)
    assert told.startswith("docs/page.md: ")
    assert told.endswith(reason)


def test_good_links_and_what_stands_in_code_are_left_alone(tmp_path: Path) -> None:
    text = "# Page\n\n[a](guide/here.md#so-it-is) [b](guide) [c](https://example.org/x)\n\n```\n[d](none.md)\n```\n`[e](f)`\n"
    names = repository(tmp_path, docs__page=text, docs__guide__here="# Here\n\n## So, *it* `is`\n")
    assert broken(tmp_path, names) == []


def test_anchors_are_spelled_as_github_and_the_site_spell_them() -> None:
    text = "# One\n## 5. How late the camera is\n## `event_live`\n## 中文 标题\n## One\n```\n# none\n```\n"
    assert anchors(text) == {"one", "5-how-late-the-camera-is", "event_live", "中文-标题", "one_1"}


def test_links_are_those_of_the_site_and_what_is_not_on_it_is_words() -> None:
    put = places(
        ["README.md", "docs/guide/a.en.md", "docs/guide/a.zh.md", "drivers/x/README.md", "rsu_agent/b.py"]
    )
    assert put == {
        "README.md": "index.md",
        "docs/guide/a.en.md": "guide/a.md",
        "docs/guide/a.zh.md": "guide/a.zh.md",
        "drivers/x/README.md": "drivers/x.md",
    }
    text = "[g](docs/guide/a.en.md#b) [d](drivers/x/README.md) [c](rsu_agent/b.py) [all](docs/guide) [w](https://w)"
    said = "[g](guide/a.md#b) [d](drivers/x.md) c (`rsu_agent/b.py`) [all](guide/index.md) [w](https://w)"
    assert page("README.md", text, put) == said
    assert page("README.md", "<!-- made by -->\n\n# Title\n", put) == "# Title\n"
    assert page("docs/guide/a.en.md", "[up](../../README.md) [me](#b)", put) == "[up](../index.md) [me](#b)"


def test_every_page_is_in_the_site_s_list_once(tmp_path: Path) -> None:
    gather(ROOT, tmp_path / "site")
    told = navigation(tmp_path / "site")
    listed = [name for entry in told if isinstance(entry, dict) for mine in entry.values() for name in mine]
    assert len(set(listed)) == len(listed)
    for name in tracked(ROOT):
        if name.startswith("docs/") and name.endswith(".md") and ".zh." not in name:
            assert name.removeprefix("docs/").replace(".en.md", ".md") in listed
    assert all((tmp_path / "site" / name).is_file() for name in listed)
    (tmp_path / "site" / "stray.md").write_text("# Stray\n")
    with pytest.raises(ValueError, match=r"stray\.md"):
        navigation(tmp_path / "site")


def test_a_folder_without_a_page_of_its_own_gets_one(tmp_path: Path) -> None:
    (tmp_path / "0001-first.md").write_text("# The first\n")
    assert contents(tmp_path).endswith("\n- [The first](0001-first.md)\n")


def test_pages_that_load_from_outside_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="https://w/">x</a><script src="assets/a.js"></script>')
    assert foreign(tmp_path) == set()
    (tmp_path / "b.html").write_text(
        '<script src="https://w/a.js"></script><link rel="stylesheet" href="//w/b.css">'
    )
    assert foreign(tmp_path) == {"https://w/a.js", "//w/b.css"}


@pytest.mark.parametrize("name", VENDORED)
def test_a_file_of_others_is_as_its_authors_publish_it(name: str) -> None:
    assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == VENDORED[name]
    assert name in (ROOT / "NOTICE").read_text()
    assert (ROOT / name).with_suffix(".LICENSE").is_file()
