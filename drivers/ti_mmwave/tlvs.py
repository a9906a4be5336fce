"""What each TLV holds, by demo: points, side information, targets, their index, and what is passed over."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from drivers.ti_mmwave.wire import Tlv
from rsu_agent.ports.devices import RadarPoint

BELIEVED = 1000.0  # metres, metres a second, decibels: no return of such a radar has a larger figure

Rows = list[RadarPoint | None]  # None: a row whose figures cannot be; it keeps its place for the index


class Role(Enum):
    """What a TLV is for. SIDE goes with POINTS, SIDE_STILL with STILL (points of what does not move)."""

    POINTS = auto()
    SIDE = auto()
    STILL = auto()
    SIDE_STILL = auto()
    TARGETS = auto()
    INDEX = auto()
    PASSED_OVER = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """One TLV: its name, size of a row and of the head before the rows; row 0: any size."""

    role: Role
    name: str
    row: int
    head: int = 0
    exactly: int | None = None  # so many rows
    read: Callable[[bytes], Rows] | None = None

    def fits(self, size: int, target_bytes: int) -> bool:
        """Whether a TLV of this size can be it; target_bytes: size of a row of targets."""
        row = target_bytes if self.role is Role.TARGETS else self.row
        if row == 0 or (size == 0 and self.exactly is None):
            return True  # real captures have points of length 0
        rows, rest = divmod(size - self.head, row)
        return rest == 0 and rows >= 0 and self.exactly in (None, rows)


def cartesian(data: bytes) -> Rows:
    """x right, y forward, z up (m), doppler (m/s, away positive): four floats a point."""
    return [_point(y, x, z, doppler) for x, y, z, doppler in struct.iter_unpack("<4f", data)]


def spherical(data: bytes) -> Rows:
    """Range (m), azimuth (rad, right positive), elevation (rad), doppler (m/s): four floats a point."""
    return [_from_angles(*row) for row in struct.iter_unpack("<4f", data)]


def compressed(data: bytes) -> Rows:
    """Five units (elevation, azimuth, doppler, range, snr), then eight bytes a point in that order."""
    elevation_u, azimuth_u, doppler_u, range_u, snr_u = struct.unpack_from("<5f", data)
    return [
        _from_angles(
            away * range_u, azimuth * azimuth_u, elevation * elevation_u, doppler * doppler_u, snr * snr_u
        )
        for elevation, azimuth, doppler, away, snr in struct.iter_unpack("<bbhHH", data[20:])
    ]


def extended(data: bytes) -> Rows:
    """Units of place, doppler, snr, noise; two counts; then x, y, z, doppler i16, snr, noise u8 a point."""
    place_u, doppler_u, snr_u, _ = struct.unpack_from("<4f", data)
    return [
        _point(y * place_u, x * place_u, z * place_u, doppler * doppler_u, snr * snr_u)
        for x, y, z, doppler, snr, _ in struct.iter_unpack("<4hBB", data[20:])
    ]


def side_information(data: bytes) -> list[float]:
    """Signal to noise of each point in dB, from pairs of snr and noise in 0.1 dB."""
    return [snr / 10 for snr, _ in struct.iter_unpack("<hh", data)]


def _point(
    forward: float, right: float, up: float, doppler: float, snr: float | None = None
) -> RadarPoint | None:
    """TI's axes (x right, y forward) in the order of ours; not-a-number fails every comparison."""
    if not all(abs(figure) <= BELIEVED for figure in (forward, right, up, doppler, snr or 0.0)):
        return None
    return RadarPoint(forward, -right, up, doppler, snr)


def _from_angles(
    away: float, azimuth: float, elevation: float, doppler: float, snr: float | None = None
) -> RadarPoint | None:
    if not (abs(azimuth) <= BELIEVED and abs(elevation) <= BELIEVED and abs(away) <= BELIEVED):
        return None
    flat = away * math.cos(elevation)
    return _point(
        flat * math.cos(azimuth), flat * math.sin(azimuth), away * math.sin(elevation), doppler, snr
    )


_CARTESIAN = Part(Role.POINTS, "points", 16, read=cartesian)
_SPHERICAL = Part(Role.POINTS, "points", 16, read=spherical)
_COMPRESSED = Part(Role.POINTS, "points", 8, 20, read=compressed)
_EXTENDED = Part(Role.POINTS, "points", 10, 20, read=extended)
_SIDE = Part(Role.SIDE, "side", 4)
_TARGETS = Part(Role.TARGETS, "targets", 0)
_INDEX = Part(Role.INDEX, "index", 1)


def _other(name: str, row: int = 0, exactly: int | None = None) -> Part:
    return Part(Role.PASSED_OVER, name, row, exactly=exactly)


# Numbers are relative to the demo, which shows in the header (facts/radars.md 1.3). 1000 and up, 301, 308 and
# 309 are of the Radar Toolbox, which keeps the SDK's header.
PARTS: dict[str, dict[int, Part]] = {
    "sdk": {
        1: _CARTESIAN,
        2: _other("range_profile", 2),
        3: _other("noise_profile", 2),
        4: _other("azimuth_heatmap"),
        5: _other("range_doppler"),
        6: _other("stats", 24, exactly=1),
        7: _SIDE,
        8: _other("heatmap"),
        9: _other("temperature", 28, exactly=1),
        301: _EXTENDED,
        308: _TARGETS,
        309: _INDEX,
        1000: _SPHERICAL,
        1010: _TARGETS,
        1011: _INDEX,
        1012: _other("height", 12),
        1020: _COMPRESSED,
        1021: _other("presence", 4, exactly=1),
        1030: _other("occupancy", 4, exactly=1),
    },
    "traffic_monitoring": {6: _SPHERICAL, 7: _TARGETS, 8: _INDEX, 9: _SIDE},
    "pc3d_4x": {6: _COMPRESSED, 7: _TARGETS, 8: _INDEX, 11: _other("presence", 4, exactly=1)},
    "area": {
        1: _SPHERICAL,
        7: _SIDE,
        8: Part(Role.STILL, "still points", 16, read=cartesian),
        9: Part(Role.SIDE_STILL, "side", 4),
        10: _TARGETS,
        11: _INDEX,
    },
}
COMPARED = {("sdk", 1), ("area", 1)}  # TLVs whose rows the header counts too (numDetectedObj)


def known(variant: str, tlv: Tlv, target_bytes: int = 112) -> bool:
    """Whether this variant has such a TLV, of such a size."""
    part = PARTS[variant].get(tlv.type)
    return part is not None and part.fits(len(tlv.data), target_bytes)
