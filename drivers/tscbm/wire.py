"""The 0xCD blob (facts/controllers 5): 16 phase blocks, bitmaps, status, time of day; big-endian."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.wire.rows import U8, U16, Layout

MARK, PHASES = 0xCD, 16
SIZES = {241: 1, 245: 2}  # bytes -> version
UNKNOWN = 0xFFFF  # of a maximum
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Block:
    """Tenths of a second until the next change: vehicles, pedestrians, overlap of one number."""

    phase: U8
    vehicle_least: U16
    vehicle_most: U16
    pedestrian_least: U16
    pedestrian_most: U16
    overlap_least: U16
    overlap_most: U16


@dataclass(frozen=True, slots=True)
class Bitmaps:
    """Bit n - 1 stands for phase, pedestrian or overlap n."""

    reds: U16
    yellows: U16
    greens: U16
    dont_walks: U16
    ped_clears: U16
    walks: U16
    overlap_reds: U16
    overlap_yellows: U16
    overlap_greens: U16
    flashing: U16
    overlap_flashing: U16


BLOCK, BITMAPS = Layout(Block, ">"), Layout(Bitmaps, ">")
HEAD_BYTES = 2
_AT_BITMAPS = HEAD_BYTES + PHASES * BLOCK.size


@dataclass(frozen=True, slots=True)
class Blob:
    """One blob. status: see codes; day_ms: the controller's time of day."""

    version: int
    blocks: tuple[Block, ...]
    bitmaps: Bitmaps
    status: int
    sequence: int
    day_ms: int


def parse(data: bytes) -> Blob | str:
    """A blob, or a word for what is wrong: mark, size, blocks, version or time."""
    if not data or data[0] != MARK:
        return "mark"
    version = SIZES.get(len(data))
    if version is None:
        return "size"
    if data[1] != PHASES:
        return "blocks"
    status, _, change, sequence = data[232:236]
    if change >> 3 not in (0, version):
        return "version"
    day_ms = int.from_bytes(data[236:239], "big") * 1000 + int.from_bytes(data[239:241], "big")
    if day_ms >= DAY_MS + 1000:
        return "time"
    blocks = tuple(BLOCK.read_all(data[HEAD_BYTES:_AT_BITMAPS]))
    return Blob(version, blocks, BITMAPS.read(data, _AT_BITMAPS), status, sequence, day_ms)
