"""A scripted GB/T 20999 controller for the driver's tests: a table of values and a few bad manners."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.gbt20999.deframer import Deframer
from drivers.gbt20999.wire import (
    CHECKSUM_BYTES,
    END,
    ESCAPE,
    HEAD,
    START,
    Address,
    Checksum,
    Frame,
    Head,
    Kind,
)

NOT_PRESENT = 0x30


def sent(kind: int, values: list[tuple[Address, bytes]], controller: int = 0, sequence: int = 2) -> bytes:
    """Any frame at all, as a controller (or another master) may send it; escaped for a serial line."""
    rest = b"".join(
        bytes([index % 256, 4 + len(data), *address]) + data
        for index, (address, data) in enumerate(values, 1)
    )
    length = HEAD.size - 2 + CHECKSUM_BYTES + 1 + len(rest)
    body = HEAD.write(Head(length, 0x0100, 9, controller, 0, sequence, kind)) + bytes([len(values)]) + rest
    body += Checksum.X1005.crc.of(body).to_bytes(CHECKSUM_BYTES, "big")
    marked = b"".join(
        bytes([ESCAPE, byte]) if byte in (START, END, ESCAPE) else bytes([byte]) for byte in body
    )
    return bytes([START]) + marked + bytes([END])


def small_crossing() -> dict[Address, bytes]:
    """Two phases of two groups each, two stages, one plan of 60 s: first stage 35 s, second 25 s."""
    values: dict[Address, bytes] = {
        Address(1, 1): b"maker",
        Address(1, 2): b"v1",
        Address(1, 3): b"s/n",
        Address(2, 5): bytes(4),
        Address(3, 1): b"\x04",
        Address(4, 1): b"\x02",
        Address(6, 1): b"\x02",
        Address(13, 2, 2, 1): b"\x21",
        Address(13, 2, 3, 1): b"\x01",
        Address(13, 2, 4, 1): b"\x01",
        Address(13, 1, 10): bytes.fromhex("07ea0b180c1e0f"),
        Address(16, 1): bytes(4),
        Address(9, 2, 2, 1): b"\x01",
        Address(9, 2, 3, 1): (60).to_bytes(4, "big"),
        Address(9, 2, 4, 1): b"\x00",
        Address(9, 2, 5, 1): bytes(2),
        Address(9, 2, 6, 1): bytes(14) + b"\x02\x01",
        Address(9, 2, 7, 1): bytes(28) + (25).to_bytes(2, "big") + (35).to_bytes(2, "big"),
        Address(9, 2, 8, 1): bytes(14) + b"\x20\x10",
    }
    for group in range(1, 5):
        values[Address(3, 2, 1, group)] = bytes([group])
        values[Address(3, 2, 2, group)] = b"\x01"
        values[Address(3, 3, 1, group)] = b"\x20" if group < 3 else b"\x10"
    for row, groups in ((1, 0b0011), (2, 0b1100)):
        values[Address(4, 2, 2, row)] = groups.to_bytes(8, "big")
        for attribute, byte in zip(range(3, 15), bytes.fromhex("200021033003110500000000"), strict=True):
            values[Address(4, 2, attribute, row)] = bytes([byte])
        values[Address(4, 2, 27, row)] = (10).to_bytes(2, "big")
        values[Address(4, 2, 28, row)] = (40).to_bytes(2, "big")
        values[Address(7, 1, 2, row)] = (3 - row).to_bytes(8, "big")
        values[Address(6, 2, 2, row)] = row.to_bytes(8, "big")
        values[Address(6, 3, 2, row)] = b"\x20" if row == 1 else b"\x10"
        values[Address(6, 3, 3, row)] = (5).to_bytes(2, "big")
        values[Address(6, 3, 4, row)] = (30).to_bytes(2, "big")
    return values


@dataclass
class Peer:
    """Answers queries out of `values`. most: more values than this in one query are refused."""

    values: dict[Address, bytes] = field(default_factory=small_crossing)
    controller: int = 0
    most: int = 255
    silent: bool = False
    leaves_out_missing: bool = False
    drops_long: bool = False
    queries: list[tuple[Address, ...]] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deframer = Deframer(Checksum.X1005)

    def hears(self, data: bytes, now_s: float = 0.0) -> bytes:
        """Bytes from the driver in, bytes back out."""
        return b"".join(
            self._answer(frame) for frame in self._deframer.receive(data, now_s) if isinstance(frame, Frame)
        )

    def _answer(self, frame: Frame) -> bytes:
        self.kinds.append(frame.kind)
        asked = tuple(value.address for value in frame.values)
        if frame.kind != Kind.QUERY:
            return b""
        self.queries.append(asked)
        if self.silent or (self.drops_long and len(asked) > self.most):
            return b""
        missing = [address for address in asked if address not in self.values]
        if len(asked) > self.most:
            return sent(Kind.ERROR_REPLY, [(asked[0], b"\x40")], self.controller)
        if missing and not self.leaves_out_missing:
            named = [(address, bytes([NOT_PRESENT])) for address in asked]
            return sent(Kind.ERROR_REPLY, named, self.controller)
        return sent(
            Kind.REPLY,
            [(address, self.values[address]) for address in asked if address in self.values],
            self.controller,
        )
