"""Frames of TI mmWave demos: four headers, and what stands in them (facts/radars 1.2, 1.3)."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.devices.radar_model import Return
from hil.devices.ti_codec import MAGIC, PLATFORM, UNITS, VERSION

NOISE_DB = 20.0
NO_TRACK, WEAK, OUTSIDE = 255, 253, 254  # of the index
TARGET_BYTES = 112
CYCLES_HZ = 200e6  # measured on two captures of the 6843


@dataclass(frozen=True, slots=True)
class Target:
    """One row of a target list: right, forward, up of the sensor (m, m/s, m/s²)."""

    number: int
    place: tuple[float, float, float]
    speed: tuple[float, float, float]
    acceleration: tuple[float, float, float]
    spread: tuple[float, float, float, float]  # variances of range, azimuth, elevation, doppler
    gain: float
    confidence: float
    height_m: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What one frame tells. index: of the points of the frame before, None where there are no targets."""

    number: int
    own_s: float
    points: Sequence[Return] = ()
    still: Sequence[Return] = ()
    targets: Sequence[Target] = ()
    index: bytes | None = None
    noise_db: float = NOISE_DB


Payload = Callable[[Measured], bytes | None]


@dataclass(frozen=True, slots=True)
class Profile:
    """One demo. counts_itself: its lengths of TLV include their eight bytes. tlvs: in the order sent."""

    name: str
    period_s: float
    head: Callable[[int, int, Measured], bytes]
    total_at: int
    head_bytes: int
    counts_itself: bool
    padded: bool
    tlvs: tuple[tuple[int, Payload], ...]
    checked_at: int | None = None


def frame(profile: Profile, told: Measured) -> bytes:
    """One whole frame."""
    bodies = [(number, payload(told)) for number, payload in profile.tlvs]
    sent = [(number, body) for number, body in bodies if body is not None]
    more = 8 if profile.counts_itself else 0
    data = b"".join(struct.pack("<II", number, len(body) + more) + body for number, body in sent)
    total = profile.head_bytes + len(data)
    if profile.padded:
        total += -total % 32
    head = MAGIC + profile.head(total, len(sent), told)
    return (with_check(profile, head) + data).ljust(total, b"\0")


def with_check(profile: Profile, head: bytes) -> bytes:
    """The header with its checksum: the complement of the folded sum of its 16-bit words."""
    at = profile.checked_at
    if at is None:
        return head
    bare = head[:at] + b"\0\0" + head[at + 2 :]
    total = sum(struct.unpack(f"<{len(bare) // 2}H", bare))
    check = ~((total >> 16) + (total & 0xFFFF)) & 0xFFFF
    return head[:at] + struct.pack("<H", check) + head[at + 2 :]


def lied(profile: Profile, data: bytes, dice: random.Random) -> bytes:
    """The frame with one untrue length, its checksum made to fit."""
    head, body = bytearray(data[: profile.head_bytes]), bytearray(data[profile.head_bytes :])
    if len(head) < profile.head_bytes:
        return data
    total = struct.unpack_from("<I", head, profile.total_at)[0]
    match dice.randrange(3):
        case 0:
            untrue = dice.choice((8, total - 7, total + 13, total + 32, 70_000))
            struct.pack_into("<I", head, profile.total_at, untrue)
        case 1 if len(body) >= 8:
            length = struct.unpack_from("<I", body, 4)[0]
            struct.pack_into("<I", body, 4, dice.choice((length + 5, length + 4000, 0xFFFFFFFF)))
        case _:
            at = COUNT_AT[profile.head_bytes]
            struct.pack_into("<H", head, at, struct.unpack_from("<H", head, at)[0] + dice.choice((1, 7, 300)))
    return with_check(profile, bytes(head)) + bytes(body)


COUNT_AT = {40: 32, 44: 32, 48: 44, 52: 48}  # where each header has its number of TLVs


def _cycles(told: Measured) -> int:
    return int(told.own_s * CYCLES_HZ) & 0xFFFFFFFF


def _head40(total: int, tlvs: int, told: Measured) -> bytes:
    cycles = _cycles(told)
    return struct.pack(
        "<8I", VERSION, total, PLATFORM, told.number & 0xFFFFFFFF, cycles, len(told.points), tlvs, 0
    )


def _head44(total: int, tlvs: int, told: Measured) -> bytes:
    return _head40(total, tlvs, told) + struct.pack("<I", len(told.still))


def _head52(total: int, tlvs: int, told: Measured) -> bytes:
    margins = (60, 20_000, 900, 3_000)  # chirp, frame, tracker, UART: microseconds
    number, cycles = told.number & 0xFFFFFFFF, _cycles(told)
    return struct.pack("<10I2H", VERSION, PLATFORM, cycles, total, number, 0, *margins, tlvs, 0)


