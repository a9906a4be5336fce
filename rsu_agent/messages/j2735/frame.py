"""The MessageFrame of SAE J2735: 16 bits of message id, a length, and the message (facts/messages.md 3)."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.dsrc import codec as dsrc
from rsu_agent.messages.dsrc.units import Edition, check_time_marks
from rsu_agent.wire.uper import Malformed, open_type, put_open

KINDS = {0x0012: "MapData", 0x0013: "SPAT"}
IDS = {kind: number for number, kind in KINDS.items()}
NAMES = {  # of what is told by name though not read: it needs the operator's own licensed schema
    0x0014: "BasicSafetyMessage",
    0x001D: "SignalRequestMessage",
    0x001F: "TravelerInformation",
    0x0020: "PersonalSafetyMessage",
    0x0029: "SensorDataSharingMessage",
}
HIGHEST_ID = 32_767


def encode(message: tuple[str, Any], edition: Edition) -> bytes:
    """(SPAT or MapData, value), or (id:number, raw bytes), as a frame. Raises Malformed naming the field."""
    name, value = message
    if name == "SPAT":
        body = dsrc.encode(value, name)
        check_time_marks(value, edition)
    else:
        body = dsrc.encode(value, name) if name in IDS else bytes(value)
    number = IDS[name] if name in IDS else _number(name)
    a, n = put_open(body)
    return number.to_bytes(2, "big") + a.to_bytes(n // 8, "big")


def decode(data: bytes) -> tuple[str, Any]:
    """(SPAT or MapData, value), else (id:number, raw bytes). Raises Malformed.

    A TimeMark beyond the edition's range is read as it is: `check_time_marks` reports it.
    """
    if len(data) < 3:
        raise Malformed("MessageFrame", f"{len(data)} bytes are too few")
    number = int.from_bytes(data[:2], "big")
    if number > HIGHEST_ID:
        raise Malformed("MessageFrame.messageId", f"{number} not in 0..{HIGHEST_ID}")
    body, end = open_type(data + bytes(2), 16)
    if end > 8 * len(data):
        raise Malformed("MessageFrame.value", f"{len(body)} bytes announced, fewer follow")
    kind = KINDS.get(number)
    return (f"id:{number}", body) if kind is None else (kind, dsrc.decode(body, kind))


def _number(name: str) -> int:
    word, _, number = name.partition(":")
    if word != "id" or not number.isdecimal() or int(number) > HIGHEST_ID:
        raise Malformed("MessageFrame", f"{name!r} is none of {', '.join(IDS)}, id:number")
    return int(number)
