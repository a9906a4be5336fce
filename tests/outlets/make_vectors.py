"""docs/protocol/vectors made anew: `python -m tests.outlets.make_vectors`.

Bytes are made by the product; what they must say is written out here, and both readers are held to it.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import msgpack
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.outlets.live_road import events_body, objects_body
from rsu_agent.ports.command import (
    Answer,
    Chunk,
    Command,
    body_of,
    canonical,
    pack_answer,
    pack_chunk,
    public_text,
    seal,
)
from rsu_agent.ports.envelope import Ack, Envelope, pack_ack, pack_envelope
from tests.outlets.record_makers import ROOT

VECTORS = ROOT / "docs" / "protocol" / "vectors"
SITE, TOPIC = "szps-001", "rsu/1/pingshan/szps-001/up/lo"
EPOCH, UTC_US = 0x1122334455667788, 1_790_000_040_000_000
PRIVATE = bytes(range(32))  # a test key: everybody has it
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(each) for each in (PRIVATE, bytes(32)))
BEAT = {"k": "hb", "t": UTC_US, "up": 12, "ok": 3}
PHASES = [{"k": "phase", "t": UTC_US + n, "g": n % 8 + 1, "c": "red"} for n in range(40)]
PLAIN: dict[str, Any] = {
    "v": 1,
    "s": SITE,
    "e": EPOCH,
    "l": "lo",
    "q": 9,
    "t": UTC_US,
    "c": 0.0008,
    "n": 1,
    "r": [BEAT],
}
Case = dict[str, Any]


def envelopes() -> list[Case]:
    """Good ones and bad ones."""
    return [*_read_envelopes(), *_refused_envelopes()]


def _read_envelopes() -> list[Case]:
    packed = pack_envelope(Envelope(SITE, EPOCH, "lo", 9, UTC_US, (BEAT,), 0.0008))
    many = pack_envelope(Envelope(SITE, EPOCH, "lo", 10, UTC_US, tuple(PHASES)))
    sized = zstandard.ZstdCompressor(level=3, write_content_size=False).compress(msgpack.packb(PLAIN))
    strange = {**BEAT, "k": "tea", "leaves": [1, {"green": True, "℃": 80.5}], "为": None}
    wide = {**PLAIN, "q": (1 << 62) - 1, "new": "ignored", "c": None, "r": [strange]}
    deepest: Any = "no deeper"
    for _ in range(14):
        deepest = [deepest]
    deepest = {"k": "tea", "in": deepest}
    floats = msgpack.packb({**PLAIN, "c": 0.5}, use_single_float=True)
    return [
        _reads("plain: one heartbeat", packed, PLAIN),
        _reads("zstd: forty changes of lamps", many, {**PLAIN, "q": 10, "c": None, "r": PHASES}),
        _reads("zstd without a declared size", sized, PLAIN),
        _reads("unknown kind, unknown key, no clock bound, greatest number", msgpack.packb(wide), wide),
        _reads("a float of 32 bits", floats, {**PLAIN, "c": 0.5}),
        _reads("no record at all", msgpack.packb({**PLAIN, "n": 0, "r": []}), {**PLAIN, "r": []}),
        _reads("a clock bound without a fraction", msgpack.packb(PLAIN | {"c": 2}), PLAIN | {"c": 2}),
        _reads("n counts otherwise", msgpack.packb(PLAIN | {"n": 7}), PLAIN),
        _reads("fifteen deep", msgpack.packb(PLAIN | {"r": [deepest]}), PLAIN | {"r": [deepest]}),
        _reads("keys in another order", msgpack.packb(dict(reversed(PLAIN.items()))), PLAIN),
    ]


def _refused_envelopes() -> list[Case]:
    deep: Any = 1
    for _ in range(15):
        deep = [deep]
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(1 << 20))
    changes: dict[str, dict[str, Any]] = {
        "version 0": {"v": 0},
        "no such lane": {"l": "mid"},
        "number 0": {"q": 0},
        "a number that is a truth value": {"q": True},
        "an epoch beyond 63 bits": {"e": 1 << 63},
        "no site": {"s": ""},
        "a record that is no map": {"r": [5]},
        "a record without a kind": {"r": [{"t": 1}]},
        "binary in a record": {"r": [{"k": "hb", "x": b"\x00"}]},
        "an integer beyond 64 bits signed": {"r": [{"k": "hb", "x": (1 << 64) - 1}]},
        "too deep": {"r": [{"k": "hb", "x": deep}]},
        "too many records": {"r": [{"k": "a"}] * 1001},
    }
    refused = [_refused(name, msgpack.packb(PLAIN | change), "invalid") for name, change in changes.items()]
    short = {key: value for key, value in PLAIN.items() if key != "t"}
    return [
        *refused,
        _refused("no time", msgpack.packb(short), "invalid"),
        _refused("an array", msgpack.packb([1, 2]), "invalid"),
        _refused("no bytes", b"", "unreadable"),
        _refused("cut short", msgpack.packb(PLAIN)[:-3], "unreadable"),
        _refused("something behind it", msgpack.packb(PLAIN) + b"\x00", "unreadable"),
        _refused(
            "something behind the frame", zstandard.compress(msgpack.packb(PLAIN)) + b"\x00", "unreadable"
        ),
        _refused("two frames", zstandard.compress(msgpack.packb(PLAIN)) * 2, "unreadable"),
        _refused("a key that is no text", msgpack.packb(PLAIN | {"r": [{"k": "hb", 5: 1}]}), "unreadable"),
        _refused("zstd cut short", zstandard.compress(msgpack.packb(PLAIN))[:-6], "unreadable"),
        _refused("a frame of zstd that grows to a mebibyte", bomb, "too_big"),
        _refused("of another lane than its topic", msgpack.packb(PLAIN | {"l": "hi"}), "misdirected"),
        _refused("of another site than its topic", msgpack.packb(PLAIN | {"s": "x"}), "misdirected"),
    ]


def _reads(name: str, data: bytes, value: dict[str, Any]) -> Case:
    return {
        "name": name,
        "topic": TOPIC,
        "hex": data.hex(),
        "reads": {key: value[key] for key in "vselqtcr"},
    }


def _refused(name: str, data: bytes, code: str) -> Case:
    return {"name": name, "topic": TOPIC, "hex": data.hex(), "refused": code}


def acknowledgements() -> dict[str, Any]:
    """Bytes, and what an edge does on hearing them."""
    acks = {
        "everything up to 12": Ack(EPOCH, "lo", 12, window=256),
        "ranges above a hole": Ack(EPOCH, "lo", 2, ((5, 6), (9, 9)), window=20),
        "one refused, nothing taken back": Ack(EPOCH, "lo", 0, (), ((4, "invalid"),), 20),
        "of another epoch": Ack(EPOCH + 1, "lo", 99),
        "of the other lane": Ack(EPOCH, "hi", 99),
        "refused, though committed as well": Ack(EPOCH, "lo", 4, (), ((4, "too_big"),), 20),
    }
    effects = {
        "everything up to 12": ([3, 7, 12, 13], [3, 7, 12], {}),
        "ranges above a hole": ([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 5, 6, 9], {}),
        "one refused, nothing taken back": ([3, 4, 5], [], {"4": "invalid"}),
        "of another epoch": ([1, 2], [], {}),
        "of the other lane": ([1, 2], [], {}),
        "refused, though committed as well": ([4, 5], [4], {}),
    }
    cases = []
    for name, ack in acks.items():
        queued, deleted, dead = effects[name]
        left = [q for q in queued if q not in deleted and str(q) not in dead]
        data = pack_ack(ack)
        effect = {"queued": queued, "deleted": deleted, "dead": dead, "left": left}
        cases.append({"name": name, "hex": data.hex(), "reads": msgpack.unpackb(data), **effect})
    bad = {
        "no lane": {"e": 1, "c": 1, "r": [], "x": [], "w": 1},
        "half a range": {"e": 1, "l": "lo", "c": 1, "r": [[5]], "x": [], "w": 1},
        "a negative number": {"e": 1, "l": "lo", "c": -1, "r": [], "x": [], "w": 1},
    }
    refused = [
        {"name": name, "hex": msgpack.packb(value).hex(), "refused": "invalid"} for name, value in bad.items()
    ]
    return {"epoch": EPOCH, "lane": "lo", "cases": [*cases, *refused]}


def commands() -> dict[str, Any]:
    """A test key, an edge's state, and what it does with each command, each heard by a fresh edge."""
    edge = {"site": SITE, "now": UTC_US, "highest": 40, "since": UTC_US - 60_000_000}
    return {
        "private_key_hex": PRIVATE.hex(),
        "district_key": public_text(KEY),
        "edge": edge,
        "cases": [*_signed(), *_strange()],
        "untrusted_clock": {"hex": seal(_command(), KEY).hex(), "code": "no_clock", "answered": True},
        "answers": [
            {"hex": pack_answer(answer).hex(), "reads": msgpack.unpackb(pack_answer(answer))}
            for answer in (
                Answer(41, "done", "ok", UTC_US, {"up_s": 12}),
                Answer(41, "refused", "replay", UTC_US, {"result": "done", "code": "ok"}),
                Answer(42, "accepted", "out_of_order", UTC_US, {"next": 7}),
            )
        ],
        "chunk": {"hex": pack_chunk(Chunk(42, 0, b"{}")).hex(), "offer": 42, "index": 0, "data_hex": "7b7d"},
    }


