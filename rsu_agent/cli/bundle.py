"""`rsu bundle`: one file for whoever helps from afar, without anything that is nobody's to read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.client import socket_path
from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.run import state_folder
from rsu_agent.settings.language import because, say


def bundle(
    out: Annotated[
        Path | None, typer.Option("--out", help="The file; none = rsu-bundle-TIME.tar.zst.")
    ] = None,
    site: Annotated[Path, typer.Option("--site", help="The site file.")] = Path("/etc/rsu-agent/site.yaml"),
    state: Annotated[Path | None, typer.Option(help="The agent's state folder.")] = None,
    socket: Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Write one file with configuration, state, metrics, versions, outbox figures and a day of journal.

    Passwords and keys are hidden, and each part is searched for them before it goes in; it holds no picture.

    Example: rsu bundle --out pole-12.tar.zst
    """
    from rsu_agent.cli.bundled import Box, collected, packed

    out = out or Path(time.strftime("rsu-bundle-%Y%m%dT%H%M%S.tar.zst"))
    if out.exists():
        stop(Exit.FAILED, say("{out} exists already: name another file", out=out), as_json=as_json)
    box = Box(site, state or state_folder(), socket_path(socket))
    try:
        texts, missing = collected(box)
        out.write_bytes(packed(texts))
    except OSError as error:
        stop(code_of(error), f"{error.filename or out}: {because(error)}", as_json=as_json)
    size = out.stat().st_size
    if as_json:
        print_json({"file": str(out), "bytes": size, "parts": sorted(texts), "missing": missing})
        return
    for name, why in missing.items():
        typer.echo(say("without {name}: {why}", name=name, why=why), err=True)
    typer.echo(
        say(
            "{out}: {count} parts, {mb:.2f} MB; tar --zstd -tf {out} lists them",
            out=out,
            count=len(texts),
            mb=size / 1000000.0,
        )
    )
