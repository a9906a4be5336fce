"""Examples of what each reader is for, and inputs built so that checksums and lengths hold."""

from __future__ import annotations

import random
import struct
from typing import Any

import msgpack
import zstandard

from drivers.gbt20999.wire import (
    CHECKSUM_BYTES,
    END,
    ESCAPE,
    HEAD,
    START,
    Address,
    Checksum,
    Dialect,
    Head,
    Identity,
    query,
)
from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.spat import unavailable_value
from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.messages.dsrc.spat import unavailable_value as dsrc_unavailable
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.j2735 import frame
from rsu_agent.ports.envelope import Ack, Envelope, pack_ack, pack_envelope
from rsu_agent.ports.nouns import pack, version
from rsu_agent.wire import geonet
from rsu_agent.world.health import DeviceHealth, DeviceState, TimeQuality
from rsu_agent.world.signal import Colour, Lamp, SignalReport
from tests.fuzz.inputs import any_input
from tests.messages.differential import value_of

MAGIC = bytes.fromhex("0201040306050807")
KINDS = (0x10, 0x20, 0x20, 0x20, 0x21, 0x30, 0x60, 0x70, 0x80, 0x99)


def gbt20999(dice: random.Random) -> bytes:
    """A frame whose length and checksum hold, of random values, escaped; its neighbours may be rubbish."""
    if dice.random() < 0.4:
        return any_input(dice, [query(Identity(), 1, [Address(3, 3, 1, 1)], Dialect()), b"~\\~}"])
    values = b""
    count = dice.randrange(6)
    for index in range(count):
        address = dice.choice(((3, 3, 1), (6, 3, 2), (13, 2, 3), (4, 2, 2), (9, 2, 7), (16, 1, 0)))
        data = dice.randbytes(dice.choice((0, 1, 2, 4, 8, 32, 70)))
        values += bytes([index + 1, 4 + len(data), *address, dice.randrange(256)]) + data
    if dice.random() < 0.2:
        values = any_input(dice, [values])[:900]
    rest = b"" if dice.random() < 0.1 else bytes([count]) + values
    length = HEAD.size - 2 + CHECKSUM_BYTES + len(rest)
    body = HEAD.write(Head(length, 0x0100, 9, 0, 0, dice.randrange(256), dice.choice(KINDS))) + rest
    body += Checksum.X1005.crc.of(body).to_bytes(CHECKSUM_BYTES, "big")
    marked = b"".join(bytes([ESCAPE, b]) if b in (START, END, ESCAPE) else bytes([b]) for b in body)
    return bytes([START]) + marked + bytes([END])


def ti_mmwave(dice: random.Random) -> bytes:
    """A frame of any of the four headers, its checksum right, its lengths mostly."""
    body = b"".join(_tlv(dice) for _ in range(dice.randrange(5)))
    count = len(body) and dice.choice((1, 2, 3, 4))
    number, (size, layout, total_at, tlvs_at) = dice.randrange(1 << 32), dice.choice(HEADERS)
    padding = -(size + len(body)) % 32 if dice.random() < 0.8 else dice.randrange(40)
    head = bytearray(MAGIC + dice.randbytes(size - len(MAGIC)))
    total = size + len(body) + padding if dice.random() < 0.9 else dice.randrange(1 << 17)
    struct.pack_into("<I", head, total_at, total)
    struct.pack_into("<I", head, 24 if size == 52 else 20, number)
    struct.pack_into(layout, head, tlvs_at, count)
    if size in (48, 52):
        struct.pack_into("<H", head, size - 2, 0)
        words = sum(struct.unpack(f"<{size // 2}H", head))
        struct.pack_into("<H", head, size - 2, ~((words >> 16) + (words & 0xFFFF)) & 0xFFFF)
    frame = bytes(head) + body + bytes(padding)
    return frame if dice.random() < 0.7 else any_input(dice, [frame, MAGIC])


