"""A second, hand-written reading of SPAT frames: the few fields that the guard needs, bit by bit.

Layout: T/CSAE 53-2020, UPER. It shares nothing with the generated codec, so that an encoder's fault is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.outlets.bits import Bits, NotSpat

SPAT_INDEX = 3
UNDEFINED = 36001


@dataclass(frozen=True, slots=True)
class PhaseRead:
    """Present state of one phase or signal group; ends in tenths of a second from now, None when absent."""

    phase: int
    light: int
    likely: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class SpatRead:
    """What a SPAT frame of any set says. revision: None in a set without."""

    minute: int | None
    millisecond: int | None
    region: int | None
    node: int
    status: int
    phases: tuple[PhaseRead, ...]
    revision: int | None = None


def read_spat(frame: bytes) -> SpatRead:
    """Read a frame of one intersection without extensions. Raises NotSpat."""
    bits = Bits(frame)
    if bits.take(4) != SPAT_INDEX:
        raise NotSpat("another kind of message")
    extended, has_minute, has_millisecond, has_name = (bits.take(1) for _ in range(4))
    bits.take(7)  # msgCnt
    minute = bits.take(20) if has_minute else None
    millisecond = bits.take(16) if has_millisecond else None
    if extended or has_name or bits.take(5):
        raise NotSpat("extended, named, or of several intersections")
    region, node, status, phases = _intersection(bits, (minute, millisecond))
    bits.end()
    return SpatRead(minute, millisecond, region, node, status, phases)


def _intersection(
    bits: Bits, message_time: tuple[int | None, int | None]
) -> tuple[int | None, int, int, tuple[PhaseRead, ...]]:
    extended, has_minute, has_millisecond, has_confidence = (bits.take(1) for _ in range(4))
    if extended:
        raise NotSpat("extended")
    region = bits.take(16) if bits.take(1) else None
    node, status = bits.take(16), bits.take(16)
    own = bits.take(20) if has_minute else None, bits.take(16) if has_millisecond else None
    if own not in ((None, None), message_time):
        raise NotSpat(f"two times: {message_time} and {own}")
    bits.take(6 * has_confidence)
    return region, node, status, tuple(_phase(bits) for _ in range(bits.take(4) + 1))


def _phase(bits: Bits) -> PhaseRead:
    """A phase; of several states the one that began already (startTime 0) is the present one."""
    phase, more = divmod(bits.take(12), 16)
    states = [_state(bits, phase) for _ in range(more + 1)]
    present = [state for state, start in states if start in (None, 0)]
    if len(present) != 1:
        raise NotSpat(f"phase {phase}: {len(present)} present states")
    return present[0]


def _state(bits: Bits, phase: int) -> tuple[PhaseRead, int | None]:
    head = bits.take(7)  # extended, timed, extended light; four bits of light
    light = head & 0xF
    if head & 0b101_0000:
        raise NotSpat("extended")
    if not head & 0b010_0000:
        return PhaseRead(phase, light), None
    if bits.take(2):
        raise NotSpat("times in another form")
    given = bits.take(5)  # least, most, confidence, next start, its duration
    start = bits.take(16)
    least = bits.take(16) if given & 16 else None
    most = bits.take(16) if given & 8 else None
    likely = bits.take(16)
    bits.take(8 * bool(given & 4) + 16 * bool(given & 2) + 16 * (given & 1))
    return PhaseRead(phase, light, None if likely == UNDEFINED else likely, least, most), start
