"""A second, hand-written reading of SPATEM and of J2735's SPAT: the few fields that the guard needs.

Layout: ISO/TS 19091 (DSRC), UPER, behind an ITS PDU header or in a MessageFrame. It shares nothing with the
generated codec, so that an encoder's fault is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.messages.moment import UtcStamp
from rsu_agent.outlets.bits import Bits, NotSpat
from rsu_agent.outlets.spat_reader import PhaseRead, SpatRead

SPATEM, SPAT_FRAME = 4, 0x0013
HOUR = 36_000  # tenths; higher marks are those of a leap second, and the highest says unknown
LEAP = 10
PAST = HOUR - 600  # a mark that would be as far ahead as this lies in the last minute


@dataclass(frozen=True, slots=True)
class MovementRead:
    """The one state of a signal group; marks are tenths within the UTC hour, None when absent."""

    group: int
    state: int
    start: int | None = None
    least: int | None = None
    most: int | None = None
    likely: int | None = None


@dataclass(frozen=True, slots=True)
class DsrcRead:
    """What a SPAT message says of its one intersection."""

    minute: int | None
    millisecond: int | None
    region: int | None
    node: int
    revision: int
    status: int
    movements: tuple[MovementRead, ...]


def read_spatem(pdu: bytes) -> DsrcRead:
    """Read a SPATEM of one intersection without extensions. Raises NotSpat."""
    bits = Bits(pdu)
    bits.take(8)
    if bits.take(8) != SPATEM:
        raise NotSpat("another kind of message")
    bits.take(32)
    return _spat(bits)


def read_frame(frame: bytes) -> DsrcRead:
    """Read a SPAT in a MessageFrame of SAE J2735. Raises NotSpat."""
    bits = Bits(frame)
    if bits.take(16) != SPAT_FRAME:
        raise NotSpat("another kind of message")
    size = bits.take(8)
    if size & 0x80:
        size = (size & 0x3F) << 8 | bits.take(8)
    head = 4 if size >= 0x80 else 3
    if size != len(frame) - head:
        raise NotSpat(f"{size} bytes announced, {len(frame) - head} follow")
    return _spat(bits)


def reckoned(read: DsrcRead, now: UtcStamp | None, unknown: int) -> SpatRead:
    """The same with ends in tenths from now instead of marks within the hour. Raises NotSpat.

    now: None when our clock is not trusted. unknown: the mark that says so in this edition.
    """
    return SpatRead(
        read.minute,
        read.millisecond,
        read.region,
        read.node,
        read.status,
        tuple(_reckoned(movement, now, unknown) for movement in read.movements),
        read.revision,
    )


def _reckoned(read: MovementRead, now: UtcStamp | None, unknown: int) -> PhaseRead:
    ends = [_from_now(mark, now, unknown) for mark in (read.likely, read.least, read.most)]
    return PhaseRead(read.group, read.state, *ends)


def _from_now(mark: int | None, now: UtcStamp | None, unknown: int) -> int | None:
    """Tenths from now, negative for what is past. Raises NotSpat."""
    if mark is None or mark == unknown:
        return None
    if now is None:
        raise NotSpat("a time mark while our clock is not trusted", "time")
    if mark >= (HOUR + LEAP if unknown > HOUR + LEAP else HOUR):
        raise NotSpat(f"time mark {mark} is beyond the hour", "order")
    tenths = (mark - (now.minute_of_year % 60 * 600 + now.millisecond // 100)) % HOUR
    return tenths - HOUR if tenths > PAST else tenths


def _spat(bits: Bits) -> DsrcRead:
    extended, has_minute, has_name, has_regional = (bits.take(1) for _ in range(4))
    if extended or has_name or has_regional:
        raise NotSpat("extended, named or regional")
    minute = bits.take(20) if has_minute else None
    if bits.take(5):
        raise NotSpat("several intersections")
    read = _intersection(bits, minute)
    bits.end()
    return read


def _intersection(bits: Bits, message_minute: int | None) -> DsrcRead:
    extended, has_name, has_minute, has_millisecond = (bits.take(1) for _ in range(4))
    if extended or has_name or bits.take(3):
        raise NotSpat("extended, named, or with lanes, assistance or regional parts")
    region = bits.take(16) if bits.take(1) else None
    node, revision, status = bits.take(16), bits.take(7), bits.take(16)
    minute = bits.take(20) if has_minute else None
    millisecond = bits.take(16) if has_millisecond else None
    if minute != message_minute:
        raise NotSpat(f"two times: {message_minute} and {minute}")
    movements = tuple(_movement(bits) for _ in range(bits.take(8) + 1))
    return DsrcRead(minute, millisecond, region, node, revision, status, movements)


def _movement(bits: Bits) -> MovementRead:
    if bits.take(4):
        raise NotSpat("extended or named movement")
    group = bits.take(8)
    if bits.take(4):
        raise NotSpat(f"group {group}: several states")
    extended, timed = bits.take(1), bits.take(1)
    if extended or bits.take(2):
        raise NotSpat(f"group {group}: extended or with speeds")
    state = bits.take(4)
    if not timed:
        return MovementRead(group, state)
    has_start, has_most, has_likely, has_confidence, has_next = (bits.take(1) for _ in range(5))
    start = bits.take(16) if has_start else None
    least = bits.take(16)
    most = bits.take(16) if has_most else None
    likely = bits.take(16) if has_likely else None
    bits.take(4 * has_confidence + 16 * has_next)
    return MovementRead(group, state, start, least, most, likely)
