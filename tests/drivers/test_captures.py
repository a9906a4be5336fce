"""Frames that lie beside the drivers: each is read as what its name says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

import drivers
from drivers.gat508.wire import Deframer as Displays
from drivers.gat1743 import deframer as gat1743
from drivers.ntcip1202 import pmpp, snmp
from drivers.rsmp.wire import END, Reader
from drivers.tscbm.wire import Blob, parse

ROOT = Path(drivers.__path__[0])


def rows(driver: str) -> dict[str, bytes]:
    """Frames by name."""
    lines = (ROOT / driver / "captures" / "frames.txt").read_text().splitlines()
    return {name: bytes.fromhex(text) for name, _, text in map(str.split, lines[1:])}


def of_gat1743(data: bytes) -> Any:
    (frame,) = gat1743.Deframer().receive(data, 0.0)
    return frame.operation, frame.item, frame.utc_s


def of_ntcip1202(data: bytes) -> Any:
    (frame,) = pmpp.Deframer().receive(data, 0.0)
    message = snmp.parse(frame.payload)
    return message.request, [value for _, value in message.values]


def of_gat508(data: bytes) -> Any:
    (frame,) = Displays().receive(data, 0.0)
    return [(entry.address, entry.colour, entry.seconds) for entry in frame.entries]


def of_tscbm(data: bytes) -> Any:
    blob = parse(data)
    assert isinstance(blob, Blob)
    return blob.version, blob.bitmaps.greens, asdict(blob.blocks[1])["vehicle_most"], blob.day_ms


def of_lamp_sense(data: bytes) -> Any:
    client = data[2] == 3  # an answer tells its size there, a question an address
    _, unit, _, body = FramerRTU(DecodePDU(not client)).decode(data)
    return unit, body.hex()


READ: dict[str, tuple[Callable[[bytes], Any], dict[str, Any]]] = {
    "gat1743": (
        of_gat1743,
        {
            "colours-asked": (0x80, 0x0103, 0x67F369B9),
            "plan-asked": (0x80, 0x0301, 0x67F369BA),
            "lamps-north-south": (0x87, 0x0103, 0x67F35400),
        },
    ),
    "ntcip1202": (
        of_ntcip1202,
        {"get-greens": (1, [None]), "reply-reds-greens": (1, [0xDD, 0x00, 0x22])},
    ),
    "gat508": (
        of_gat508,
        {"2004-direction-2": [(2, 3, 47)], "2014-four": [(0, 1, 30), (1, 0, 0), (2, 0, 0), (3, 3, 99)]},
    ),
    "tscbm": (
        of_tscbm,
        {"ring-v1": (1, 0b00100010, 300, 43_200_000), "ring-v2": (2, 0b00100010, 300, 43_200_000)},
    ),
    "lamp_sense": (of_lamp_sense, {"asked": (17, "0200c40016"), "answered": (17, "0203acdb35")}),
}
CASES = [(driver, name) for driver, (_, told) in READ.items() for name in told]


@pytest.mark.parametrize(("driver", "name"), CASES)
def test_a_frame_is_read_as_what_it_is(driver: str, name: str) -> None:
    read, told = READ[driver]
    assert read(rows(driver)[name]) == told[name]


@pytest.mark.parametrize("driver", READ)
def test_every_frame_beside_a_driver_is_read(driver: str) -> None:
    assert rows(driver).keys() == READ[driver][1].keys()


def test_messages_beside_rsmp_are_read_in_one_stream() -> None:
    text = (ROOT / "rsmp" / "captures" / "messages.txt").read_bytes()
    messages = list(Reader().receive(text.replace(b"\n", END)))
    assert [message["type"] for message in messages if isinstance(message, dict)] == [
        "Version",
        "Watchdog",
        "StatusUpdate",
    ]
