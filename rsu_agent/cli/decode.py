"""`rsu decode`: a message from hex, base64, a line of a log, a file or a live port, as a tree or as JSON."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import stop
from rsu_agent.messages.pasted import candidates
from rsu_agent.messages.standards import REFUSED, SETS
from rsu_agent.settings.language import because, say

MOST_BYTES = 65_535
MOST_FILE = 64 * 1024 * 1024


def decode(
    message: Annotated[
        list[str] | None, typer.Argument(help="Hex, base64 or a whole line of a log; - reads standard input.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="A capture (pcap, pcapng), one message in binary, or a message a line."),
    ] = None,
    port: Annotated[str, typer.Option(help="Listen for datagrams on HOST:PORT until Ctrl-C.")] = "",
    standard: Annotated[
        str, typer.Option("--set", help=f"One of {', '.join(SETS)}; guessed without it.")
    ] = "",
    schema: Annotated[
        list[Path] | None, typer.Option(help="Your own licensed ASN.1 of SAE J2735, for BSM, TIM, PSM, SDSM.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a message, one line each.")
    ] = False,
) -> None:
    """Read messages of T/CSAE 53-2020 (YD/T 3709), ETSI and SAE J2735.

    Exit status 4 when anything given is no message.

    Examples: rsu decode 0013251C... · rsu decode --file radio.log --json · rsu decode --port 127.0.0.1:5900
    """
    if standard and standard not in (*SETS, *REFUSED):
        text = say("--set {standard}: one of {sets}", standard=standard, sets=", ".join(SETS))
        stop(Exit.USAGE, text, as_json=as_json)
    if sum(map(bool, (message, file, port))) != 1:
        text = say("give a message, --file or --port (rsu decode --help has examples)")
        stop(Exit.USAGE, text, as_json=as_json)
    # Codecs and captures take a tenth of a second to load, which no other verb should pay.
    from rsu_agent.cli.captured import NoCapture
    from rsu_agent.cli.told import licensed, tell

    failed = 0
    own = licensed(schema, as_json=as_json) if schema else None
    try:
        for choices in _given(message, file, port):
            failed += not tell(choices, standard or None, own, as_json=as_json)
    except OSError as error:
        stop(Exit.FAILED, f"{error.filename or port}: {because(error)}", as_json=as_json)
    except NoCapture as error:
        stop(Exit.FAILED, str(error), as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if failed:
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _given(message: list[str] | None, file: Path | None, port: str) -> Iterator[list[bytes]]:
    """What to read: for each message the byte strings that it may be."""
    from rsu_agent.cli.captured import is_capture, messages

    if port:
        yield from _datagrams(port)
    elif file is not None:
        if file.stat().st_size > MOST_FILE:
            raise OSError(27, say("larger than {most} MB", most=MOST_FILE // 1024 // 1024), str(file))
        raw = file.read_bytes()
        if is_capture(raw):
            yield from ([message] for message in messages(file))
            return
        try:
            text = raw.decode("ascii")
        except UnicodeDecodeError:
            yield [raw]
            return
        yield from map(candidates, filter(str.strip, text.splitlines()))
    elif message == ["-"]:
        yield from map(candidates, filter(str.strip, sys.stdin))
    else:
        yield candidates(" ".join(message or []))


def _datagrams(port: str) -> Iterator[list[bytes]]:
    host, _, number = port.rpartition(":")
    if not number.isdecimal() or not 0 < int(number) < 65_536:
        raise OSError(22, say("must be HOST:PORT"), port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((host or "127.0.0.1", int(number)))
        print(
            say("listening on {host}:{number}, Ctrl-C ends", host=host or "127.0.0.1", number=number),
            file=sys.stderr,
            flush=True,
        )
        while True:
            yield [listening.recv(MOST_BYTES)]
