"""`rsu model`: what an ONNX file is to the agent, before a site relies on it; what models are shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import say

if TYPE_CHECKING:
    from rsu_agent.perception.heads.detector import Detector

model = typer.Typer(help="Detectors: check an ONNX file, list the shipped ones.", no_args_is_help=True)
USES = ("simulation_only",)  # looking at a file is allowed whatever its mark


@model.command()
def check(
    file: Annotated[Path, typer.Argument(help="The ONNX file.", show_default=False)],
    image: Annotated[
        Path | None, typer.Option(help="A picture of the camera to look at.", show_default=False)
    ] = None,
    sidecar: Annotated[
        Path | None, typer.Option(help="Read instead of model.toml beside the file.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write --image with its boxes (png, jpg).", show_default=False)
    ] = None,
    provider: Annotated[list[str] | None, typer.Option(help="Execution provider wanted; repeatable.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say which head a file has and why, its classes and ours, its input, what runs it, how fast, its marks.

    Exit code 4 when the agent would refuse it, 3 when its model.toml is wrong.

    Examples: rsu model check yolox.onnx · rsu model check yolox.onnx --image street.jpg --out found.png
    """
    if out is not None and image is None:
        stop(Exit.USAGE, say("--out needs --image: the picture to draw on"), as_json=as_json, reason="usage")
    if not file.is_file():
        stop(Exit.FAILED, say("{file}: no such file", file=file), as_json=as_json, reason="missing")
    detector = _opened(file, sidecar, provider, as_json=as_json)
    from rsu_agent.cli.model_told import drawn, object_of, picture_of, timed, words_of

    try:
        picture = picture_of(image)
        speed_ms, found = timed(detector, picture)
        written = None if out is None else drawn(picture, found, out)
    except ValueError as error:
        stop(Exit.FAILED, str(error), as_json=as_json, reason="picture")
    told = object_of(detector, speed_ms, found if image else None, written)
    if as_json:
        print_json(told)
    else:
        typer.echo("\n".join(words_of(told)))


@model.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the shipped models: file, head, marks, and the line of their card.

    Example: rsu model list
    """
    rows = shipped()
    if as_json:
        print_json({"models": rows})
        return
    for row in rows:
        typer.echo(f"{row['model']}  {row['head']}, {row['licence']}, {row['use'] or 'production'}")
        typer.echo(f"  {row['card']}")


def shipped() -> list[dict[str, Any]]:
    """Every shipped model with a manifest: what that says, and the first line of its card."""
    from rsu_agent.ports.assets import asset

    rows = []
    for path in sorted(asset("models").glob("*/manifest*.json")):
        manifest = json.loads(path.read_text())
        row = {key: manifest.get(key, "") for key in ("head", "classes", "licence", "use", "sha256")}
        card = path.with_name("CARD.md")
        line = _card_line(card.read_text()) if card.exists() else ""
        rows.append({"model": f"models/{path.parent.name}/{manifest['file']}", **row, "card": line})
    return rows


def _card_line(text: str) -> str:
    """The first sentence below the heading."""
    body = " ".join(line for line in text.split("\n\n")[1].splitlines())
    return body.replace("*", "").split(". ")[0].rstrip(".") + "."


def _opened(file: Path, sidecar: Path | None, provider: list[str] | None, *, as_json: bool) -> Detector:
    """The detector; ends the command where it cannot be used."""
    from rsu_agent.perception.heads.detector import Detector
    from rsu_agent.perception.heads.sidecar import SidecarInvalid
    from rsu_agent.perception.model_refused import ModelRefused
    from rsu_agent.perception.onnx import CPU

    try:
        return Detector(file, USES, sidecar=sidecar, providers=provider or [CPU])
    except SidecarInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="sidecar")
    except ModelRefused as refused:
        stop(Exit.CHECK_FAILED, str(refused), as_json=as_json, reason="refused")
