"""Ethernet, GeoNetworking and BTP-B around a message of Europe (EN 302 636-4-1 V1.4.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from rsu_agent.wire.its_time import its_stamp
from rsu_agent.wire.wrapped import NotWrapped, opened_1609

ETHERTYPE = 0x8947
ETHERNET = struct.Struct(">6s6sH")
BASIC = struct.Struct(">BBBB")
COMMON = struct.Struct(">BBBBHBB")
POSITION = struct.Struct(
    ">BB6sIiiHH"
)  # long position vector: GN address, time, place, PAI and speed, heading
AREA = struct.Struct(">HHiiHHHH")  # of GBC, less the sender's position: sequence, 0, place, a, b, angle, 0
BTP = struct.Struct(">HH")
PORTS = {"CAM": 2001, "DENM": 2002, "MAPEM": 2003, "SPATEM": 2004}
TRAFFIC_CLASSES = {"DENM": 1, "CAM": 2, "MAPEM": 2, "SPATEM": 2}
BROADCAST = b"\xff" * 6
VERSION_COMMON, VERSION_SECURED = 0x11, 0x12
LIFETIME_60_S = 0x1A
BTP_B = 2
SHB, GBC_CIRCLE, GBC = 0x50, 0x40, 4
ROADSIDE_UNIT = 15 << 2
MOBILE, ACCURATE = 0x80, 0x8000
HOPS_GBC = 10
SHB_STAMP_AT = ETHERNET.size + BASIC.size + COMMON.size + 8  # of a frame without an area


class NotGeo(ValueError):
    """Bytes that are no frame, or one whose message cannot be reached; says why."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who speaks, from where: link-layer address, degrees, and whether the position is good."""

    address: bytes
    lat_deg: float
    lon_deg: float
    accurate: bool = True


@dataclass(frozen=True, slots=True)
class Area:
    """A circle that a message is for."""

    lat_deg: float
    lon_deg: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Frame:
    """What a received frame carries: station type and address of the sender, BTP port, message.

    signed: in a signature, which was not verified.
    """

    station_type: int
    address: bytes
    port: int
    payload: bytes
    signed: bool = False


def frame(
    kind: str,
    payload: bytes,
    sender: Sender,
    utc_s: float,
    *,
    traffic: int | None = None,
    area: Area | None = None,
    sequence: int = 0,
) -> bytes:
    """A whole Ethernet frame: geo-broadcast (GBC, circle) with an area, else for who hears it (SHB).

    kind: CAM, DENM, MAPEM or SPATEM. traffic: its class, None: the usual one. utc_s: seconds since the Unix
    epoch. Raises KeyError for another kind.
    """
    traffic, port = TRAFFIC_CLASSES[kind] if traffic is None else traffic, PORTS[kind]
    position = _position(sender, utc_s)
    if area is None:
        kind_of_header, hops, extended = SHB, 1, position + bytes(4)
    else:
        place = _tenth_micro(area.lat_deg), _tenth_micro(area.lon_deg)
        around = AREA.pack(sequence & 0xFFFF, 0, *place, round(area.radius_m), 0, 0, 0)
        kind_of_header, hops, extended = GBC_CIRCLE, HOPS_GBC, around[:4] + position + around[4:]
    carried = BTP.pack(port, 0) + payload
    common = COMMON.pack(BTP_B << 4, kind_of_header, traffic, 0, len(carried), hops, 0)
    ethernet = ETHERNET.pack(BROADCAST, sender.address, ETHERTYPE)
    return ethernet + BASIC.pack(VERSION_COMMON, 0, LIFETIME_60_S, hops) + common + extended + carried


def _position(sender: Sender, utc_s: float) -> bytes:
    at_ms = its_stamp(utc_s)
    place = _tenth_micro(sender.lat_deg), _tenth_micro(sender.lon_deg)
    good = ACCURATE if sender.accurate else 0
    return POSITION.pack(ROADSIDE_UNIT, 0, sender.address, at_ms, *place, good, 0)


def _tenth_micro(degrees: float) -> int:
    return round(degrees * 1e7)


def read(data: bytes) -> Frame:
    """The message in an Ethernet frame or a bare GeoNetworking packet. Raises NotGeo, saying what it is."""
    at = 0
    if len(data) >= ETHERNET.size and ETHERNET.unpack_from(data)[2] == ETHERTYPE:
        at = ETHERNET.size
    try:
        return _packet(data, at)
    except struct.error:
        raise NotGeo(f"{len(data)} bytes are too few for its headers") from None


def _packet(data: bytes, at: int) -> Frame:
    version = BASIC.unpack_from(data, at)[0]
    signed = version == VERSION_SECURED
    if signed:  # the common header and all behind it are the signed data's payload
        try:
            data, at = bytes(BASIC.size) + opened_1609(data[at + BASIC.size :]), 0
        except NotWrapped as error:
            raise NotGeo(f"a secured packet: {error}") from None
    elif version != VERSION_COMMON:
        raise NotGeo(f"version and next header {version:#04x}: no GeoNetworking of version 1")
    following, kind, _, _, size, _, _ = COMMON.unpack_from(data, at + BASIC.size)
    if following >> 4 != BTP_B:
        raise NotGeo(f"next header {following >> 4}: only BTP-B carries the messages")
    at += BASIC.size + COMMON.size
    if kind == SHB:
        sender, at = POSITION.unpack_from(data, at), at + POSITION.size + 4
    elif kind >> 4 == GBC:
        sender, at = POSITION.unpack_from(data, at + 4), at + POSITION.size + AREA.size
    else:
        raise NotGeo(f"header type {kind:#04x}: neither single-hop nor geo-broadcast")
    port = BTP.unpack_from(data, at)[0]
    payload = data[at + BTP.size : at + size]
    if len(payload) != size - BTP.size:
        raise NotGeo(f"{size} bytes announced, {len(data) - at} follow")
    return Frame(sender[0] >> 2 & 0x1F, sender[2], port, payload, signed)
