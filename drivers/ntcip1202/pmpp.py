"""NTCIP 2101 PMPP: SNMP in HDLC-like frames on a serial line (facts/controllers 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsu_agent.wire.byte_times import ByteTimes

FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
POLLED, UNPOLLED = 0x13, 0x03  # control: UI with and without the P bit
PROTOCOLS = frozenset({0xC1, 0xC0})  # STMF; T2/NULL is accepted, never sent
GOOD_RESIDUE = 0xF0B8
LARGEST_BYTES = 4096
LONGEST_GAP_S = 0.5  # 1,200 baud lines exist
SNMP_MARK = 0x30

_TABLE = []
for _byte in range(256):
    _value = _byte
    for _ in range(8):
        _value = _value >> 1 ^ 0x8408 if _value & 1 else _value >> 1
    _TABLE.append(_value)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that passed its checks; payload is the SNMP message."""

    address: int
    payload: bytes
    first_byte_s: float
    last_byte_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, long, gap, short, checksum or payload."""

    why: str
    size: int


def fcs(data: bytes) -> int:
    """The register after these bytes, before its complement is taken; 0xF0B8 over a whole good frame."""
    register = 0xFFFF
    for byte in data:
        register = register >> 8 ^ _TABLE[(register ^ byte) & 0xFF]
    return register


def framed(address: int, payload: bytes) -> bytes:
    """A frame to a station, 1 to 63: longer addresses are recalled only, read but never sent."""
    body = bytes([address << 2 | 1, POLLED, 0xC1]) + payload
    body += (fcs(body) ^ 0xFFFF).to_bytes(2, "little")
    escaped = body.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e")
    return bytes([FLAG]) + escaped + bytes([FLAG])


class Deframer:
    """Bytes in, frames out. One flag may end a frame and begin the next."""

    def __init__(self, byte_s: float = 0.0) -> None:
        self._byte_s = byte_s
        self._times = ByteTimes(byte_s)
        self._held: bytearray | None = None
        self._start = 0
        self._last_s = float("-inf")

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk read at now_s."""
        if self._held and now_s - len(data) * self._byte_s - self._last_s > LONGEST_GAP_S:
            yield Garbled("gap", len(self._held))
            self._held = None
        base, self._last_s = self._times.position, now_s
        self._times.add(len(data), now_s)
        at = 0
        for part in data.split(bytes([FLAG])):
            yield from self._take(part)
            at += len(part)
            if at < len(data):
                if self._held:
                    yield self._read(bytes(self._held), now_s)
                self._held, self._start = bytearray(), base + at
                at += 1
        self._times.forget(self._start if self._held is not None else self._times.position)

    def _take(self, part: bytes) -> Iterator[Garbled]:
        if self._held is None:
            if part:
                yield Garbled("noise", len(part))
            return
        self._held += part
        if len(self._held) > LARGEST_BYTES:
            yield Garbled("long", len(self._held))
            self._held = None

    def _read(self, escaped: bytes, now_s: float) -> Frame | Garbled:
        body = bytearray()
        flip = 0
        for byte in escaped:
            if byte == ESCAPE and not flip:
                flip = FLIP
            else:
                body.append(byte ^ flip)
                flip = 0
        if len(body) < 6:
            return Garbled("short", len(escaped))
        if fcs(bytes(body)) != GOOD_RESIDUE:
            return Garbled("checksum", len(escaped))
        address_bytes = 1 if body[0] & 1 else 2
        address = body[0] >> 2 if body[0] & 1 else body[0] >> 2 | body[1] >> 1 << 6
        control, protocol, *_ = body[address_bytes:]
        payload = bytes(body[address_bytes + 2 : -2])
        known = control in (POLLED, UNPOLLED) and protocol in PROTOCOLS
        if not known or payload[:1] != bytes([SNMP_MARK]):
            return Garbled("payload", len(escaped))
        return Frame(address, payload, self._times.left_s(self._start), now_s)
