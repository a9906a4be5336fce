"""What `rsu decode` prints of a message: a tree with units, or one JSON object."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.licensed import Licensed, SchemaFault, indented
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.messages.generator.model import Reference
from rsu_agent.messages.recognise import Read, recognise
from rsu_agent.messages.show import Line, lines
from rsu_agent.messages.show import plain as plain_value
from rsu_agent.settings.language import say
from rsu_agent.wire.uper import Malformed

SCHEMAS = {"csae53": "csae53", "j2735": "dsrc", "CAM": "etsi", "DENM": "etsi"}
WRAPPED = {"SPATEM": ("spat", "SPAT"), "MAPEM": ("map", "MapData")}  # their bodies are in the schema of dsrc


def licensed(schema: list[Path], *, as_json: bool) -> Licensed:
    """The operator's schema; ends the command when it cannot be read."""
    try:
        return Licensed(schema)
    except ImportError:
        stop(Exit.FAILED, say("--schema needs asn1tools: pip install 'rsu-agent[j2735]'"), as_json=as_json)
    except (OSError, SchemaFault) as error:
        stop(Exit.FAILED, str(error), as_json=as_json)


def tell(choices: list[bytes], standard: str | None, own: Licensed | None, *, as_json: bool) -> bool:
    """Print the first choice that is a message, else why the likeliest is none."""
    fault = say("no hex or base64 of at least 4 bytes in it")
    for number, data in enumerate(choices):
        try:
            read = recognise(data, standard)
            if own is not None and read.kind is None and read.standard == "j2735":
                read = replace(read, value=own.read(read.name, read.value), notes=())
        except Malformed as error:
            fault = say("{count} bytes, {error}", count=len(data), error=error) if number == 0 else fault
            continue
        print_json(read_object(read, len(data))) if as_json else _print(read, len(data))
        return True
    if as_json:
        print_json({"error": fault, "reason": "malformed"})
    print(say("not read: {fault}", fault=fault), file=sys.stderr, flush=True)
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


def read_object(read: Read, size: int) -> dict[str, Any]:
    """A message as JSON has it."""
    head = {"set": read.standard, "message": read.name, "bytes": size, "notes": list(read.notes)}
    if read.kind is None:
        raw = isinstance(read.value, bytes)
        return head | ({"raw": read.value.hex()} if raw else {"value": read.value})
    kind, value, schema = _typed(read)
    header = {"header": read.value["header"]} if read.kind in WRAPPED else {}
    return head | header | {"value": plain_value(Reference(kind), value, schema)}


def _print(read: Read, size: int) -> None:
    bold, off = ("", "") if plain() else ("\x1b[1m", "\x1b[0m")
    print(
        say(
            "{bold}{name}{off} ({standard}, {size} bytes)",
            bold=bold,
            name=read.name,
            off=off,
            standard=read.standard,
            size=size,
        )
    )
    for note in read.notes:
        print(say("  note: {note}", note=note))
    if read.kind is None:
        print(f"  {read.value.hex()}" if isinstance(read.value, bytes) else indented(read.value))
        return
    if read.kind in WRAPPED:
        print(
            say("  header: ")
            + ", ".join((f"{name} {number}" for name, number in read.value["header"].items()))
        )
    kind, value, schema = _typed(read)
    for line in lines(kind, Reference(kind), value, schema, 1):
        print(_text(line))


def _text(line: Line) -> str:
    depth, name, text = line
    return f"{'  ' * depth}{name}" + (f": {text}" if text else "")
