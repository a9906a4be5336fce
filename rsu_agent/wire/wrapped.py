"""What stands around a message on its way: IEEE 1609.2 data and China's DSMP, opened and not verified."""

from __future__ import annotations

VERSION_3, UNSECURED, SIGNED = 0x03, 0x80, 0x81
DATA_PRESENT = 0x40  # SignedDataPayload: the data itself is there, not only its hash
HASHES = (0x00, 0x01, 0x02)  # sha256, sha384, sm3
DSMP_FAMILY, DSMP_VERSION_0 = 0x04, 0x00  # YD/T 3707: protocol type of the adaptation layer; first octet
LONGEST_AID = 4


class NotWrapped(ValueError):
    """Bytes that are no such wrapper, or one whose message cannot be reached; says why."""


def opened_1609(data: bytes) -> bytes:
    """The payload of an Ieee1609Dot2Data (COER), unsecured or signed. Raises NotWrapped.

    A signature is not verified: who reads a log wants to see what was said, not to trust it.
    """
    at = 0
    if data[:2] == bytes([VERSION_3, SIGNED]):
        if len(data) < 6 or data[2] not in HASHES or data[3] != DATA_PRESENT:
            raise NotWrapped("signed without its data inside")
        at = 4
    if data[at : at + 2] != bytes([VERSION_3, UNSECURED]):
        raise NotWrapped("no IEEE 1609.2 data of version 3, or encrypted")
    size, begin = _length(data, at + 2)
    payload = data[begin : begin + size]
    if len(payload) < size:
        raise NotWrapped(f"{size} bytes announced, {len(payload)} follow")
    return payload


def opened_dsmp(data: bytes) -> tuple[int, bytes]:
    """(AID, payload) of a DSM with or without its adaptation octet (facts/radio.md 3.1). Raises NotWrapped.

    The AID's own length is told by its first bits, as in a PSID; the length field must fit to the byte.
    """
    at = 1 if data[:2] == bytes([DSMP_FAMILY, DSMP_VERSION_0]) else 0
    if data[at : at + 1] != bytes([DSMP_VERSION_0]) or len(data) < at + 5:
        raise NotWrapped("no DSM of version 0")
    first = data[at + 1]
    width = next((n for n in range(1, LONGEST_AID + 1) if not first >> (8 - n) & 1), None)
    if width is None:
        raise NotWrapped(f"no AID begins with {first:#04x}")
    begin = at + 1 + width + 2
    aid = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    size = int.from_bytes(data[begin - 2 : begin], "big")
    if begin > len(data) or size == 0 or size != len(data) - begin:
        raise NotWrapped(f"{size} bytes announced, {len(data) - begin} follow")
    return aid, data[begin:]


def _length(data: bytes, at: int) -> tuple[int, int]:
    """(length, where it ends) of a COER length determinant."""
    first = data[at] if at < len(data) else 0
    if first < 0x80:
        return first, at + 1
    width = first & 0x7F
    if not 1 <= width <= 2 or at + 1 + width > len(data):
        raise NotWrapped("its length cannot be read")
    return int.from_bytes(data[at + 1 : at + 1 + width], "big"), at + 1 + width
