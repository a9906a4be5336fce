"""`rsu guard`: what the guard does for each cause."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rsu_agent.cli.output import plain, print_json
from rsu_agent.outlets.guard_table import TABLE

WIDE = 90  # columns from which a table can be read

guard = typer.Typer(help="The guard in front of the radio.", no_args_is_help=True)


@guard.callback()
def _verbs() -> None:
    """Keeps `table` a verb of its own while it is the only one."""


@guard.command()
def table(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Print, for each cause of doubt, what still goes out and what ends it.

    Example: rsu guard table
    """
    from rich.console import Console
    from rich.table import Table

    if as_json:
        print_json({"rows": [asdict(row) for row in TABLE]})
        return
    console = Console(no_color=plain(), highlight=False)
    if console.width < WIDE:
        for row in TABLE:
            console.print(f"{row.cause}: {row.colours}; times {row.times}; {row.status}\n  until {row.until}")
        return
    shown = Table(box=None, pad_edge=False)
    for name in ("cause", "colours", "times", "status", "until"):
        shown.add_column(name, no_wrap=name == "cause")
    for row in TABLE:
        shown.add_row(*asdict(row).values())
    console.print(shown)
