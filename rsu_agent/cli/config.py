"""`rsu config`: look at a site file before it is used."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli import config_apply as change
from rsu_agent.cli import config_keys as keys
from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import because, later, say
from rsu_agent.settings.migrate import TooNew, migrated
from rsu_agent.settings.model import site_model
from rsu_agent.settings.read import read_site
from rsu_agent.settings.written import replace_site

config = typer.Typer(help="Check, show and change the site file.", no_args_is_help=True)
for name, verb in (("list", keys.list_keys), ("show", keys.show), ("get", keys.get), ("set", keys.set_),
                   ("unset", keys.unset), ("diff", keys.diff), ("apply", change.apply),
                   ("confirm", change.confirm), ("rollback", change.rollback),
                   ("history", change.history)):  # fmt: skip
    config.command(name)(verb)
SiteArgument = Annotated[Path, typer.Argument(help="The site file.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]


@config.command()
def check(site: SiteArgument = Path("/etc/rsu-agent/site.yaml"), as_json: JsonOption = False) -> None:
    """Find every fault at once, each as file:line:column: path: reason. Exit code 3 when there is one.

    Example: rsu config check site.yaml
    """
    try:
        read_site(site)
    except SiteInvalid as invalid:
        if as_json:
            rows = [asdict(fault) for fault in invalid.faults]
            print_json({"valid": False, "faults": rows})
        else:
            for fault in invalid.faults:
                typer.echo(str(fault))
            typer.echo(say("{count} fault(s); nothing was changed", count=len(invalid.faults)), err=True)
        raise typer.Exit(int(Exit.INVALID)) from None
    except LookupError as error:  # a driver's package is broken
        stop(Exit.FAILED, str(error), as_json=as_json, reason="driver")
    if as_json:
        print_json({"valid": True, "faults": []})
    else:
        typer.echo(say("{file}: valid", file=site))


@config.command()
def migrate(
    site: SiteArgument = Path("/etc/rsu-agent/site.yaml"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the file as it would be; nothing is written.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a site file of an earlier version up to this one's form; comments stay.

    Examples: rsu config migrate · rsu config migrate old.yaml --dry-run > new.yaml
    """
    try:
        text, changes = migrated(site.read_bytes(), str(site))
        if changes and not dry_run:
            replace_site(site, lambda _old: text)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="invalid")
    except TooNew as error:
        said = later("form {form} is of a later version of rsu-agent: update this box first")
        stop(Exit.INVALID, say(said, form=error.form), as_json=as_json, reason="too_new")
    except OSError as error:
        stop(code_of(error), f"{site}: {because(error)}", as_json=as_json)
    if as_json:
        print_json(
            {"changes": changes, "written": bool(changes) and not dry_run, "text": text if dry_run else None}
        )
    elif dry_run:
        print(text, end="")
    else:
        for change in changes:
            typer.echo(change)
        typer.echo(say("{file}: is of this version's form", file=site))


@config.command()
def schema(as_json: JsonOption = True) -> None:  # noqa: ARG001 - a schema is JSON in any case
    """Print the JSON Schema of the site file, with the keys of every installed driver: always JSON.

    Example: rsu config schema > site.schema.json
    """
    print_json(site_model().model_json_schema())