def _head48(total: int, tlvs: int, told: Measured) -> bytes:
    margins = (60, 20_000, 900, 3_000)
    return struct.pack("<9I2H", VERSION, total, PLATFORM, told.number & 0xFFFFFFFF, 0, *margins, tlvs, 0)


def _cartesian(told: Measured) -> bytes:
    """Sent with no points too, then empty."""
    return b"".join(struct.pack("<4f", *each.xyz, each.doppler_mps) for each in told.points)


def _still_cartesian(told: Measured) -> bytes | None:
    return b"".join(struct.pack("<4f", *each.xyz, 0.0) for each in told.still) or None


def _spherical(told: Measured) -> bytes | None:
    points = [(p.range_m, p.azimuth_rad, p.elevation_rad, p.doppler_mps) for p in told.points]
    return b"".join(struct.pack("<4f", *point) for point in points) or None


def _side_of(points: Sequence[Return], noise_db: float, form: str) -> bytes | None:
    noise = round(noise_db * 10)
    return b"".join(struct.pack(form, round(each.snr_db * 10), noise) for each in points) or None


def _side(told: Measured) -> bytes | None:
    return _side_of(told.points, told.noise_db, "<HH")


def _side_signed(told: Measured) -> bytes | None:
    return _side_of(told.points, told.noise_db, "<hh")


def _side_still(told: Measured) -> bytes | None:
    return _side_of(told.still, told.noise_db, "<HH")


def _stats(told: Measured) -> bytes:
    """Processing, transmitting, margins in microseconds, and two loads in per cent."""
    return struct.pack("<6I", 9_000, 2_000 + 8 * len(told.points), 80_000, 25, 12, 4)


def _compressed(told: Measured) -> bytes | None:
    if not told.points:
        return None
    limits = ((-128, 127), (-128, 127), (-32768, 32767), (0, 65535), (0, 65535))
    rows = [struct.pack("<5f", *UNITS)]
    for p in told.points:
        values = (p.elevation_rad, p.azimuth_rad, p.doppler_mps, p.range_m, p.snr_db)
        raw = [
            max(low, min(high, round(value / unit)))
            for value, unit, (low, high) in zip(values, UNITS, limits, strict=True)
        ]
        rows.append(struct.pack("<bbhHH", *raw))
    return b"".join(rows)


def _targets(told: Measured) -> bytes | None:
    return b"".join(map(_target, told.targets)) or None


def _target(target: Target) -> bytes:
    spread = [0.0] * 16
    spread[0::5] = target.spread
    moving = (*target.place, *target.speed, *target.acceleration)
    return struct.pack("<I27f", target.number, *moving, *spread, target.gain, target.confidence)


def _heights(told: Measured) -> bytes | None:
    rows = [struct.pack("<I2f", t.number, t.height_m, 0.0) for t in told.targets]
    return b"".join(rows) or None


def _index(told: Measured) -> bytes | None:
    return told.index


def _presence(told: Measured) -> bytes:
    return struct.pack("<I", int(bool(told.targets)))


PROFILES = {
    "sdk": Profile(
        "sdk", 0.1, _head40, 12, 40, False, True, ((1, _cartesian), (7, _side), (6, _stats))
    ),
    "toolbox": Profile(
        "toolbox", 0.1, _head40, 12, 40, False, True,
        ((1020, _compressed), (1010, _targets), (1011, _index), (1012, _heights), (1021, _presence)),
    ),
    "traffic_monitoring": Profile(
        "traffic_monitoring", 0.05, _head52, 20, 52, False, True,
        ((6, _spherical), (9, _side_signed), (7, _targets), (8, _index)), 50,
    ),
    "pc3d_4x": Profile(
        "pc3d_4x", 0.055, _head48, 12, 48, True, False,
        ((6, _compressed), (7, _targets), (8, _index), (11, _presence)), 46,
    ),
    "area": Profile(
        "area", 0.1, _head44, 12, 44, False, True,
        (
            (1, _spherical), (7, _side), (8, _still_cartesian), (9, _side_still),
            (10, _targets), (11, _index),
        ),
    ),
}  # fmt: skip


def spread_of(away_m: float, azimuth_sd_rad: float) -> tuple[float, float, float, float]:
    """Variances of range, azimuth, elevation and doppler of a target so far away."""
    return (0.04 + (0.002 * away_m) ** 2, azimuth_sd_rad**2, (2.0 * azimuth_sd_rad) ** 2, math.pow(0.3, 2))
