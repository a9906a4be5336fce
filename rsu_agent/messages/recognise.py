"""Which message some bytes are: the set guessed, or read as the set that is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rsu_agent.messages.dsrc.units import Edition, check_time_marks
from rsu_agent.messages.standards import REFUSED
from rsu_agent.wire import geonet
from rsu_agent.wire.uper import Malformed, open_type
from rsu_agent.wire.wrapped import NotWrapped, opened_1609, opened_dsmp

CSAE_NAMES = {"bsmFrame": "BSM", "mapFrame": "MAP", "rsmFrame": "RSM", "spatFrame": "SPAT", "rsiFrame": "RSI"}
CSAE_TYPES = {
    "bsmFrame": "BasicSafetyMessage",
    "mapFrame": "MapData",
    "rsmFrame": "RoadsideSafetyMessage",
    "spatFrame": "SPAT",
    "rsiFrame": "RoadSideInformation",
}
PHASE_2 = {11: "RSC", 12: "SSM", 13: "VIR", 14: "PAM", 16: "CLPMM"}


GEO_BEGINS = (bytes([geonet.VERSION_COMMON]), bytes([geonet.VERSION_SECURED]))


@dataclass(frozen=True, slots=True)
class Read:
    """A message that was understood. kind: the type its value has in the schema; None: value is raw bytes."""

    standard: str
    name: str
    kind: str | None
    value: Any
    notes: tuple[str, ...] = ()


def recognise(data: bytes, standard: str | None = None) -> Read:
    """The message in these bytes. standard: one of SETS, None = guessed.

    Raises Malformed, saying what was tried.
    """
    if standard in REFUSED:
        raise Malformed(standard or "", REFUSED[standard or ""])
    inside, notes = _unwrapped(data)
    if inside is not None:
        try:
            read = _read(inside, standard)
            return replace(read, notes=(*notes, *read.notes))
        except Malformed:
            pass  # bytes that only looked wrapped
    return _read(data, standard)


def _read(data: bytes, standard: str | None) -> Read:
    if standard is not None:
        return READERS[standard](data)
    faults = []
    for name in ("etsi", "j2735", "csae53"):
        try:
            return READERS[name](data)
        except Malformed as error:
            faults.append(f"{name}: {error}")
    raise Malformed("message", "of no set that is read; " + "; ".join(faults))


def _unwrapped(data: bytes) -> tuple[bytes | None, tuple[str, ...]]:
    """The message in IEEE 1609.2 data, in China's DSMP, or in the one in the other; None when in neither."""
    notes: tuple[str, ...] = ()
    inside: bytes | None = None
    try:
        aid, inside = opened_dsmp(data)
        notes = (f"DSMP, AID {aid:#x}",)
    except NotWrapped:
        pass
    try:
        inside = opened_1609(data if inside is None else inside)
        notes += ("IEEE 1609.2, its signature not verified",)
    except NotWrapped:
        pass
    return inside, notes


def _csae53(data: bytes) -> Read:
    from rsu_agent.messages.csae53 import codec as csae53  # a tenth of a second that others need not pay

    (name, value), end = csae53.decode_some(data)
    notes = tuple(_rest(data, end))
    if name != "ext:0":
        return Read("csae53", CSAE_NAMES.get(name, name), CSAE_TYPES.get(name), value, notes)
    number = int.from_bytes(value[:2], "big")
    body, _ = open_type(value + bytes(4), 16)
    told = PHASE_2.get(number, "unknown")
    return Read(
        "csae53", f"phase 2, id {number} ({told})", None, body, ("its text is not public: handed over raw",)
    )


def _etsi(data: bytes) -> Read:
    from rsu_agent.messages.etsi import pdu

    notes: tuple[str, ...] = ()
    if data[:1] in GEO_BEGINS or data[12:14] == geonet.ETHERTYPE.to_bytes(2, "big"):
        try:
            carried = geonet.read(data)
        except geonet.NotGeo as error:
            raise Malformed("GeoNetworking", str(error)) from None
        data = carried.payload
        notes = (f"GeoNetworking, station type {carried.station_type}, BTP port {carried.port}",)
        notes += ("signed (IEEE 1609.2), its signature not verified",) * carried.signed
    name, value = pdu.decode(data)
    if name == "SPATEM":
        notes += tuple(_marks(value["spat"], Edition.ISO_19091))
    return Read("etsi", name, name, value, notes)


def _j2735(data: bytes) -> Read:
    from rsu_agent.messages.j2735 import frame

    kind, value = frame.decode(data)
    if isinstance(value, bytes):
        number = int(kind.removeprefix("id:"))
        if number not in frame.NAMES:
            raise Malformed("MessageFrame.messageId", f"{number} is none that is known")
        return Read(
            "j2735", frame.NAMES[number], None, value, ("read it with the licensed schema: --schema",)
        )
    notes = tuple(_marks(value, Edition.J2735_2016)) if kind == "SPAT" else ()
    return Read("j2735", "MAP" if kind == "MapData" else kind, kind, value, notes)


def _marks(spat: dict[str, Any], edition: Edition) -> Iterator[str]:
    try:
        check_time_marks(spat, edition)
    except Malformed as error:
        yield str(error)


def _rest(data: bytes, end: int) -> Iterator[str]:
    """What no sender has a reason for: bits after the message. Raises Malformed for whole bytes of them."""
    left = 8 * len(data) - end
    if left >= 8:
        raise Malformed("MessageFrame", f"ends {left // 8} bytes before the bytes do")
    if int.from_bytes(data, "big") & ((1 << left) - 1):
        yield f"the last {left} bits are padding and not zero"


READERS: dict[str, Callable[[bytes], Read]] = {
    "csae53": _csae53,
    "ydt3709": _csae53,
    "etsi": _etsi,
    "j2735": _j2735,
}
