"""`rsu decode`: a message from hex, base64, a line of a log, a file or a live port, as a tree or as JSON."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.licensed import Licensed, SchemaFault, indented
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.messages.generator.model import Reference
from rsu_agent.messages.pasted import candidates
from rsu_agent.messages.recognise import REFUSED, SETS, Read, recognise
from rsu_agent.messages.show import Line, lines
from rsu_agent.messages.show import plain as plain_value
from rsu_agent.wire.uper import Malformed

SCHEMAS = {"csae53": "csae53", "j2735": "dsrc", "CAM": "etsi", "DENM": "etsi"}
WRAPPED = {"SPATEM": ("spat", "SPAT"), "MAPEM": ("map", "MapData")}  # their bodies are in the schema of dsrc
MOST_BYTES = 65_535
MOST_FILE = 64 * 1024 * 1024


def decode(
    message: Annotated[
        list[str] | None, typer.Argument(help="Hex, base64 or a whole line of a log; - reads standard input.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A file: one message in binary, or a message a line.")
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
        stop(Exit.USAGE, f"--set {standard}: one of {', '.join(SETS)}", as_json=as_json)
    if sum(map(bool, (message, file, port))) != 1:
        stop(Exit.USAGE, "give a message, --file or --port (rsu decode --help has examples)", as_json=as_json)
    failed = 0
    licensed = _licensed(schema, as_json=as_json) if schema else None
    try:
        for choices in _given(message, file, port):
            failed += not _tell(choices, standard or None, licensed, as_json=as_json)
    except OSError as error:
        stop(Exit.FAILED, f"{error.filename or port}: {error.strerror or error}", as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if failed:
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _given(message: list[str] | None, file: Path | None, port: str) -> Iterator[list[bytes]]:
    """What to read: for each message the byte strings that it may be."""
    if port:
        yield from _datagrams(port)
    elif file is not None:
        if file.stat().st_size > MOST_FILE:
            raise OSError(27, f"larger than {MOST_FILE // 1024 // 1024} MB", str(file))
        raw = file.read_bytes()
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
        raise OSError(22, "must be HOST:PORT", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((host or "127.0.0.1", int(number)))
        print(f"listening on {host or '127.0.0.1'}:{number}, Ctrl-C ends", file=sys.stderr, flush=True)
        while True:
            yield [listening.recv(MOST_BYTES)]


def _licensed(schema: list[Path], *, as_json: bool) -> Licensed:
    try:
        return Licensed(schema)
    except ImportError:
        stop(Exit.FAILED, "--schema needs asn1tools: pip install 'rsu-agent[j2735]'", as_json=as_json)
    except (OSError, SchemaFault) as error:
        stop(Exit.FAILED, str(error), as_json=as_json)


def _tell(choices: list[bytes], standard: str | None, licensed: Licensed | None, *, as_json: bool) -> bool:
    """Print the first choice that is a message, else why the likeliest is none."""
    fault = "no hex or base64 of at least 4 bytes in it"
    for number, data in enumerate(choices):
        try:
            read = recognise(data, standard)
            if licensed is not None and read.kind is None and read.standard == "j2735":
                read = replace(read, value=licensed.read(read.name, read.value), notes=())
        except Malformed as error:
            fault = f"{len(data)} bytes, {error}" if number == 0 else fault
            continue
        print_json(_object(read, len(data))) if as_json else _print(read, len(data))
        return True
    if as_json:
        print_json({"error": fault, "reason": "malformed"})
    print(f"not read: {fault}", file=sys.stderr, flush=True)
    return False


def _typed(read: Read) -> tuple[str, Any, dict[str, Any]]:
    """(type, value, schema) of the part of a message that has a schema."""
    kind, value = read.kind or "", read.value
    if kind in WRAPPED:
        field, kind = WRAPPED[kind]
        value = value[field]
        folder = "dsrc"
    else:
        folder = SCHEMAS.get(kind) or SCHEMAS[read.standard]
    return kind, value, import_module(f"rsu_agent.messages.{folder}.schema").SCHEMA


def _object(read: Read, size: int) -> dict[str, Any]:
    head = {"set": read.standard, "message": read.name, "bytes": size, "notes": list(read.notes)}
    if read.kind is None:
        raw = isinstance(read.value, bytes)
        return head | ({"raw": read.value.hex()} if raw else {"value": read.value})
    kind, value, schema = _typed(read)
    header = {"header": read.value["header"]} if read.kind in WRAPPED else {}
    return head | header | {"value": plain_value(Reference(kind), value, schema)}


def _print(read: Read, size: int) -> None:
    bold, off = ("", "") if plain() else ("\x1b[1m", "\x1b[0m")
    print(f"{bold}{read.name}{off} ({read.standard}, {size} bytes)")
    for note in read.notes:
        print(f"  note: {note}")
    if read.kind is None:
        print(f"  {read.value.hex()}" if isinstance(read.value, bytes) else indented(read.value))
        return
    if read.kind in WRAPPED:
        print("  header: " + ", ".join(f"{name} {number}" for name, number in read.value["header"].items()))
    kind, value, schema = _typed(read)
    for line in lines(kind, Reference(kind), value, schema, 1):
        print(_text(line))


def _text(line: Line) -> str:
    depth, name, text = line
    return f"{'  ' * depth}{name}" + (f": {text}" if text else "")
