"""The PDUs of Europe by name: ITS PDU header and message. Values have the shape of the modules."""

from __future__ import annotations

import struct
from typing import Any

from rsu_agent.messages.dsrc import codec as dsrc
from rsu_agent.messages.etsi import codec as facilities
from rsu_agent.wire.uper import Malformed

HEADER = struct.Struct(">BBI")  # ItsPduHeader: protocolVersion, messageID, stationID, all whole bytes
HEADER_FIELDS = ("protocolVersion", "messageID", "stationID")
VERSION = 2
MESSAGE_IDS = {"DENM": 1, "CAM": 2, "SPATEM": 4, "MAPEM": 5}
NAMES = {number: name for name, number in MESSAGE_IDS.items()}
BODIES = {"SPATEM": ("spat", "SPAT"), "MAPEM": ("map", "MapData")}  # field of the PDU and its type


def header(name: str, station: int) -> dict[str, int]:
    """The ITS PDU header of a message. station: 0 to 4294967295."""
    return {"protocolVersion": VERSION, "messageID": MESSAGE_IDS[name], "stationID": station}


def encode(message: tuple[str, dict[str, Any]]) -> bytes:
    """(name, {header, ...}) as bytes. Raises Malformed naming the field."""
    name, value = message
    if name not in BODIES:
        return facilities.encode(value, name)
    field, kind = BODIES[name]
    if set(value) != {"header", field}:
        raise Malformed(name, f"needs header and {field}, has {', '.join(map(str, value))}")
    return _head(name, value["header"]) + dsrc.encode(value[field], kind)


def decode(data: bytes) -> tuple[str, dict[str, Any]]:
    """(name, {header, ...}) of a PDU, which its messageID tells. Raises Malformed."""
    if len(data) <= HEADER.size:
        raise Malformed("PDU", f"{len(data)} bytes are too few")
    numbers = HEADER.unpack_from(data)
    name = NAMES.get(numbers[1])
    if name is None:
        known = ", ".join(f"{number} {name}" for number, name in sorted(NAMES.items()))
        raise Malformed("header.messageID", f"{numbers[1]} is none of {known}")
    if name not in BODIES:
        return name, facilities.decode(data, name)
    field, kind = BODIES[name]
    head = dict(zip(HEADER_FIELDS, numbers, strict=True))
    return name, {"header": head, field: dsrc.decode(data[HEADER.size :], kind)}


def _head(name: str, value: dict[str, int]) -> bytes:
    try:
        return HEADER.pack(*(value[field] for field in HEADER_FIELDS))
    except (struct.error, KeyError, TypeError) as error:
        raise Malformed(f"{name}.header", str(error)) from None
