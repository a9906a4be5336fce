"""Sealing: packed records become an envelope's bytes once, in the transaction that gives the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from rsu_agent.outlets.outbox_shelves import Shelf, shelf_of
from rsu_agent.ports.envelope import MAGIC, SCHEMA, Envelope, pack_envelope, squeezed, unpack_envelope

MOST_RECORDS = 64  # in one envelope of the low lane
MOST_BYTES = 64 << 10  # of packed records in one envelope, unless a single record is larger
WORTH_BYTES = 160  # zstd makes nothing of ours smaller below this


@dataclass(frozen=True, slots=True)
class Row:
    """Packed records that share a number, before they have it."""

    shelf: Shelf
    kind: str  # one, or several joined by +
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sealer:
    """What every envelope of a lane's file begins with. Without a site rows are sealed when they are read."""

    site: str | None
    epoch: int
    lane: str

    def seal(self, seq: int, utc_us: int, row: Row, clock_s: float | None = None) -> bytes:
        """An envelope's bytes, or the bare list of records. clock_s: bound of our clock's error, if known."""
        packer = msgpack.Packer()
        records = packer.pack_array_header(len(row.bodies)) + b"".join(row.bodies)
        if self.site is None:
            return bytes(records)
        head = packer.pack_map_header(9)
        for key, value in (
            ("v", SCHEMA),
            ("s", self.site),
            ("e", self.epoch),
            ("l", self.lane),
            ("q", seq),
            ("t", utc_us),
            ("c", clock_s),
            ("n", len(row.bodies)),
        ):
            head += packer.pack(key) + packer.pack(value)
        body = head + packer.pack("r") + records
        if len(body) < WORTH_BYTES:
            return bytes(body)
        return squeezed(body)


def is_bare(stored: bytes) -> bool:
    """Whether a stored body is a list of records and no envelope yet."""
    return stored[:4] != MAGIC and stored[0] & 0xF0 != 0x80


def records_of(stored: bytes) -> list[dict[str, Any]]:
    """The records of a stored body, sealed or not."""
    if is_bare(stored):
        return list(msgpack.unpackb(stored, strict_map_key=False))
    return list(unpack_envelope(stored).records)


def sealed_late(stored: bytes, site: str, epoch: int, lane: str, seq: int, utc_us: int) -> bytes:
    """A stored body as it is sent: what is no envelope of this site yet becomes one."""
    if not is_bare(stored):
        return stored
    return pack_envelope(Envelope(site, epoch, lane, seq, utc_us, tuple(records_of(stored))))


def grouped(records: Sequence[tuple[str, bytes]], *, alone: bool) -> list[Row]:
    """(kind, packed) records as rows: each alone, or those of a shelf together within the limits."""
    if alone:
        return [Row(shelf_of(kind), kind, (body,)) for kind, body in records]
    rows: list[Row] = []
    for shelf in Shelf:
        mine = [(kind, body) for kind, body in records if shelf_of(kind) is shelf]
        start, size = 0, 0
        for at, (_, body) in enumerate(mine):
            if at > start and (at - start == MOST_RECORDS or size + len(body) > MOST_BYTES):
                rows.append(_together(shelf, mine[start:at]))
                start, size = at, 0
            size += len(body)
        if mine:
            rows.append(_together(shelf, mine[start:]))
    return rows


def _together(shelf: Shelf, records: Sequence[tuple[str, bytes]]) -> Row:
    return Row(shelf, "+".join(sorted({kind for kind, _ in records})), tuple(body for _, body in records))
