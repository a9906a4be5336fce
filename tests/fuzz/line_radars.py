"""Radars on lines and datagrams under the fuzzer: links as on a pole, inputs whose checks mostly hold."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from drivers.csr_speed.link import Link as CsrSpeed
from drivers.csr_speed.settings import Settings as CsrSpeedSettings
from drivers.csr_speed.wire import LONGEST_REPLY
from drivers.json_udp.link import Link as JsonUdp
from drivers.json_udp.settings import Settings as JsonUdpSettings
from drivers.ops243.link import Link as Ops243
from drivers.ops243.settings import Settings as Ops243Settings
from drivers.ops243.wire import LONGEST_LINE
from drivers.rtms_g4.deframer import LARGEST_BYTES as RTMS_BYTES
from drivers.rtms_g4.link import Link as RtmsG4
from drivers.rtms_g4.settings import Settings as RtmsG4Settings
from drivers.ss125 import wire as ss125_wire
from drivers.ss125.deframer import LARGEST_BYTES as SS125_BYTES
from drivers.ss125.link import Link as Ss125
from drivers.ss125.settings import Settings as Ss125Settings
from drivers.umrr0c.deframer import LARGEST_BYTES as UMRR_BYTES
from drivers.umrr0c.link import Link as Umrr0c
from drivers.umrr0c.settings import Settings as Umrr0cSettings
from rsu_agent.ports.radar_line import RadarLink
from tests.fuzz.inputs import any_input

STEP_S = 0.02
Read = Callable[[bytes], int]
Make = Callable[[random.Random], bytes]


def running(make: Callable[[], RadarLink]) -> Callable[[], Read]:
    """A link whose clock moves on with each chunk and that asks as on a pole; what it keeps is bounded."""

    def fresh() -> Read:
        link, now_s = make(), 0.0

        def read(data: bytes) -> int:
            nonlocal now_s
            now_s += STEP_S
            link.next_bytes(now_s)
            list(link.receive(data, now_s))
            return int(getattr(link, "kept_bytes", 0))

        return read

    return fresh


def umrr0c(dice: random.Random) -> bytes:
    """A frame of random messages, objects mostly; its head, lengths and marks may lie."""
    payload = b""
    for _ in range(dice.randrange(12)):
        ident = dice.choice((0x0500, 0x0501, 0x0502, 0x0502, 0x05FF, 0x0780, 0x7E01))
        data = dice.randbytes(dice.choice((8, 8, 8, 0, 7, 30)))
        payload += ident.to_bytes(2, "big") + bytes([len(data)]) + data
    head = bytes((0x7E, 1, dice.choice((5, 5, 6, 32, 4, 33)))) + len(payload).to_bytes(2, "big")
    frame = head + bytes(max(0, head[2] - 5)) + payload + dice.randbytes(2)
    return frame if dice.random() < 0.6 else any_input(dice, [frame, b"\x7e\x01\x05\x08\xff"])


def ops243(dice: random.Random) -> bytes:
    """A plain or JSON line with values of any kind."""
    value = dice.choice((3.6, -12, "4.5", [1, "2"], None, "x", [], 1e300, True, {"a": 1}))
    lines = (
        b"%.3f,%d,%.1f" % (dice.random() * 999, dice.randrange(999), dice.uniform(-40, 40)),
        json.dumps({"speed": value, "unit": dice.choice(("mph", "m/s", "x", 5)), "time": value}).encode(),
        json.dumps({"range": value, "unit": dice.choice(("m", "ft", "mph"))}).encode(),
        json.dumps({"Units": value, dice.choice(("Product", "Clock")): value}).encode(),
    )
    line = dice.choice(lines) + b"\r\n"
    return line if dice.random() < 0.6 else any_input(dice, [line, b'{"speed":', b"[" * 500])


def csr_speed(dice: random.Random) -> bytes:
    """Words of all formats, replies among them."""
    words = (
        b"\x3c",
        b"\x00",
        b"\xf9\x3c",
        b"+125",
        b"-040",
        b"\xfe\xfd\xfd\xfe",
        b"\xfa\x32\x30\x31\xfb",
        b"\xfa",
    )
    data = b"".join(dice.choices(words, k=dice.randrange(1, 30)))
    return data if dice.random() < 0.6 else any_input(dice, [data, b"\xfa\x31", b"\xfe\xfd"])


def ss125(dice: random.Random) -> bytes:
    """An answer whose two checks hold, to a question near the one that stands."""
    message = dice.choice((0x0E, 0x67, 0x67, 0x6D, 0x71))
    body = bytes((message, dice.randrange(3), dice.choice((0, 0, 2)))) + dice.randbytes(
        dice.choice((20, 20, 2, 0, 200))
    )
    head = ss125_wire.HEAD.write(
        ss125_wire.Head(0x5A31, 0, 0, 0, dice.choice((245, 245, 9)), dice.randrange(12), len(body))
    )
    crc = ss125_wire.CRC.of
    frame = head + bytes([crc(head)]) + body + bytes([crc(body)])
    return frame if dice.random() < 0.7 else any_input(dice, [frame, b"Z1"])


def rtms_g4(dice: random.Random) -> bytes:
    """A frame with a right sum, of vehicles mostly; its length may lie."""
    data = dice.randbytes(dice.choice((15, 15, 15, 0, 16, 80)))
    if dice.random() < 0.5 and len(data) == 15:
        data = (
            data[:6] + bytes(dice.choice((0x12, 0x09, 0x01)) for _ in range(8)) + bytes([dice.randrange(2)])
        )
    inside = dice.randbytes(2) + data
    frame = b"\xff\xaa" + bytes((dice.choice((0x5E, 0x5E, 0x10)), len(inside))) + inside
    frame += (sum(inside) & 0xFFFF).to_bytes(2, "big")
    return frame if dice.random() < 0.6 else any_input(dice, [frame, b"\xff\xaa"])


def json_udp(dice: random.Random) -> bytes:
    """A document of targets whose values may be of any kind."""
    values = (1, -2.5, "3", None, True, [], {}, "x", 1e308, 1 << 70, "9" * 40)

    def some(usual: object) -> object:
        return usual if dice.random() < 0.8 else dice.choice(values)

    rows = [
        {
            "id": some(n),
            "pos": some({"x": some(1.5), "y": some(20)}),
            "s": some(8),
            "h": some(90),
            "k": some(4),
        }
        for n in range(dice.choice((0, 1, 3, 300)))
    ]
    data = json.dumps({"t": some(1767225600123), "n": some(dice.randrange(99)), "o": some(rows)}).encode()
    return (
        data if dice.random() < 0.6 else any_input(dice, [data, b'{"o":' + b"[" * 99, b'["' + b'\\"' * 999])
    )


def mapped() -> JsonUdpSettings:
    """A field map of every part."""
    fields = {
        "id": "id",
        "x": "pos.x",
        "y": "pos.y",
        "speed": "s",
        "heading": "h",
        "kind": "k",
        "length": "pos.0",
    }
    return JsonUdpSettings.model_validate(
        {
            "targets": "o",
            "time": "t",
            "frame": "n",
            "fields": fields,
            "heading_from": "forward",
            "classes": {"4": "car"},
        }
    )


def speeds(form: str) -> Callable[[], RadarLink]:
    """A simple radar of this format that is set and asked too."""
    settings = CsrSpeedSettings.model_validate(
        {"port": "x", "format": form, "mode": "answer", "low_limit_kmh": 30}
    )
    return lambda: CsrSpeed(settings, 0.0)


# name -> (fresh reader, bound on what it keeps, inputs)
READERS: dict[str, tuple[Callable[[], Read], int, Make]] = {
    "umrr0c": (running(lambda: Umrr0c(Umrr0cSettings(port="x"), 0.0)), UMRR_BYTES, umrr0c),
    "ops243": (
        running(lambda: Ops243(Ops243Settings(port="x", configure=True, set_clock=True), 0.0, 1.7e9)),
        LONGEST_LINE,
        ops243,
    ),
    "csr_byte": (running(speeds("byte")), LONGEST_REPLY, csr_speed),
    "csr_two_bytes": (running(speeds("two_bytes")), LONGEST_REPLY, csr_speed),
    "csr_ascii": (running(speeds("ascii")), LONGEST_REPLY, csr_speed),
    "ss125": (running(lambda: Ss125(Ss125Settings(port="x", sensor=245), 0.0)), SS125_BYTES, ss125),
    "rtms_g4": (running(lambda: RtmsG4(RtmsG4Settings(port="x"), 0.0)), RTMS_BYTES, rtms_g4),
    "json_udp": (running(lambda: JsonUdp(mapped(), 0.0)), 0, json_udp),
}
