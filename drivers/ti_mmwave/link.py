"""Finding TI mmWave frames in a byte stream; lies about lengths cost a counter, never the next frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.ti_mmwave.tlvs import known
from drivers.ti_mmwave.wire import (
    BY_NAME,
    LARGEST_FRAME,
    MAGIC,
    VARIANTS,
    Header,
    Tlv,
    Variant,
    read_header,
    walk,
)
from rsu_agent.wire.byte_times import ByteTimes

LARGEST_BUFFER = 2 * LARGEST_FRAME
LOCK_AFTER = 3  # good frames of one variant on end, then only that one is looked for
MOST_INNER = 8  # begins of a frame inside another: by chance there is none
STALL_S = 1.0  # a frame is written in one go: bits that take this much longer than they need do not come
END_S = 0.01  # inside a magic no line pauses for so long
COOKED_BYTES = 4096  # so much without a single carriage return ...
COOKED_FEEDS = 12  # ... but with so many line feeds, by chance as common: the terminal is not raw
PLATFORM_FEED = b"\n\0"  # every header's platform number (0xA6843) ends so: these tell nothing
# Lies, from what shows first to what shows last. Of several readings of one header the last is told.
LIES = (
    "bad_checksum",
    "total_too_small",
    "total_too_large",
    "total_unaligned",
    "too_many_tlvs",
    "cut_short",
    "tlv_too_small",
    "tlv_beyond_total",
    "tlvs_end_early",
)


@dataclass(frozen=True, slots=True)
class RawFrame:
    """One whole frame: its header, its TLVs, when its first byte came."""

    variant: Variant
    header: Header
    tlvs: tuple[Tlv, ...]
    first_byte_s: float

    @property
    def number(self) -> int:
        """The radar's own frame number."""
        return self.header.number


