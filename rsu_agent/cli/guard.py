"""`rsu guard`: what the guard does for each cause."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rsu_agent.cli.output import plain, print_json
from rsu_agent.outlets.guard_table import TABLE
from rsu_agent.settings.language import later, say

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
            told = {name: say(getattr(row, name)) for name in ("colours", "times", "until")}
            said = later("{cause}: {colours}; times {times}; {status}\n  until {until}")
            console.print(say(said, cause=row.cause, status=row.status, **told))
        return
    shown = Table(box=None, pad_edge=False)
    heads = (say("cause"), say("colours"), say("times"), say("status"), say("until"))
    for number, head in enumerate(heads):
        shown.add_column(head, no_wrap=number == 0)
    for row in TABLE:
        shown.add_row(row.cause, say(row.colours), say(row.times), row.status, say(row.until))
    console.print(shown)