def _tlv(dice: random.Random) -> bytes:
    data = dice.randbytes(dice.choice((0, 1, 2, 4, 8, 16, 32, 28, 30, 36, 112, 224, 300)))
    own = dice.choice((0, 8))
    return struct.pack("<II", dice.choice(TI_TYPES), len(data) + own) + data


TI_TYPES = (1, 1, 6, 6, 7, 7, 8, 9, 10, 11, 301, 308, 309, 1000, 1010, 1011, 1012, 1020, 99)
TI_ANSWERS = [
    b"channelCfg 15 7 0\n\rDone\n\r\n\rmmwDemo:/>",
    b"Ignored: Sensor is already stopped\r\nDone\r\n",
    b"Error: Invalid usage\n\rError -1\n\rmmwDemo:/>",
    b"'lowPower' is not recognized as a CLI command\n\rmmwDemo:/>",
    b"Skipped\n",
]
HEADERS = ((40, "<I", 12, 32), (44, "<I", 12, 32), (48, "<H", 12, 44), (52, "<H", 20, 48))

MJPEG = [
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n" + part
    for part in (
        b"",
        b"--b\r\nContent-Length: 6\r\nX-Frame-Number: 5\r\n\r\n\xff\xd8ab\xff\xd9\r\n" * 3,
        b"--b\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8ab\xff\xd9\r\n--b\r\n\r\n\xff\xd8\r\n--b\r\n",
        b"--b\r\nContent-Length: 0\r\n\r\n" * 200,
        b"--b\r\nContent-Length: 999999999\r\n\r\n" * 100,
    )
]


def csae53() -> list[bytes]:
    """One frame of each kind that we send and some that vehicles send."""
    table = PhaseTable({1: [1], 2: [2], 3: [3]})
    spat = codec.encode(("spatFrame", unavailable_value(table, (12, 0))))
    timed = unavailable_value(table, (12, 0)) | {"moy": 5, "timeStamp": 6}
    counting = ("counting", {"startTime": 0, "minEndTime": 9, "likelyEndTime": 10, "nextDuration": 3})
    timed["intersections"][0]["phases"][0]["phaseStates"] = [{"light": "red", "timing": counting}]
    rsm = bytes.fromhex("24")  # the head of an RSM; the rest comes from noise
    return [spat, codec.encode(("spatFrame", timed)), rsm, b"\x00", b"\x10", b"\x40", b"\x80\x05\x01\x02"]


def road() -> list[tuple[str, Any]]:
    """A SPAT, a MAP, a CAM and a DENM of Europe, drawn from their schemas."""
    dice = random.Random(7)
    return [
        value_of(name, dice) for name in ("dsrc.spat", "dsrc.map", "etsi.cam", "etsi.denm") for _ in range(4)
    ]


def etsi() -> list[bytes]:
    """PDUs with their headers right."""
    return [_pdu(kind, value) for kind, value in road()]


def _pdu(kind: str, value: Any) -> bytes:
    name, field = {"SPAT": ("SPATEM", "spat"), "MapData": ("MAPEM", "map")}.get(kind, (kind, ""))
    head = pdu.header(name, 77)
    return pdu.encode((name, {"header": head, field: value} if field else {**value, "header": head}))


def etsi_emitted() -> list[bytes]:
    """SPATEM as we send it: no names, one state a movement."""
    rights = {1: Right.PROTECTED, 2: Right.WALK}
    spat = dsrc_unavailable(rights, (12, None), 1)
    timed = dsrc_unavailable(rights, (12, 7), 1)
    event = {"eventState": "dark", "timing": {"minEndTime": 5, "likelyTime": 6}}
    timed["intersections"][0]["states"][0]["state-time-speed"] = [event]
    return [_pdu("SPAT", value) for value in (spat, timed)]


def j2735() -> list[bytes]:
    """Frames of SPAT and MAP, and of a message that is handed over raw."""
    frames = [frame.encode(message, Edition.J2735_2024) for message in road() if message[0] in frame.IDS]
    return [*frames, b"\x00\x14\x02\x01\x02"]


