"""What a UMRR-0C payload holds (facts/radars 3.1): messages of reversed data. Unverified on real bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsu_agent.world.road_user import UserClass

STATUS, CONTROL = 0x0500, 0x0501
OBJECTS = range(0x0502, 0x0600)
WORD_BYTES = 8
MOST_MESSAGES = 300  # the control message counts them in one byte
MESSAGE_HEAD = 3

SPEED_ZERO, SPEED_MPS = 1024, 0.1
PLACE_ZERO, PLACE_M = 4096, 0.128
LENGTH_M = 0.2

# Raw length up to which (0.2 m) -> class, by the vendor's table; between 2.6 and 4.6 m it tells none
KINDS: tuple[tuple[int, UserClass], ...] = (
    (5, UserClass.PEDESTRIAN),
    (8, UserClass.BICYCLE),
    (13, UserClass.MOTORCYCLE),
    (22, UserClass.UNKNOWN),
    (27, UserClass.CAR),
    (127, UserClass.TRUCK),  # delivery, short and long truck
)


@dataclass(frozen=True, slots=True)
class Message:
    """One sub-message, its data as sent."""

    ident: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Object:
    """One object, in the radar's own axes. updated: False while it only coasts."""

    number: int
    length_m: float
    kind: UserClass
    x_m: float
    y_m: float
    vx_mps: float
    vy_mps: float
    updated: bool


@dataclass(frozen=True, slots=True)
class Control:
    """The cycle that follows: its number, how many messages and targets it has."""

    cycle: int
    messages: int
    targets: int


def messages(payload: bytes) -> list[Message] | None:
    """All sub-messages; None where they do not end exactly with the payload."""
    found: list[Message] = []
    at = 0
    while at < len(payload):
        head = payload[at : at + MESSAGE_HEAD]
        if len(head) < MESSAGE_HEAD or len(found) == MOST_MESSAGES:
            return None
        end = at + MESSAGE_HEAD + head[2]
        if end > len(payload):
            return None
        found.append(Message(head[0] << 8 | head[1], payload[at + MESSAGE_HEAD : end]))
        at = end
    return found


def uptime_s(data: bytes) -> float | None:
    """Seconds since the radar began to work, from a status message; None: of another size."""
    return (_word(data) >> 32) / 1000 if len(data) == WORD_BYTES else None


def control(data: bytes) -> Control | None:
    """A control message; None: of another size."""
    if len(data) != WORD_BYTES:
        return None
    word = _word(data)
    return Control(word >> 32, word >> 8 & 0xFF, word & 0xFF)


def read_object(data: bytes) -> Object | None:
    """An object message: 8, 7, 11, 11, 13, 13 and 1 bits; None: of another size."""
    if len(data) != WORD_BYTES:
        return None
    number, length, vy, vx, y, x, updated = _fields(_word(data), (8, 7, 11, 11, 13, 13, 1))
    return Object(
        number,
        length * LENGTH_M,
        next(kind for most, kind in KINDS if length <= most),
        (x - PLACE_ZERO) * PLACE_M,
        (y - PLACE_ZERO) * PLACE_M,
        (vx - SPEED_ZERO) * SPEED_MPS,
        (vy - SPEED_ZERO) * SPEED_MPS,
        bool(updated),
    )


def _word(data: bytes) -> int:
    """The data is sent reversed: the first byte sent is the least."""
    return int.from_bytes(data, "little")


def _fields(word: int, widths: tuple[int, ...]) -> Iterator[int]:
    """The fields of a word, the most significant first."""
    left = sum(widths)
    for width in widths:
        left -= width
        yield word >> left & (1 << width) - 1
