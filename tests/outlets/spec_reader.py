"""The uplink protocol read from docs/protocol alone: nothing of the product is imported here.

Written to find out whether the pages say enough. msgpack, zstandard and an Ed25519 are all it uses.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

import msgpack
import zstandard
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

BOUND = 262_144
ZSTD = bytes.fromhex("28b52ffd")
I63 = 2**63


class Refused(Exception):
    """With the code of the pages."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def the_map(data: bytes, bound: int = BOUND) -> dict[str, Any]:
    """README 4: plain or zstd, bounded on both sides."""
    if len(data) > bound:
        raise Refused("too_big")
    try:
        if data[:4] == ZSTD:
            if zstandard.frame_content_size(data) > bound:
                raise Refused("too_big")
            reader = zstandard.ZstdDecompressor(max_window_size=2**20).decompressobj()
            data = reader.decompress(data)
            if not reader.eof or reader.unused_data:
                raise Refused("unreadable")
        if len(data) > bound:
            raise Refused("too_big")
        value = msgpack.unpackb(data)
    except (zstandard.ZstdError, ValueError, msgpack.UnpackException):
        raise Refused("unreadable") from None
    if not isinstance(value, dict):
        raise Refused("invalid")
    return value


def whole(value: Any, low: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < I63


def holds_only_plain(value: Any, depth: int = 16) -> bool:
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        names = all(isinstance(key, str) for key in value) if isinstance(value, dict) else True
        return depth > 0 and names and all(holds_only_plain(each, depth - 1) for each in inner)
    if isinstance(value, int) and not isinstance(value, bool):
        return -I63 <= value < I63
    return value is None or isinstance(value, (bool, str, float))


def envelope(data: bytes, topic: str) -> dict[str, Any]:
    """README 4: what an envelope says. Raises Refused."""
    value = the_map(data)
    good = (
        all(whole(value.get(key)) for key in ("e", "t"))
        and all(whole(value.get(key), 1) for key in ("v", "q"))
        and isinstance(value.get("s"), str)
        and 1 <= len(value["s"]) <= 64
        and value.get("l") in ("hi", "lo")
        and (value.get("c") is None or isinstance(value["c"], (int, float)))
        and isinstance(value.get("r"), list)
        and len(value["r"]) <= 1000
    )
    if not good or not all(isinstance(record, dict) for record in value["r"]):
        raise Refused("invalid")
    if not all(isinstance(record.get("k"), str) and holds_only_plain(record, 15) for record in value["r"]):
        raise Refused("invalid")
    _, _, _, site, _, lane = topic.split("/")
    if (value["s"], value["l"]) != (site, lane):
        raise Refused("misdirected")
    return {key: value[key] for key in "vselqtcr"}


def acknowledgement(data: bytes) -> dict[str, Any]:
    """acknowledgement.md."""
    value = the_map(data)
    ranges, refused = value.get("r"), value.get("x")
    good = whole(value.get("e")) and value.get("l") in ("hi", "lo") and whole(value.get("c"))
    good = good and whole(value.get("w")) and isinstance(ranges, list) and isinstance(refused, list)
    if not good or not all(isinstance(pair, list) and len(pair) == 2 for pair in [*ranges, *refused]):
        raise Refused("invalid")
    return value


@dataclass
class Lane:
    """The edge's duties of acknowledgement.md for one lane."""

    epoch: int
    lane: str
    queued: set[int]
    dead: dict[int, str] = field(default_factory=dict)

    def hear(self, ack: dict[str, Any]) -> None:
        if (ack["e"], ack["l"]) != (self.epoch, self.lane):
            return
        committed = {
            q for q in self.queued if q <= ack["c"] or any(first <= q <= last for first, last in ack["r"])
        }
        self.queued -= committed
        for number, code in ack["x"]:
            if number in self.queued:
                self.queued.discard(number)
                self.dead[number] = code


def packed(value: Any, depth: int = 6) -> bytes:
    """commands.md, canonical form: written out by hand, byte for byte."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, str):
        data = value.encode()
        return sized(len(data), 0xA0, 31, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return sized(len(value), None, -1, (0xC4, 0xC5, 0xC6)) + value
    if depth < 1:
        raise Refused("malformed")
    if isinstance(value, list):
        items = b"".join(packed(item, depth - 1) for item in value)
        return sized(len(value), 0x90, 15, (None, 0xDC, 0xDD)) + items
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode())
        items = b"".join(packed(key) + packed(value[key], depth - 1) for key in keys)
        return sized(len(value), 0x80, 15, (None, 0xDE, 0xDF)) + items
    raise Refused("malformed")


def integer(value: int) -> bytes:
    if 0 <= value < 128 or -32 <= value < 0:
        return bytes([value & 0xFF])
    first, signed = (0xCC, False) if value > 0 else (0xD0, True)
    for step, size in enumerate((1, 2, 4, 8)):
        try:
            return bytes([first + step]) + value.to_bytes(size, "big", signed=signed)
        except OverflowError:
            continue
    raise Refused("malformed")


def sized(count: int, fix: int | None, most: int, codes: tuple[int | None, ...]) -> bytes:
    if fix is not None and count <= most:
        return bytes([fix | count])
    for code, size in zip(codes, (1, 2, 4), strict=True):
        if code is not None and count < 256**size:
            return bytes([code]) + count.to_bytes(size, "big")
    raise Refused("malformed")


@dataclass
class Edge:
    """The judgement of commands.md, in its order, of commands that come slowly."""

    site: str
    key: str
    highest: int
    since_us: int

    def judge(self, data: bytes, topic: str, now_us: int | None) -> tuple[str, bool]:
        """(code, whether it is answered); `ok` where it is taken."""
        try:
            value = self._opened(data)
        except Refused as refused:
            return refused.code, False
        if value["site"] != self.site:
            return "wrong_site", True
        if now_us is None:
            return "no_clock", True
        if value["seq"] <= self.highest:
            return "replay", True
        if now_us >= value["expires"]:
            return "expired", True
        if now_us < value["not_before"]:
            return "too_early", True
        if value["expires"] - value["not_before"] > 3_600_000_000:
            return "too_long", True
        if value["not_before"] < self.since_us:
            return "new_memory", True
        self.highest = value["seq"]
        topics = {"ping": "cmd", "report": "cmd", "live_lease": "live", "map": "cfg", "model": "cfg"}
        if value["kind"] == "still":
            return "not_allowed", True
        if value["kind"] not in topics:
            return "unknown_kind", True
        return ("ok" if topic.endswith(f"/dn/{topics[value['kind']]}") else "wrong_topic"), True

    def _opened(self, data: bytes) -> dict[str, Any]:
        if len(data) > 16_384:
            raise Refused("oversized")
        sealed = command_map(data)
        if sealed.get("v") != 1:
            raise Refused("version")
        body, signature = sealed.get("b"), sealed.get("g")
        if not isinstance(body, bytes) or not isinstance(signature, bytes) or len(signature) != 64:
            raise Refused("malformed")
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.key))
        try:
            key.verify(signature, b"rsu/1/command\0" + body)
        except InvalidSignature:
            raise Refused("bad_signature") from None
        value = command_map(body)
        numbers = [value.get("seq"), value.get("not_before"), value.get("expires")]
        texts = [value.get("site"), value.get("kind")]
        if set(value) != {"site", "seq", "not_before", "expires", "kind", "args"}:
            raise Refused("malformed")
        if (
            not all(whole(each) for each in numbers)
            or value["seq"] < 1
            or not isinstance(value["args"], dict)
        ):
            raise Refused("malformed")
        if not all(isinstance(each, str) for each in texts) or packed(value) != body:
            raise Refused("malformed")
        return value


def command_map(data: bytes) -> dict[str, Any]:
    try:
        value = msgpack.unpackb(data)
    except (ValueError, msgpack.UnpackException):
        raise Refused("malformed") from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Refused("malformed")
    return value
