"""`rsu calibrate still`: a picture of the empty road from the running agent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.cli.status import SocketOption

WHY = {
    "camera": "no camera of the site has that name",
    "detector": "no detector runs, so nobody would paint over those who stand there: see `rsu doctor`",
    "busy": "another still is on its way: try again in a quarter of a minute",
    "pictures": "the camera gave too few good pictures in half a minute: see `rsu doctor`",
    "senses": "the senses process does not answer: see `rsu doctor`",
    "disk": "it could not be kept: is the disk full?",
}


def still(
    name: Annotated[str, typer.Argument(help="Name of the camera in the site file.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option(help="Where to put it: a folder (default: here).", show_default=False)
    ] = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a still on which nobody can be recognised, for calibration.

    It is the median of at least 30 pictures over 10 s, so that whoever moves vanishes; every body that stands
    there all along is painted over. Who asked is written into the journal and told to the district; the file
    says in its name when it was made, and the agent deletes its own after seven days.

    Examples: rsu calibrate still north · rsu calibrate still north --out /tmp
    """
    from rsu_agent.cli.client import fetch, order, socket_path

    path, folder = socket_path(socket), out or Path()
    if not folder.is_dir():
        stop(Exit.USAGE, f"{folder} is no folder", as_json=as_json, reason="out")
    if not as_json:
        typer.echo("watching for some ten seconds, so that whoever moves vanishes ...", err=True)
    status, body = order(path, "still", {"camera": name}, as_json=as_json)
    made = json.loads(body)
    if status != 200 or "file" not in made:
        word = str(made.get("refused", status))
        stop(Exit.FAILED, f"no still of {name}: {WHY.get(word, word)}", as_json=as_json, reason=word)
    written = folder / Path(made["file"]).name
    try:
        end = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(end, "wb") as file:
            file.write(fetch(path, f"still/{made['file']}", as_json=as_json))
    except OSError as error:
        stop(Exit.FAILED, f"{written}: {error.strerror}", as_json=as_json, reason="out")
    if as_json:
        print_json({**made, "file": str(written)})
    else:
        typer.echo(f"{written}: {made['pictures']} pictures, {made['filled']} boxes painted over")
        typer.echo(f"delete it by {made['expires']}; the agent deletes its own")
