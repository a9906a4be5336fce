"""`rsu config`: look at a site file before it is used."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli import config_apply as change
from rsu_agent.cli import config_keys as keys
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import say
from rsu_agent.settings.model import site_model
from rsu_agent.settings.read import read_site

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
def schema(as_json: JsonOption = True) -> None:  # noqa: ARG001 - a schema is JSON in any case
    """Print the JSON Schema of the site file, with the keys of every installed driver: always JSON.

    Example: rsu config schema > site.schema.json
    """
    print_json(site_model().model_json_schema())