class Deframer:
    """Any split of the bytes gives the same frames; after noise the next good frame is found."""

    def __init__(self, baud: int, profile: str = "auto") -> None:
        self._byte_s = 10 / baud
        self._looked_for = (BY_NAME[profile],) if profile in BY_NAME else VARIANTS
        self._buffer = bytearray()
        self._times = ByteTimes(self._byte_s)
        self._gone = 0  # bytes before the buffer's start
        self._inner: list[int] = []  # magics inside the claimed span of the frame at the buffer's start
        self._searched = len(MAGIC)  # up to here
        self._run: tuple[str, int] = ("", 0)  # the variant of the last good frames, how many on end
        self._uncooked = self._feeds = 0
        self._now_s = 0.0
        self._paused = False
        self.open_end = False  # a whole frame is there whose last bytes may be the first of another's magic
        self.counters: Counter[str] = Counter()

    @property
    def variant(self) -> str | None:
        """The variant that is settled, by the site file or by what came."""
        return self._looked_for[0].name if len(self._looked_for) == 1 else None

    def receive(self, data: bytes, arrived_s: float) -> Iterator[RawFrame]:
        """Frames completed by these bytes."""
        self._watch_cooking(data)
        self._now_s = arrived_s
        self._times.add(len(data), arrived_s)
        self._buffer += data
        if len(self._buffer) > LARGEST_BUFFER:
            self._drop(len(self._buffer) - LARGEST_BUFFER, "overflow_bytes")
        yield from self._frames()

    def pause(self) -> Iterator[RawFrame]:
        """Nothing has followed for END_S: an end that was left open is one."""
        self._paused = True
        try:
            yield from self._frames()
        finally:
            self._paused = False

    def _frames(self) -> Iterator[RawFrame]:
        while self._seek():
            verdict = self._judge()
            if verdict is None:
                return
            if isinstance(verdict, RawFrame):
                self._drop(verdict.header.total, "frame_bytes")
                self.counters["frames"] += 1
                yield verdict
            else:
                self.counters["garbled"] += 1
                self.counters[verdict] += 1
                self._drop(len(MAGIC), "resync_bytes")

    def _seek(self) -> bool:
        """Whether the buffer begins with the magic, once what stands before it is thrown away."""
        at = self._buffer.find(MAGIC)
        self._drop(at if at >= 0 else max(0, len(self._buffer) - len(MAGIC) + 1), "noise_bytes")
        return at >= 0

    def _judge(self) -> RawFrame | str | None:
        """The frame at the buffer's start, what is wrong with it, or None: more bytes must tell."""
        self._search_inside()
        self.open_end = False
        found: list[RawFrame] = []
        lies: list[str] = []
        awaited = 0
        for variant in self._looked_for:
            verdict = self._as(variant)
            if isinstance(verdict, RawFrame):
                found.append(verdict)
            elif isinstance(verdict, int):
                awaited = max(awaited, verdict)
            else:
                lies.append(verdict)
        if found:
            return self._likeliest(found)
        if awaited:
            late_s = self._now_s - self._times.left_s(self._gone) - awaited * self._byte_s
            return "stalled" if late_s > STALL_S else None
        return max(lies, key=LIES.index)

    def _as(self, variant: Variant) -> RawFrame | str | int:
        """The buffer's start as a frame of this variant, a lie, or how many bytes must be there to tell."""
        buffer = self._buffer
        if len(buffer) < variant.size:
            return variant.size
        header = read_header(variant, bytes(buffer[: variant.size]))
        if isinstance(header, str):
            return header
        for place, at in enumerate(at for at in self._inner if at < header.total):
            begins = self._begins_at(at)
            if begins or place == MOST_INNER:
                return "cut_short"
            if begins is None:
                return header.total
        if len(buffer) < header.total:
            return header.total
        if not self._paused and self._end_may_begin_another(header.total):
            self.open_end = True
            return header.total
        tlvs = walk(bytes(buffer[variant.size : header.total]), header.tlvs, variant)
        if isinstance(tlvs, str):
            return tlvs
        return RawFrame(variant, header, tlvs, self._times.left_s(self._gone))

    def _search_inside(self) -> None:
        """Note the magics behind the one at the start; each byte is searched once."""
        while len(self._inner) <= MOST_INNER:
            at = self._buffer.find(MAGIC, self._searched)
            if at < 0:
                self._searched = max(self._searched, len(self._buffer) - len(MAGIC) + 1)
                return
            self._inner.append(at)
            self._searched = at + 1

    def _begins_at(self, at: int) -> bool | None:
        """Whether a believable header stands there, which means that the frame before it was cut short."""
        waits = False
        for variant in self._looked_for:
            head = bytes(self._buffer[at : at + variant.size])
            if len(head) < variant.size:
                waits = True
            elif isinstance(read_header(variant, head), Header):
                return True
        return None if waits else False

    def _end_may_begin_another(self, total: int) -> bool:
        """Whether a frame's last bytes may be the next one's first: then its end is not yet certain."""
        after = bytes(self._buffer[total : total + len(MAGIC)])
        for size in range(1, len(MAGIC)):
            rest = MAGIC[size:]
            open_ended = len(after) < len(rest) and rest.startswith(after)
            if open_ended and self._buffer[total - size : total] == MAGIC[:size]:
                return True
        return False

    def _likeliest(self, found: list[RawFrame]) -> RawFrame:
        """Small frames may be read by two headers: the one with more parts of its demo is meant."""
        scores = [sum(known(frame.variant.name, tlv) for tlv in frame.tlvs) for frame in found]
        best = max(scores)
        chosen = found[scores.index(best)]
        if scores.count(best) == 1:
            self._lock(chosen.variant)
        return chosen

    def _lock(self, variant: Variant) -> None:
        name, times = self._run
        self._run = (variant.name, times + 1 if name == variant.name else 1)
        if self._run[1] >= LOCK_AFTER:
            self._looked_for = (variant,)

    def _drop(self, count: int, why: str) -> None:
        if count <= 0:
            return
        del self._buffer[:count]
        self._gone += count
        self.counters[why] += count
        self._inner = [at - count for at in self._inner if at - count >= len(MAGIC)]
        self._searched = max(len(MAGIC), self._searched - count)
        self._times.forget(self._gone)

    def _watch_cooking(self, data: bytes) -> None:
        """A terminal that turns carriage returns into line feeds spoils numbers and lengths."""
        if b"\r" in data:
            self._uncooked = self._feeds = 0
            return
        self._uncooked += len(data)
        self._feeds += data.count(b"\n") - data.count(PLATFORM_FEED)
        if self._uncooked >= COOKED_BYTES and self._feeds >= COOKED_FEEDS:
            self.counters["cooked_tty_suspected"] += 1
            self._uncooked = self._feeds = 0
