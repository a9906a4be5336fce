"""Finding TI mmWave frames in a byte stream; lies about lengths cost a counter, never the next frame."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from drivers.ti_mmwave.wire import (
    ALIGNMENT,
    BY_NAME,
    LARGEST_FRAME,
    MAGIC,
    MOST_TLVS,
    TLV_HEAD,
    VARIANTS,
    Tlv,
    Variant,
    cartesian,
    compressed,
    header_good,
    number,
    spherical,
    targets,
)
from rsu_agent.ports.devices import RadarFrame

LARGEST_BUFFER = 2 * LARGEST_FRAME
LOCK_AFTER = 3  # good frames of one variant, then only that one is looked for
COOKED_BYTES = 4096  # so much without a single carriage return: the terminal is not raw

Reader = Callable[[bytes], Iterator[Any]]
# (variant, TLV type) -> (what it gives, size of a row, its head, reader); numbers are relative to the demo.
TLVS: dict[tuple[str, int], tuple[str, int, int, Reader]] = {
    ("sdk", 1): ("points", 16, 0, cartesian),
    ("sdk", 1000): ("points", 16, 0, spherical),
    ("sdk", 1020): ("points", 8, 20, compressed),
    ("sdk", 1010): ("targets", 112, 0, targets),
    ("sdk", 308): ("targets", 112, 0, targets),
    ("area", 1): ("points", 16, 0, spherical),
    ("traffic_monitoring", 6): ("points", 16, 0, spherical),
    ("traffic_monitoring", 7): ("targets", 112, 0, targets),
    ("pc3d_4x", 6): ("points", 8, 20, compressed),
    ("pc3d_4x", 7): ("targets", 112, 0, targets),
}


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One whole frame: its number, its TLVs, when its first byte came."""

    variant: Variant
    number: int
    tlvs: tuple[Tlv, ...]
    first_byte_s: float


class Deframer:
    """Any split of the bytes gives the same frames; after noise the next good frame is found."""

    def __init__(self, baud: int, profile: str = "auto") -> None:
        self._byte_s = 10 / baud
        self._locked = BY_NAME.get(profile)
        self._buffer = bytearray()
        self._stamps: list[tuple[int, float]] = []  # (absolute position, arrival of that byte)
        self._gone = 0
        self._good: Counter[str] = Counter()
        self._uncooked = 0
        self.counters: dict[str, int] = Counter()

    def receive(self, data: bytes, arrived_s: float) -> Iterator[RawFrame]:
        """Frames completed by these bytes."""
        self._watch_cooking(data)
        start_s = arrived_s - len(data) * self._byte_s
        self._stamps.append((self._gone + len(self._buffer), start_s))
        self._buffer += data
        if len(self._buffer) > LARGEST_BUFFER:
            self._drop(len(self._buffer) - LARGEST_BUFFER, "overflow_bytes")
        while True:
            frame = self._next()
            if frame is None:
                return
            yield frame

    def _next(self) -> RawFrame | None:
        while True:
            at = self._buffer.find(MAGIC)
            if at < 0:
                self._drop(max(0, len(self._buffer) - len(MAGIC) + 1), "noise_bytes")
                return None
            if at:
                self._drop(at, "noise_bytes")
            verdict = self._judge()
            if verdict == "wait":
                return None
            if isinstance(verdict, RawFrame):
                return verdict
            self.counters[verdict] += 1
            self._drop(len(MAGIC), "resync_bytes")

    def _judge(self) -> RawFrame | str:
        """The frame at the buffer's start, `wait` for more bytes, or what is wrong with it."""
        reasons = []
        for variant in (self._locked,) if self._locked else VARIANTS:
            verdict = self._as(variant)
            if isinstance(verdict, RawFrame):
                self._keep(variant)
                return verdict
            reasons.append(verdict)
        return "wait" if "wait" in reasons else reasons[-1]

    def _as(self, variant: Variant) -> RawFrame | str:
        buffer = self._buffer
        if len(buffer) < variant.size:
            return "wait"
        head = bytes(buffer[: variant.size])
        total = number(head, variant.total_at)
        count = number(head, variant.tlvs_at, variant.tlvs_bytes)
        if variant.checked and not header_good(head):
            return "bad_checksum"
        if not variant.size <= total <= LARGEST_FRAME or count > MOST_TLVS:
            return "bad_length"
        if variant.padded and total % ALIGNMENT:
            return "bad_length"
        cut = buffer.find(MAGIC, len(MAGIC), total + len(MAGIC) - 1)
        if cut > 0 and len(buffer) < cut + variant.size:
            return "wait"  # a frame may begin there: its header is not whole yet
        if cut > 0 and self._begins_at(cut, variant):
            return "cut_short"
        if len(buffer) < total or _may_begin(bytes(buffer[total - len(MAGIC) : total + len(MAGIC)])):
            return "wait"
        tlvs = _walk(bytes(buffer[variant.size : total]), count, variant)
        if tlvs is None:
            return "cut_short" if cut > 0 else "bad_tlv"
        first_byte_s = self._stamp()
        self._drop(total, "frame_bytes")
        return RawFrame(variant, number(head, variant.number_at), tlvs, first_byte_s)

    def _begins_at(self, at: int, variant: Variant) -> bool:
        """Whether a header of this variant stands there: then the frame before it was cut short."""
        head = bytes(self._buffer[at : at + variant.size])
        total = number(head, variant.total_at)
        few = number(head, variant.tlvs_at, variant.tlvs_bytes) <= MOST_TLVS
        return variant.size <= total <= LARGEST_FRAME and few and (not variant.checked or header_good(head))

    def _keep(self, variant: Variant) -> None:
        self._good[variant.name] += 1
        if self._locked is None and self._good[variant.name] >= LOCK_AFTER:
            self._locked = variant

    def _stamp(self) -> float:
        """When the byte at the buffer's start came."""
        at_s = self._stamps[0][1]
        for position, stamp_s in self._stamps:
            if position > self._gone:
                break
            at_s = stamp_s + (self._gone - position) * self._byte_s
        return at_s

    def _drop(self, count: int, why: str) -> None:
        if count <= 0:
            return
        del self._buffer[:count]
        self._gone += count
        self.counters[why] += count
        while len(self._stamps) > 1 and self._stamps[1][0] <= self._gone:
            self._stamps.pop(0)

    def _watch_cooking(self, data: bytes) -> None:
        self._uncooked = 0 if b"\r" in data else self._uncooked + len(data)
        if self._uncooked >= COOKED_BYTES:
            self.counters["cooked_tty_suspected"] += 1
            self._uncooked = 0


