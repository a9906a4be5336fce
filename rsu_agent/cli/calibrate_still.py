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
from rsu_agent.settings.language import because, later, say

WHY = {
    "camera": later("no camera of the site has that name"),
    "detector": later("no detector runs, so nobody would paint over those who stand there: see `rsu doctor`"),
    "busy": later("another still is on its way: try again in a quarter of a minute"),
    "pictures": later("the camera gave too few good pictures in half a minute: see `rsu doctor`"),
    "senses": later("the senses process does not answer: see `rsu doctor`"),
    "disk": later("it could not be kept: is the disk full?"),
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
        stop(Exit.USAGE, say("{folder} is no folder", folder=folder), as_json=as_json, reason="out")
    if not as_json:
        typer.echo(say("watching for some ten seconds, so that whoever moves vanishes ..."), err=True)
    status, body = order(path, "still", {"camera": name}, as_json=as_json)
    made = json.loads(body)
    if status != 200 or "file" not in made:
        word = str(made.get("refused", status))
        text = say("no still of {name}: {why}", name=name, why=say(WHY.get(word, word)))
        stop(Exit.FAILED, text, as_json=as_json, reason=word)
    written = folder / Path(made["file"]).name
    try:
        end = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(end, "wb") as file:
            file.write(fetch(path, f"still/{made['file']}", as_json=as_json))
    except OSError as error:
        stop(Exit.FAILED, f"{written}: {because(error)}", as_json=as_json, reason="out")
    if as_json:
        print_json({**made, "file": str(written)})
    else:
        typer.echo(
            say(
                "{written}: {pictures} pictures, {filled} boxes painted over",
                written=written,
                pictures=made["pictures"],
                filled=made["filled"],
            )
        )
        typer.echo(say("delete it by {expires}; the agent deletes its own", expires=made["expires"]))
