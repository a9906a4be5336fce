"""Bytes of the simple speed radars (facts/radars 3.5): km/h in three formats, FA..FB around configuration."""

from __future__ import annotations

from dataclasses import dataclass

OPENS, CLOSES = 0xFA, 0xFB
POWER_ON = b"\xfe\xfd\xfd\xfe"
LEAST_KMH, MOST_KMH = 0x05, 0xF0
IDLE = 0x00
KMH = 1 / 3.6
ANSWER = b"\xf7"  # the host's question in answer mode
REPLY_BYTES = 5  # FA, command, two of data, FB
LONGEST_REPLY = 16  # a list of all settings may be longer

# two-byte format: first byte -> away
WAYS: dict[int, bool | None] = {0xF9: False, 0xF8: True, 0xF7: None}
# ASCII format: sign -> away; which sign is which is not written in the facts but follows the other format
SIGNS: dict[int, bool | None] = {ord("+"): False, ord("-"): True, ord("*"): None}
ASCII_BYTES = 4

ENTER, EXIT, RESULT = 0x31, 0x32, 0x32
LOW_LIMIT = 0x39
GOOD, BAD = 0x30, 0x31


@dataclass(frozen=True, slots=True)
class Kmh:
    """One speed; 0: nothing moves. away: None where the format tells no direction."""

    speed: int
    away: bool | None
    at_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole FA..FB: never a speed. body: what stands between."""

    body: bytes


@dataclass(frozen=True, slots=True)
class PowerOn:
    """The radar has just started."""


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no speed. why: noise, range, digits, reply."""

    why: str
    size: int


def command(number: int, first: int = 0x30, second: int = 0x30) -> bytes:
    """A configuration frame."""
    return bytes((OPENS, number, first, second, CLOSES))


def acknowledged(reply: Reply, number: int) -> bool | None:
    """Whether this is the acknowledgement of that command, and a good one; None: another reply."""
    body = reply.body
    if len(body) != 3 or body[0] != RESULT or body[2] != number or body[1] not in (GOOD, BAD):
        return None
    return body[1] == GOOD
