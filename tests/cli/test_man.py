"""Manual pages: one for every verb, and roff takes each without a word."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from rsu_agent.cli.main import add_other_verbs, app
from rsu_agent.cli.man import pages

MACRO = re.compile(r"\.(TH|SH|PP|TP|B|BR|I)( .*)?")
ESCAPE = re.compile(r"\\(?!e|-|&|\(aq|\(ga)")


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    add_other_verbs()
    return pages(app)


def test_every_verb_has_a_page_that_says_all_of_it(made: dict[str, str]) -> None:
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert set(made) == {"rsu.1", *(f"rsu-{name}.1" for name in verbs)}
    for name in verbs:
        assert f"rsu\\-{name} (1)" in made["rsu.1"]
    assert "\\-\\-confirm" in made["rsu-config.1"]
    assert "Exit code 6" in made["rsu-config.1"]


def test_no_text_is_taken_for_a_command_of_roff(made: dict[str, str]) -> None:
    for page in made.values():
        for line in page.splitlines():
            assert MACRO.fullmatch(line) or not line.startswith((".", "'")), line
            assert not ESCAPE.search(line), line


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed: apt install groff-base")
@pytest.mark.extra
def test_roff_takes_each_without_a_word(made: dict[str, str], tmp_path: Path) -> None:
    for name, page in made.items():
        (tmp_path / name).write_text(page)
        command = ["groff", "-man", "-Tutf8", "-ww", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert "EXAMPLE" in done.stdout.upper() or name == "rsu.1"