def geonet_frames() -> list[bytes]:
    """Ethernet frames, single-hop and geo-broadcast, plain and signed (facts/radio.md 4.2)."""
    sender, area = geonet.Sender(b"\x02\0\0\0\0\x01", 22.69, 114.34), geonet.Area(22.69, 114.34, 300.0)
    single = [geonet.frame("SPATEM", raw, sender, 1.8e9) for raw in etsi()[:4]]
    plain = [*single, geonet.frame("DENM", etsi()[-1], sender, 1.8e9, area=area)]
    return [*plain, *(_signed(frame) for frame in (plain[0], plain[-1]) if len(frame) < 200)]


def _signed(frame: bytes) -> bytes:
    inside = frame[18:]
    length = bytes([len(inside)]) if len(inside) < 128 else bytes([0x81, len(inside)])
    signature = b"\x40\x01\x89" + bytes(8) + b"\x80" + bytes(8) + b"\x80\x80" + bytes(64)
    return frame[:14] + b"\x12" + frame[15:18] + b"\x03\x81\x00\x40\x03\x80" + length + inside + signature


def any_plain(dice: random.Random, depth: int = 0) -> Any:
    """A random msgpack value."""
    made = dice.choice(
        (0, 1, -1, 1 << 63, -(1 << 63), (1 << 64) - 1, True, None, 1.5, float("nan"), "k", b"k")
    )
    if depth > 3 or dice.random() < 0.6:
        return made
    if dice.random() < 0.5:
        return [any_plain(dice, depth + 1) for _ in range(dice.randrange(4))]
    return {dice.choice("kesqlt"): any_plain(dice, depth + 1) for _ in range(dice.randrange(4))}


def envelope(dice: random.Random) -> bytes:
    """An envelope with some of its values replaced, packed as the sender packs it."""
    records = [{"k": "flow", "t": 5, "n": 3}, {"k": "queue", "x": any_plain(dice)}]
    value = {"v": 1, "s": "site", "e": 5, "l": "hi", "q": dice.randrange(1, 90), "t": 6, "c": None, "n": 2}
    value["r"] = records
    return _packed(dice, value, pack_envelope(Envelope("s", 1, "lo", 3, 5, ({"k": "flow"},) * 50)))


def acknowledgement(dice: random.Random) -> bytes:
    """The same for an acknowledgement."""
    value = {"e": 5, "l": "hi", "c": 9, "r": [[3, 4], [7, 9]], "x": [[3, "invalid"]], "w": 20}
    return _packed(dice, value, pack_ack(Ack(5, "lo", 3, ((5, 6),))))


def _packed(dice: random.Random, value: dict[str, Any], good: bytes) -> bytes:
    for _ in range(dice.randrange(3)):
        value[dice.choice(sorted(value))] = any_plain(dice)
    data = bytes(msgpack.packb(value))
    if dice.random() < 0.3:
        data = zstandard.ZstdCompressor(level=3).compress(data + bytes(dice.choice((0, 5, 400_000))))
    return data if dice.random() < 0.6 else any_input(dice, [data, good])


def process_link(dice: random.Random) -> bytes:
    """A topic and a noun, perhaps of wrong fields."""
    nouns = (
        DeviceHealth("camera", DeviceState.OK, "ok", 1.0),
        SignalReport(1.0, 1.1, (Lamp(1, Colour.RED),), True),
        TimeQuality("chrony", True, 0.0, 0.001, 1.0),
        {"command": 1},
        version(),
    )
    noun = (
        pack(dice.choice(nouns))
        if dice.random() < 0.6
        else bytes(msgpack.packb([dice.randrange(-3, 12), any_plain(dice)]))
    )
    topic = dice.choice((b"health", b"hello", b"", b"\xff\xfe", bytes(255)))
    data = bytes([len(topic)]) + topic + noun
    return data if dice.random() < 0.6 else any_input(dice, [data])


def chrony_reply() -> bytes:
    """A tracking reply to request 7, as candm.h has it."""
    head = struct.pack(">BBBBHHHHHHI", 6, 2, 0, 0, 33, 5, 0, 0, 0, 0, 7)
    return head.ljust(104, b"\1")
