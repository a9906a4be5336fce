"""TI mmWave frames laid out as facts/radars.md 1.2 and 1.3 have them, written apart from the driver."""

from __future__ import annotations

import struct
from collections.abc import Sequence

MAGIC = bytes.fromhex("0201040306050807")
COUNTED = {"pc3d_4x"}  # whose TLV lengths include the TLV's own eight bytes
CHECKED = {"pc3d_4x", "traffic_monitoring"}
SIZES = {"sdk": 40, "traffic_monitoring": 52, "pc3d_4x": 48, "area": 44}
CYCLES_A_FRAME = 20_000_000  # 200 MHz and ten frames a second, as measured on two captures
Tlv = tuple[int, bytes]


def built(
    variant: str, number: int, *tlvs: Tlv, total: int | None = None, cycles: int | None = None
) -> bytes:
    """A whole frame; total: a lie about its length; cycles: of the radar's counter."""
    own = 8 if variant in COUNTED else 0
    body = b"".join(struct.pack("<II", kind, len(data) + own) + data for kind, data in tlvs)
    size = SIZES[variant] + len(body)
    padding = 0 if variant == "pc3d_4x" else -size % 32
    whole = size + padding if total is None else total
    now = (number * CYCLES_A_FRAME if cycles is None else cycles) % (1 << 32)
    n = len(tlvs)
    moving, still = (sum(len(data) // 16 for kind, data in tlvs if kind == wanted) for wanted in (1, 8))
    match variant:
        case "sdk":
            head = struct.pack("<8I", 0x03050004, whole, 0xA6843, number, now, moving, n, 0)
        case "area":
            head = struct.pack("<9I", 0x03050004, whole, 0xA6843, number, now, moving, n, 0, still)
        case "pc3d_4x":
            head = struct.pack("<9IHH", 0x04000000, whole, 0xA6843, number, 0, 1, 2, 3, 4, n, 0)
        case _:
            head = struct.pack("<10IHH", 0x03050004, 0xA6843, now, whole, number, 0, 1, 2, 3, 4, n, 0)
    if variant in CHECKED:
        head = head[:-2] + struct.pack("<H", checksum(MAGIC + head))
    return MAGIC + head + body + bytes(padding)


def checksum(head: bytes) -> int:
    """Complement of the folded sum of the header's words, its own place zero."""
    words = sum(struct.unpack(f"<{len(head) // 2}H", head))
    return ~((words >> 16) + (words & 0xFFFF)) & 0xFFFF


def floats(*rows: Sequence[float]) -> bytes:
    """Points of four floats: x right, y forward, z up, doppler; or range, azimuth, elevation, doppler."""
    return b"".join(struct.pack("<4f", *row) for row in rows)


def side(*rows: tuple[float, float]) -> bytes:
    """Signal to noise and noise of each point, dB."""
    return b"".join(struct.pack("<hh", round(snr * 10), round(noise * 10)) for snr, noise in rows)


UNITS = (0.01, 0.01, 0.00028, 0.00025, 0.04)  # elevation, azimuth, doppler, range, snr: of a real capture


def compressed(*rows: tuple[int, int, int, int, int], units: Sequence[float] = UNITS) -> bytes:
    """Raw figures of each point: elevation, azimuth, doppler, range, snr."""
    return struct.pack("<5f", *units) + b"".join(struct.pack("<bbhHH", *row) for row in rows)


def extended(*rows: tuple[int, ...], units: Sequence[float] = (0.01, 0.02, 0.25, 0.5)) -> bytes:
    """Raw figures of each point: x, y, z, doppler, snr, noise (TLV 301)."""
    return struct.pack("<4fHH", *units, len(rows), 0) + b"".join(struct.pack("<4hBB", *row) for row in rows)


IDENTITY = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)


def target(
    tid: int,
    place: tuple[float, float] = (1.0, 20.0),
    speed: tuple[float, float] = (0.25, -3.0),
    covariance: Sequence[float] = IDENTITY,
    confidence: float = 0.9,
) -> bytes:
    """A target of 112 bytes; place and speed: to the right, forward."""
    (x, y), (vx, vy) = place, speed
    return struct.pack("<I27f", tid, x, y, 0.5, vx, vy, 0.0, 0.0, 0.0, 0.0, *covariance, 1.5, confidence)


def short_target(tid: int, size: int) -> bytes:
    """A target of another tracker build: 1.0 to the right, 20.0 forward, speed 0.25 and -3.0."""
    plane = (1.0, 20.0, 0.25, -3.0, 0.0, 0.0)
    third = {108: (0.5, 0.0, 0.0), 40: (0.5, 0.0, 0.0)}.get(size, ())
    covariance = {108: IDENTITY, 72: IDENTITY[:1] * 9, 68: IDENTITY[:1] * 9}.get(size, ())
    ends = {108: (1.5,), 72: (1.5, 0.9), 68: (1.5,)}.get(size, ())
    row = (*plane, *third, *covariance, *ends)
    assert 4 + 4 * len(row) == size
    return struct.pack(f"<I{len(row)}f", tid, *row)