def _may_begin(around: bytes) -> bool:
    """Whether a frame's last bytes may be the next one's first: then its end is not yet certain."""
    inside, after = around[: len(MAGIC)], around[len(MAGIC) :]
    for size in range(1, len(MAGIC)):
        rest = MAGIC[size:]
        if inside.endswith(MAGIC[:size]) and len(after) < len(rest) and rest.startswith(after):
            return True
    return False


def _walk(body: bytes, count: int, variant: Variant) -> tuple[Tlv, ...] | None:
    """The TLVs of a body, None when they do not end where the frame does."""
    tlvs, at = [], 0
    for _ in range(count):
        if at + TLV_HEAD > len(body):
            return None
        kind, length = struct.unpack_from("<II", body, at)
        size = length - TLV_HEAD if variant.own else length
        if size < 0 or at + TLV_HEAD + size > len(body):
            return None
        tlvs.append(Tlv(kind, body[at + TLV_HEAD : at + TLV_HEAD + size]))
        at += TLV_HEAD + size
    rest = len(body) - at
    return tuple(tlvs) if rest < (ALIGNMENT if variant.padded else 1) else None


def read_frame(raw: RawFrame, measured_s: float, missed: int, counters: dict[str, int]) -> RadarFrame:
    """Points and targets of a frame; unknown TLVs and such of a wrong length are counted and passed over."""
    found: dict[str, list[Any]] = {"points": [], "targets": []}
    for tlv in raw.tlvs:
        known = TLVS.get((raw.variant.name, tlv.type))
        if known is None:
            counters["other_tlvs"] = counters.get("other_tlvs", 0) + 1
            continue
        what, row, head, reader = known
        if len(tlv.data) < head or (len(tlv.data) - head) % row:
            counters["bad_tlv_length"] = counters.get("bad_tlv_length", 0) + 1
            continue
        found[what] += reader(tlv.data)
    return RadarFrame(raw.number, measured_s, tuple(found["points"]), tuple(found["targets"]), missed)
