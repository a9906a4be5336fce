"""What a vehicle of Europe or America hears: a reader of the headers of its own, pycrate for the rest."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pycrate_asn1dir import ITS_DENM_3, ITS_IS
from pycrate_asn1rt.asnobj import ASN1RangeInt
from pycrate_asn1rt.setobj import ASN1Set

ETHERTYPE, VERSION_1_COMMON, BTP_B = b"\x89\x47", 0x11, 0x20
HEADER_BYTES = {0x50: 28, 0x40: 44}  # of what follows the common header: single-hop broadcast, circle
LONGEST_MARK = 65_535  # J2735 of 2020 says 36111 where ISO/TS 19091 ends at 36001: sixteen bits in both
PDUS = {
    (2001, 2): None,  # CAM: other stations', not ours
    (2002, 1): ("DENM", ITS_DENM_3.DENM_PDU_Descriptions.DENM, "denm"),
    (2003, 5): ("MAP", ITS_IS.MAPEM_PDU_Descriptions.MAPEM, "map"),
    (2004, 4): ("SPAT", ITS_IS.SPATEM_PDU_Descriptions.SPATEM, "spat"),
}
FRAMES = {0x0012: ("MAP", ITS_IS.DSRC.MapData), 0x0013: ("SPAT", ITS_IS.DSRC.SPAT)}


def unwrapped(frame: bytes) -> tuple[int, bytes]:
    """(BTP port, message) of an Ethernet frame with GeoNetworking (EN 302 636-4-1). Raises ValueError."""
    if frame[12:14] != ETHERTYPE:
        raise ValueError("no GeoNetworking in the Ethernet frame")
    packet = frame[14:]
    if len(packet) < 12 or packet[0] != VERSION_1_COMMON or packet[4] != BTP_B:
        raise ValueError("no plain packet of version 1 with BTP-B")
    extended = HEADER_BYTES.get(packet[5])
    if extended is None:
        raise ValueError(f"header type {packet[5]:#04x}")
    (size,) = struct.unpack_from(">H", packet, 8)
    carried = packet[12 + extended :]
    if size != len(carried) or size < 4:
        raise ValueError(f"{size} bytes announced, {len(carried)} there")
    return struct.unpack_from(">H", carried)[0], carried[4:]


def decode_etsi(frame: bytes) -> tuple[str, Any]:
    """(SPAT, MAP or DENM, value) of a frame. Raises ValueError."""
    port, pdu = unwrapped(frame)
    known = PDUS.get((port, pdu[1] if len(pdu) > 1 else 0))
    if known is None:
        raise ValueError(f"port {port} with message {pdu[1:2].hex()}")
    kind, description, body = known
    return kind, _decoded(description, pdu)[body]


def decode_j2735(frame: bytes) -> tuple[str, Any]:
    """(SPAT or MAP, value) of a MessageFrame. Raises ValueError."""
    kind, description = FRAMES.get(int.from_bytes(frame[:2], "big"), ("", None))
    if description is None or len(frame) < 4:
        raise ValueError(f"message id {frame[:2].hex()}")
    long = frame[2] & 0x80
    size, body = ((frame[2] & 0x7F) << 8 | frame[3], frame[4:]) if long else (frame[2], frame[3:])
    if size != len(body):
        raise ValueError(f"{size} bytes announced, {len(body)} there")
    with _all_marks():
        return kind, _decoded(description, body)


def _decoded(description: Any, data: bytes) -> Any:
    try:
        description.from_uper(data)
        return description.get_val()
    except Exception as error:  # noqa: BLE001 (pycrate raises many kinds; all mean: not understood)
        raise ValueError(f"not understood: {error}") from None


@contextmanager
def _all_marks() -> Iterator[None]:
    """Time marks as wide as they are on the wire, while a message of J2735 is read."""
    times = ITS_IS.DSRC.TimeChangeDetails._cont
    narrow = {name: times[name]._const_val for name in times if name.endswith("Time")}
    wide = ASN1Set(rr=[ASN1RangeInt(0, LONGEST_MARK)])
    wide.lb, wide.ub, wide.ra, wide.rdyn = 0, LONGEST_MARK, LONGEST_MARK + 1, 16
    for name in narrow:
        times[name]._const_val = wide
    try:
        yield
    finally:
        for name, bounds in narrow.items():
            times[name]._const_val = bounds