def _command(**changes: Any) -> Command:
    fields: dict[str, Any] = {"site": SITE, "seq": 41, "not_before_us": UTC_US, "kind": "ping", "args": {}}
    return Command(**(fields | {"expires_us": UTC_US + 60_000_000} | changes))


def _signed() -> list[Case]:
    lease = {"kinds": ["objs", "event"], "hz": 10, "seconds": 600, "frames": False}
    offer = {"name": "map.geojson", "size": 300_000, "sha256": "5f" * 32, "chunk": 65_536}
    said: list[tuple[str, str, str, Command]] = [
        ("ping", "cmd", "ok", _command()),
        ("report, with a gap in the numbers", "cmd", "ok", _command(kind="report", seq=1 << 40)),
        ("lease", "live", "ok", _command(kind="live_lease", args=lease)),
        ("offer of a map", "cfg", "ok", _command(kind="map", args=offer)),
        ("for another site", "cmd", "wrong_site", _command(site="szps-002")),
        ("a number taken before", "cmd", "replay", _command(seq=40)),
        ("over", "cmd", "expired", _command(not_before_us=UTC_US - 50, expires_us=UTC_US)),
        ("not yet", "cmd", "too_early", _command(not_before_us=UTC_US + 1)),
        ("longer than an hour", "cmd", "too_long", _command(expires_us=UTC_US + 3_600_000_001)),
        ("older than the memory", "cmd", "new_memory", _command(not_before_us=UTC_US - 60_000_001)),
        ("a picture", "cmd", "not_allowed", _command(kind="still", args={"camera": "north"})),
        ("nobody knows it", "cmd", "unknown_kind", _command(kind="reboot")),
        ("a map over the topic of pings", "cmd", "wrong_topic", _command(kind="map", args=offer)),
    ]
    return [_case(name, where, seal(command, KEY), code, True) for name, where, code, command in said]


