"""`rsu command`: the district's key, and signed commands to one crossing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import because, say

command = typer.Typer(no_args_is_help=True, help="Signed commands of the district to a crossing.")
FILES = ("map", "model")
KINDS = ("ping", "report", "live_lease", *FILES)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]


@command.command()
def key(
    file: Annotated[Path, typer.Argument(help="File to write the private key to; it must not exist.")],
    as_json: Json = False,
) -> None:
    """Make the district's key; print what the crossings' site files need (uplink.district_key).

    Example: rsu command key district.key
    """
    from rsu_agent.cli.command_sent import make_key  # other verbs need not pay for it

    try:
        public = make_key(file)
    except OSError as error:
        stop(
            Exit.FAILED,
            say("{file}: {strerror}: name another file", file=file, strerror=because(error)),
            as_json=as_json,
        )
    if as_json:
        print_json({"file": str(file), "district_key": public})
    else:
        typer.echo(say("uplink:\n  district_key: {public}", public=public))


@command.command()
def send(
    site: Annotated[str, typer.Argument(help="District and site: pingshan/szps-001.")],
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    key_file: Annotated[Path, typer.Option("--key", help="The district's private key.")],
    args: Annotated[str, typer.Option(help="The command's args, JSON.")] = "{}",
    file: Annotated[Path | None, typer.Option(help="The file that map or model offers.")] = None,
    host: Annotated[str, typer.Option(help="The broker.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 1883,
    ca: Annotated[Path | None, typer.Option(help="TLS: who signed the broker's certificate.")] = None,
    cert: Annotated[Path | None, typer.Option(help="TLS: our certificate.")] = None,
    cert_key: Annotated[Path | None, typer.Option(help="TLS: its key.")] = None,
    as_json: Json = False,
) -> None:
    """Sign a command, send it, and wait for its answer.

    Examples: rsu command send pingshan/szps-001 ping --key district.key ·
    rsu command send pingshan/szps-001 live_lease --key district.key
    --args '{"kinds": ["objs"], "hz": 5, "seconds": 60}'
    """
    if site.count("/") != 1 or kind not in KINDS or (file is not None) != (kind in FILES):
        stop(Exit.USAGE, say("say district/site and a kind; map and model need --file"), as_json=as_json)
    from rsu_agent.cli.command_sent import send_command  # other verbs need not pay for it

    told = send_command((host, port), (ca, cert, cert_key), site, kind, key_file, args, file, as_json=as_json)
    if as_json:
        print_json(told)
    else:
        typer.echo(" ".join(f"{name}={value}" for name, value in told.items()))
    if told["result"] == "refused":
        raise typer.Exit(int(Exit.FAILED))
