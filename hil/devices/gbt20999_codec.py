"""The virtual controller's own reading of GB/T 20999-2017: frames and the table of its data values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HEAD, TAIL, ESC = 0x7E, 0x7D, 0x5C
LONGEST = 2100
Address = tuple[int, int, int, int]


def checksum(data: bytes, polynomial: int = 0x1005, start: int = 0x0000) -> int:
    """x^16 + x^12 + x^2 + 1, bit by bit."""
    register = start
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register <<= 1
            if register & 0x10000:
                register ^= 0x10000 | polynomial
    return register


CHECKS = {"1005": (0x1005, 0x0000), "1021": (0x1021, 0xFFFF)}


@dataclass(frozen=True)
class Message:
    """A frame's content. entries: (index, address, value)."""

    kind: int
    host: int
    controller: int
    crossing: int
    serial: int
    entries: tuple[tuple[int, Address, bytes], ...]


@dataclass(frozen=True)
class Profile:
    """How this vendor writes its frames."""

    version: int = 0x0100
    check: str = "1005"
    length_counts_check: bool = True
    controller: int = 0


def build(message: Message, profile: Profile, *, escaped: bool = True, bare_heartbeat: bool = False) -> bytes:
    """The bytes of one frame."""
    body = profile.version.to_bytes(2, "big") + bytes([message.host]) + message.controller.to_bytes(4, "big")
    body += bytes([message.crossing, message.serial & 0xFF, message.kind])
    if not bare_heartbeat:
        body += bytes([len(message.entries)])
    for index, address, value in message.entries:
        body += bytes([index, 4 + len(value), *address]) + value
    size = len(body) + (2 if profile.length_counts_check else 0)
    covered = size.to_bytes(2, "big") + body
    covered += checksum(covered, *CHECKS[profile.check]).to_bytes(2, "big")
    if escaped:
        covered = b"".join(bytes((ESC, b)) if b in (HEAD, TAIL, ESC) else bytes((b,)) for b in covered)
    return bytes((HEAD,)) + covered + bytes((TAIL,))


class Reader:
    """Takes bytes as they come, gives whole messages; counts what it cannot read."""

    def __init__(self, profile: Profile, *, escaped: bool = True) -> None:
        self._profile, self._escaped = profile, escaped
        self._held = bytearray()
        self._open = self._literal = False
        self.bad = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """Messages that these bytes complete; without escapes each call is one datagram."""
        if not self._escaped:
            message = self._read(data[1:-1]) if data[:1] == bytes([HEAD]) else None
            self.bad += message is None
            if message is not None:
                yield message
            return
        for byte in data:
            if self._literal:
                self._literal = False
                self._keep(byte)
            elif byte == HEAD:
                self._held.clear()
                self._open = True
            elif not self._open:
                continue
            elif byte == ESC:
                self._literal = True
            elif byte == TAIL:
                self._open = False
                message = self._read(bytes(self._held))
                if message is None:
                    self.bad += 1
                else:
                    yield message
            else:
                self._keep(byte)

    def _keep(self, byte: int) -> None:
        if len(self._held) < LONGEST:
            self._held.append(byte)

    def _read(self, raw: bytes) -> Message | None:
        if len(raw) < 14 or checksum(raw[:-2], *CHECKS[self._profile.check]) != int.from_bytes(
            raw[-2:], "big"
        ):
            return None
        if int.from_bytes(raw[:2], "big") not in (len(raw) - 2, len(raw) - 4):  # with its checksum or without
            return None
        entries = []
        at = 13
        for _ in range(raw[12] if len(raw) > 14 else 0):
            size = raw[at + 1] if at + 1 < len(raw) - 2 else 0
            if size < 4 or at + 2 + size > len(raw) - 2:
                return None
            address = (raw[at + 2], raw[at + 3], raw[at + 4], raw[at + 5])
            entries.append((raw[at], address, raw[at + 6 : at + 2 + size]))
            at += 2 + size
        controller = int.from_bytes(raw[5:9], "big")
        return Message(raw[11], raw[4], controller, raw[9], raw[10], tuple(entries))