def _strange() -> list[Case]:
    body = body_of(_command())

    def signed(some: bytes) -> bytes:
        return bytes(msgpack.packb({"v": 1, "b": some, "g": KEY.sign(b"rsu/1/command\0" + some)}))

    backwards = msgpack.packb(dict(reversed(msgpack.unpackb(body).items())))
    longer = body.replace(b"\xa3seq\x29", b"\xa3seq\xcc\x29")
    more = canonical({**msgpack.unpackb(body), "more": 1})
    floats = body.replace(b"\xa3seq\x29", b"\xa3seq\xcb" + struct.pack(">d", 41.0))
    spoilt = bytearray(seal(_command(), KEY))
    spoilt[-1] ^= 1
    bare = msgpack.packb({"v": 1, "b": body, "g": KEY.sign(body)})
    version = msgpack.packb({"v": 2, "b": body, "g": bytes(64)})
    return [
        _case("another key", "cmd", seal(_command(), OTHER), "bad_signature", False),
        _case("one bit of the signature", "cmd", bytes(spoilt), "bad_signature", False),
        _case("signed without the words before it", "cmd", bare, "bad_signature", False),
        _case("keys in another order", "cmd", signed(backwards), "malformed", False),
        _case("a number in a longer form", "cmd", signed(longer), "malformed", False),
        _case("a number as a float", "cmd", signed(floats), "malformed", False),
        _case("one key more", "cmd", signed(more), "malformed", False),
        _case("another version", "cmd", version, "version", False),
        _case("no map", "cmd", b"\x93\x01\x02\x03", "malformed", False),
        _case("too long", "cmd", bytes(16_385), "oversized", False),
    ]


def _case(name: str, where: str, data: bytes, code: str, answered: bool) -> Case:
    topic = f"rsu/1/pingshan/{SITE}/dn/{where}"
    return {"name": name, "topic": topic, "hex": data.hex(), "code": code, "answered": answered}


def live() -> list[Case]:
    """One message of each stream."""
    place = {"offsetLL": ("position-LL1", {"lon": 292, "lat": 1806})}
    car = {"ptcType": "motor", "ptcId": 1, "source": "video", "secMark": 60_000 - 100, "pos": place}
    car |= {"speed": 400, "heading": 14_480, "size": {"width": 180, "length": 450}}
    rsu = {"ptcType": "rsu", "secMark": 59_900}
    reference = {"lat": 227_000_000, "long": 1_143_000_000}
    vehicle = {**car, "vehicleClass": {"classification": 10}}
    objects = objects_body([{"refPos": reference, "participants": [rsu, vehicle]}], UTC_US, 1_500_000)
    event = {"rteId": 3, "eventType": 904, "eventPos": place, "eventRadius": 50}
    events = events_body([("RSI", {"refPos": reference, "rtes": [event]})], UTC_US)
    phase = {"p": 1, "l": 6, "c": "green", "e": UTC_US + 9_000_000, "lo": None, "hi": None}
    spat = {"k": "spat", "t": UTC_US, "u": UTC_US + 1_500_000, "node": 12, "rg": 0, "st": 32, "ph": [phase]}
    cases = []
    for stream, body in (("spat", spat), ("objs", objects), ("event", events)):
        assert body is not None
        body |= {"q": 1, "m": "csae53-2020"}
        topic = f"rsu/1/pingshan/{SITE}/live/{stream}"
        cases.append({"topic": topic, "hex": msgpack.packb(body).hex(), "reads": body})
    return cases


def files() -> dict[Path, Any]:
    """Every file of vectors."""
    return {
        VECTORS / "envelopes.json": envelopes(),
        VECTORS / "acknowledgements.json": acknowledgements(),
        VECTORS / "commands.json": commands(),
        VECTORS / "live.json": live(),
    }


if __name__ == "__main__":
    VECTORS.mkdir(parents=True, exist_ok=True)
    for path, value in files().items():
        path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
