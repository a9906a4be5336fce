"""Signal controllers' protocols under the fuzzer: sessions as on a pole, inputs whose checks mostly hold."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import reduce
from operator import xor

from pymodbus.framer import FramerRTU

from drivers.gat508.session import Session as Displays
from drivers.gat508.settings import Settings as DisplaysSettings
from drivers.gat1743 import wire as gat1743_wire
from drivers.gat1743.session import Session as Gat1743
from drivers.gat1743.settings import Settings as Gat1743Settings
from drivers.gbt20999.listener import Listener
from drivers.gbt20999.settings import Settings as Gbt20999Settings
from drivers.lamp_sense.session import Session as LampSense
from drivers.lamp_sense.settings import Settings as LampSenseSettings
from drivers.ntcip1202 import ber, oids, pmpp, snmp
from drivers.ntcip1202.session import Session as Ntcip1202
from drivers.ntcip1202.settings import Settings as Ntcip1202Settings
from drivers.rsmp.session import Session as Rsmp
from drivers.rsmp.settings import Settings as RsmpSettings
from drivers.tscbm.session import Session as Tscbm
from drivers.tscbm.settings import Settings as TscbmSettings
from rsu_agent.ports.dialogue import Session
from tests.fuzz.inputs import any_input

STEP_S = 0.02
Read = Callable[[bytes], int]


def running(make: Callable[[], Session], kept: Callable[[Session], int] = lambda _: 0) -> Callable[[], Read]:
    """A session whose clock moves on with each chunk and that asks as on a pole."""

    def fresh() -> Read:
        session, now_s = make(), 0.0

        def read(data: bytes) -> int:
            nonlocal now_s
            now_s += STEP_S
            session.next_bytes(now_s)
            list(session.receive(data, now_s))
            return kept(session)

        return read

    return fresh


def gat1743(dice: random.Random) -> bytes:
    """A frame with a right checksum and a random body; its neighbours may be rubbish."""
    item = dice.choice((0x0101, 0x0102, 0x0103, 0x0103, 0x0301, 0x0302, 0x0401))
    operation = dice.choice((0x80, 0x81, 0x82, 0x83, 0x83, 0x86, 0x87, 0x99))
    own = bytes(gat1743_wire.Address(440310, gat1743_wire.CONTROLLER_TYPE, 1))
    head = gat1743_wire.Head(8, own, own, dice.randrange(1 << 32), 7, 60, 16, operation, item, 0, bytes(3))
    body = bytes([dice.randrange(5)]) + dice.randbytes(dice.choice((0, 1, 5, 30, 90)))
    raw = gat1743_wire.HEAD.write(head) + dice.choice((b"", bytes(12) + body, dice.randbytes(5)))
    raw += gat1743_wire.CHECKSUM.of(raw).to_bytes(2, "little")
    frame = b"\xc0" + raw.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
    return frame if dice.random() < 0.6 else any_input(dice, [frame, b"\xc0\xdb"])


def tscbm(dice: random.Random) -> bytes:
    """A blob of either size with random contents."""
    data = bytearray(b"\xcd\x10" + dice.randbytes(dice.choice((239, 243))))
    data[234] = dice.choice((0x08, 0x10, 0x11, dice.randrange(256)))
    data[236] = dice.choice((0, 1))
    return bytes(data) if dice.random() < 0.7 else any_input(dice, [bytes(data)])


def snmp_message(dice: random.Random) -> bytes:
    """A response with random values for objects that are asked for, or something near it."""
    known = [oid for bank in oids.BANKS for oid in bank.oids]
    known += [oids.FLASH_STATUS, oids.PATTERN, oids.UPTIME, *oids.PREEMPTS, oids.phase_item(4, 2)]
    rows = b""
    for oid in dice.sample(known, dice.randrange(len(known))):
        value = dice.choice(
            (ber.integer(dice.randrange(-9, 300)), b"\x05\x00", b"\x04\x02ab", b"\x42\x01\x07")
        )
        rows += ber.encoded(ber.SEQUENCE, ber.oid(oid) + value)
    pdu = ber.integer(dice.randrange(1, 40)) + ber.integer(dice.choice((0, 0, 0, 1, 2)))
    pdu += ber.integer(dice.randrange(-1, 9)) + ber.encoded(ber.SEQUENCE, rows)
    kind = dice.choice((snmp.GET_RESPONSE, snmp.GET_RESPONSE, snmp.GET_REQUEST, 0xA3))
    body = ber.integer(0) + ber.encoded(ber.OCTETS, b"public") + ber.encoded(kind, pdu)
    message = ber.encoded(ber.SEQUENCE, body)
    return message if dice.random() < 0.6 else any_input(dice, [message])


def pmpp_frame(dice: random.Random) -> bytes:
    """Such a message in a frame with a right check."""
    frame = pmpp.framed(dice.choice((1, 1, 1, 5)), snmp_message(dice)[:3000])
    return frame if dice.random() < 0.6 else any_input(dice, [frame, b"\x7e\x7d"])


def displays(dice: random.Random) -> bytes:
    """A frame of either generation."""
    if dice.random() < 0.5:
        head, high, low = dice.randrange(256) & 0x1F | 0x20, dice.randrange(256), dice.randrange(256)
        frame = bytes([0xFE, head, high, low, 0x7F & (head ^ high ^ low)])
    else:
        count = dice.choice((4, 32))
        body = bytes([count]) + dice.randbytes(2 * count)
        frame = b"\x55\xaa" + body + bytes([reduce(xor, body)])
    return frame if dice.random() < 0.6 else any_input(dice, [frame, b"\x55\xaa\x20"])


def modbus(dice: random.Random) -> bytes:
    """A reply of any function with a right check."""
    body = bytes([1, dice.choice((1, 2, 2, 2, 3, 6)), dice.choice((1, 1, 2, 9))]) + dice.randbytes(1)
    if dice.random() < 0.2:
        body = bytes([1, 0x82, dice.randrange(5)])
    body += FramerRTU.compute_CRC(body).to_bytes(2, "big")
    return body if dice.random() < 0.5 else any_input(dice, [body])


def rsmp(dice: random.Random) -> bytes:
    """A message of any type, some with fields of the wrong kind."""
    value = dice.choice(
        (None, 1, "a", [], {}, [{"sCI": "S0001", "n": "signalgroupstatus", "s": "1A", "q": "recent"}])
    )
    message = {
        "mType": "rSMsg",
        "type": dice.choice(("Version", "Watchdog", "AggregatedStatus", "StatusUpdate", "Alarm", "X")),
        "mId": "m", "wTs": "t", "cId": "c", "aSTS": "t", "se": [False] * 8, "sTs": "2026-01-01T00:00:00.000Z",
        "sS": value, "RSMP": [{"vers": "3.2.2"}], "siteId": [{"sId": "s"}], "SXL": "1.1", "aCId": "A",
    }  # fmt: skip
    if dice.random() < 0.3:
        message[dice.choice(list(message))] = value
    text = json.dumps(message).encode() + b"\x0c"
    return text if dice.random() < 0.6 else any_input(dice, [text, b"\x0c{"])


NEVER_LOST = frozenset({"tscbm", "gat508", "rsmp"})  # whose sessions tell a loss only when asked to check

# name -> (fresh reader, bound on what it keeps, inputs)
READERS: dict[str, tuple[Callable[[], Read], int, Callable[[random.Random], bytes]]] = {
    "gat1743": (
        running(
            lambda: Gat1743(Gat1743Settings(port="x"), 0.0, 1.7e9),
            lambda s: len(s._deframer._held or b""),  # type: ignore[attr-defined]
        ),
        4096,
        gat1743,
    ),
    "tscbm": (running(lambda: Tscbm(TscbmSettings(), 0.0)), 0, tscbm),
    "ntcip_udp": (
        running(lambda: Ntcip1202(Ntcip1202Settings(port="udp://192.0.2.1:161"), 0.0)),
        0,
        snmp_message,
    ),
    "ntcip_pmpp": (
        running(
            lambda: Ntcip1202(Ntcip1202Settings(port="x"), 0.0),
            lambda s: len(s._carriage._deframer._held or b""),  # type: ignore[attr-defined]
        ),
        4096,
        pmpp_frame,
    ),
    "gat508": (
        running(
            lambda: Displays(DisplaysSettings(port="x"), 0.0),
            lambda s: len(s._deframer._held),  # type: ignore[attr-defined]
        ),
        512,
        displays,
    ),
    "lamp_sense": (
        running(
            lambda: LampSense(LampSenseSettings(port="x", groups={1: {"red": 0}}), 0.0),  # type: ignore[dict-item]
            lambda s: len(s._held),  # type: ignore[attr-defined]
        ),
        512,
        modbus,
    ),
    "rsmp": (
        running(
            lambda: Rsmp(RsmpSettings(), 0.0, 1.7e9),
            lambda s: len(s._reader._held),  # type: ignore[attr-defined]
        ),
        65_536,
        rsmp,
    ),
}


def listener() -> Session:
    """A GB/T 20999 listener on a line without escapes."""
    return Listener(Gbt20999Settings(port="x", role="listener", escape="off", controller_id=0), 0.0)
