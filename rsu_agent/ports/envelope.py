"""The uplink's envelope and acknowledgement: msgpack maps with short keys, zstd when it helps.

Keys: v schema, s site, e epoch, l lane, q seq, t UTC microseconds, c clock bound in s, n count, r records.
Correctness needs no feature of MQTT 5: compression is recognised by zstd's own magic.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import msgpack
import zstandard

SCHEMA = 1
MAGIC = b"\x28\xb5\x2f\xfd"
LEVEL = 3
WINDOW_BYTES = 1 << 20  # that a compressed envelope may refer back over
LARGEST = 256 << 10  # bytes of an envelope, before and after compression
LANES = ("hi", "lo")
MOST_RECORDS = 1000
DEEPEST = 16  # lists within lists of a record
MOST_RANGES = 64
PLAIN = frozenset({type(None), bool, str, float})


class _Zstd(threading.local):
    """One of each a thread: they may not be shared, and making one costs more than using it."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES).decompress


_zstd = _Zstd()


class BadEnvelope(ValueError):
    """Bytes that are no envelope or acknowledgement; `code` is what the receiver answers with."""

    def __init__(self, code: str, detail: str = "", identity: tuple[int, str, int] | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.identity = identity  # (epoch, lane, seq) where they could be read


@dataclass(frozen=True, slots=True)
class Envelope:
    """Identity (site, epoch, lane, seq) and what it carries."""

    site: str
    epoch: int
    lane: str
    seq: int
    utc_us: int
    records: tuple[dict[str, Any], ...]
    clock_bound_s: float | None = None
    version: int = SCHEMA


@dataclass(frozen=True, slots=True)
class Ack:
    """What the receiver has committed of a lane: all up to `contiguous`, and the ranges above."""

    epoch: int
    lane: str
    contiguous: int
    ranges: tuple[tuple[int, int], ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()
    window: int = 20


def pack_envelope(envelope: Envelope) -> bytes:
    """The bytes to publish."""
    body = msgpack.packb(
        {
            "v": envelope.version,
            "s": envelope.site,
            "e": envelope.epoch,
            "l": envelope.lane,
            "q": envelope.seq,
            "t": envelope.utc_us,
            "c": envelope.clock_bound_s,
            "n": len(envelope.records),
            "r": list(envelope.records),
        }
    )
    return squeezed(body)


def squeezed(body: bytes) -> bytes:
    """A packed envelope with zstd where that makes it smaller."""
    small = _zstd.compress(body)
    return small if len(small) < len(body) else bytes(body)


def unpack_envelope(data: bytes) -> Envelope:
    """The reverse. Raises BadEnvelope; never more than LARGEST bytes are made of hostile input."""
    return envelope_of(unpack_map(data))


def envelope_of(value: dict[str, Any]) -> Envelope:
    """The envelope of a map that was unpacked already. Raises BadEnvelope."""
    identity = envelope_identity(value)
    try:
        records = tuple(value["r"])
        envelope = Envelope(
            site=_text(value["s"]),
            epoch=_whole(value["e"]),
            lane=_text(value["l"]),
            seq=_whole(value["q"]),
            utc_us=_whole(value["t"]),
            records=records,
            clock_bound_s=None if value.get("c") is None else float(value["c"]),
            version=_whole(value["v"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadEnvelope("invalid", str(error), identity) from None
    if identity is None or len(records) > MOST_RECORDS or envelope.version < 1:
        raise BadEnvelope("invalid", "lane, seq, count or version", identity)
    if not all(isinstance(record, dict) and isinstance(record.get("k"), str) for record in records):
        raise BadEnvelope("invalid", "a record without a kind", identity)
    if not _is_plain(list(records)):
        raise BadEnvelope("invalid", "a record that JSON or SQLite cannot hold", identity)
    return envelope


def _is_plain(value: Any, depth: int = DEEPEST) -> bool:
    """Whether JSON and SQLite can hold it: no bytes, no great number, nothing too deep."""
    kind = type(value)  # msgpack gives these types and no others; every record of a district passes here
    if kind in PLAIN:
        return True
    if kind is int:
        return bool(-(1 << 63) <= value < 1 << 63)
    if depth <= 0 or kind not in (list, dict):
        return False
    if kind is dict:
        for key in value:
            if type(key) is not str:
                return False
        value = value.values()
    for item in value:  # noqa: SIM110 (a third faster than all())
        if type(item) not in PLAIN and not _is_plain(item, depth - 1):
            return False
    return True


def envelope_identity(value: dict[str, Any]) -> tuple[int, str, int] | None:
    """(epoch, lane, seq) of such a map, where they are good."""
    epoch, lane, seq = value.get("e"), value.get("l"), value.get("q")
    if (
        lane in LANES
        and isinstance(epoch, int)
        and isinstance(seq, int)
        and 0 <= epoch < 1 << 63
        and 0 < seq < 1 << 63
    ):
        return epoch, lane, seq
    return None


def pack_ack(ack: Ack) -> bytes:
    """An acknowledgement's bytes."""
    return bytes(
        msgpack.packb(
            {
                "e": ack.epoch,
                "l": ack.lane,
                "c": ack.contiguous,
                "r": [list(pair) for pair in ack.ranges[:MOST_RANGES]],
                "x": [list(pair) for pair in ack.rejected],
                "w": ack.window,
            }
        )
    )


def unpack_ack(data: bytes) -> Ack:
    """The reverse. Raises BadEnvelope."""
    value = unpack_map(data)
    try:
        return Ack(
            epoch=_whole(value["e"]),
            lane=_text(value["l"]),
            contiguous=_whole(value["c"]),
            ranges=tuple((_whole(a), _whole(b)) for a, b in value.get("r", [])),
            rejected=tuple((_whole(q), _text(code)) for q, code in value.get("x", [])),
            window=_whole(value.get("w", 20)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadEnvelope("invalid", str(error)) from None


def unpack_map(data: bytes) -> dict[str, Any]:
    """The map that the bytes hold, of any version. Raises BadEnvelope; at most LARGEST bytes are made."""
    if len(data) > LARGEST:
        raise BadEnvelope("too_big", f"{len(data)} bytes")
    try:
        # where the frame tells its size, the library makes that many bytes and minds no limit
        told = zstandard.frame_content_size(data) if data[:4] == MAGIC else 0
    except zstandard.ZstdError as error:
        raise BadEnvelope("unreadable", str(error)) from None
    if told > LARGEST:
        raise BadEnvelope("too_big", f"{told} bytes once unpacked")
    try:
        if data[:4] == MAGIC:
            data = _zstd.decompress(data, max_output_size=LARGEST, allow_extra_data=False)
        value = msgpack.unpackb(data, strict_map_key=True)
    except (zstandard.ZstdError, ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadEnvelope("unreadable", str(error)) from None
    if not isinstance(value, dict):
        raise BadEnvelope("invalid", "no map")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:  # SQLite's
        raise ValueError(f"{value!r} is no number")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise ValueError(f"{value!r} is no name")
    return value
