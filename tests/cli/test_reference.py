"""The reference pages name every verb and every key, and are those in docs."""

from __future__ import annotations

from pathlib import Path

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.generate import generated
from rsu_agent.cli.main import app
from rsu_agent.cli.reference import MEANING, cli_page, settings_page

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Exit)
    assert all(f"| {int(code)} | {MEANING[code]} |" in cli_page(app) for code in Exit)


def test_a_new_verb_appears_with_its_help_and_its_options() -> None:
    small = typer.Typer()

    @small.command()
    def look(deep: bool = typer.Option(False, "--deep", help="Look deep.")) -> None:
        """Look at it."""

    @small.command()
    def leave() -> None:
        """Leave it."""

    page = cli_page(small)
    assert "## `rsu look`\n\nLook at it." in page
    assert "| `--deep` | Look deep. |" in page
    assert page.index("rsu leave") < page.index("rsu look")


def test_every_driver_and_nested_key_is_on_the_settings_page() -> None:
    page = settings_page()
    for text in ("Driver `gbt20999`", "Driver `chrony`", "`pose.x_east_m`", "`lamps.arrow`", "`uplink`"):
        assert text in page


def test_every_row_of_the_settings_page_has_six_cells() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert all(row.replace("\\|", "").count("|") == 7 for row in rows)


def test_what_is_generated_is_what_the_docs_hold_but_for_what_changes_now() -> None:
    assert {path.name for path in generated()} >= {"cli.md", "settings.md", "codec.py"}
    assert (DOCS / "settings.md").read_text() == settings_page()
