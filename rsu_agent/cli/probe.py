"""`rsu probe`: what speaks on a serial line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.ports.recognising import SILENT_S
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings.language import say

if TYPE_CHECKING:
    from rsu_agent.runtime.probe import Found


def probe(
    port: Annotated[str, typer.Argument(help="The serial port; a name under /dev/serial/by-id stays.")],
    transmit: Annotated[
        bool, typer.Option("--transmit", help="Ask, where nobody was heard in the silent minute.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to be silent; never less when asking.")] = SILENT_S,
    write: Annotated[
        Path | None, typer.Option(help="Write the section `controller` into this site file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Find protocol, baud rate, checksum and addresses of a controller, and who else is on the line.

    Silent for a minute: nothing is sent. With --transmit, and only if no other host was heard, one harmless
    query at a time, at most two a second, until the first answer or the first frame of somebody else.
    Exit code 4 when nothing is recognised.

    Examples: rsu probe /dev/serial/by-id/usb-... · rsu probe /dev/ttyS1 --transmit --write site.yaml
    """
    if transmit and seconds < SILENT_S:
        stop(
            Exit.USAGE,
            say("--transmit needs {SILENT_S:g} s of silence first", SILENT_S=SILENT_S),
            as_json=as_json,
        )
    try:
        found = _found(port, seconds, transmit=transmit)
    except DeviceLost as lost:
        stop(Exit.FAILED, f"{lost}\n{lost.hint}", as_json=as_json, reason=lost.reason)
    if sys.stderr.isatty():
        print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    section = found.section(port) if found.driver else None
    if as_json:
        print_json(_plain(found, section))
    else:
        typer.echo("\n".join(_words(found, section)))
    if section is None:
        raise typer.Exit(int(Exit.CHECK_FAILED))
    if write is not None:
        _write(write, section)
        typer.echo(say("{write}: section controller written", write=write), err=True)


def _found(port: str, seconds: float, *, transmit: bool) -> Found:
    """Raises DeviceLost."""
    import anyio

    from rsu_agent.ports.clock import SystemClock
    from rsu_agent.ports.plugins import plugins
    from rsu_agent.runtime.probe import probe as run_probe

    protocols = {name: plugin.recognise for name, plugin in plugins().items() if plugin.recognise is not None}

    async def run() -> Found:
        return await run_probe(port, protocols, SystemClock(), _progress, transmit=transmit, silent_s=seconds)

    return anyio.run(run)


def _plain(found: Found, section: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "recognised": found.driver is not None,
        "driver": found.driver,
        "controller": section,
        "frames": found.sign.frames,
        "heard_bytes": found.heard_bytes,
        "other_hosts": found.sign.foreign,
        "asked": found.asked,
        "stopped_by": found.stopped_by,
        "notes": sorted(found.sign.notes),
    }


def _words(found: Found, section: dict[str, Any] | None) -> list[str]:
    if section is None:
        heard = (
            say("{heard_bytes} bytes, most at {baud} baud", heard_bytes=found.heard_bytes, baud=found.baud)
            if found.heard_bytes
            else "nothing"
        )
        lines = [
            say("not recognised: heard {heard}, asked {asked} question(s)", heard=heard, asked=found.asked)
        ]
        if found.stopped_by:
            lines.append(say("no more was asked: {stopped_by}", stopped_by=found.stopped_by))
        elif not found.asked:
            lines.append(say("where this line is ours alone: rsu probe PORT --transmit"))
        return [*lines, *sorted(found.sign.notes)]
    from ruamel.yaml import YAML

    text = io.StringIO()
    YAML().dump({"controller": section}, text)
    lines = [
        say(
            "{driver}: {frames} frames at {baud} baud, parity {parity}",
            driver=found.driver,
            frames=found.sign.frames,
            baud=found.baud,
            parity=found.parity,
        )
    ]
    return [*lines, *sorted(found.sign.notes), "", text.getvalue().rstrip()]


def _progress(text: str, share: float) -> None:
    """One line, rewritten on a terminal."""
    if sys.stderr.isatty():
        bar = "" if plain() else "█" * int(share * 20)
        print(f"\r{bar:<20} {share:4.0%}  {text:<44}"[:78], end="", file=sys.stderr, flush=True)


def _write(path: Path, section: dict[str, Any]) -> None:
    """Replace the section and nothing else; comments stay."""
    from ruamel.yaml import YAML

    yaml = YAML()
    site = yaml.load(path.read_text()) if path.exists() else {}
    site["controller"] = section
    with path.open("w") as stream:
        yaml.dump(site, stream)
