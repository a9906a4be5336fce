"""The streams of drivers/ti_mmwave/captures, made from the facts; run as a program it writes them."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from ti_frames import Tlv, built, compressed, floats, side, target

import drivers.ti_mmwave

FOLDER = Path(drivers.ti_mmwave.__path__[0]) / "captures"
STATISTICS, FOREIGN = (6, struct.pack("<6I", 9000, 2000, 80000, 50, 21, 14)), (6, bytes(range(128)))


def car(frame: int) -> tuple[float, float, float, float]:
    """One return of a car 4 m to the right that draws near at 8 m/s from 60 m, ten frames a second."""
    return 4.0, 60.0 - 0.8 * frame, -5.0, -7.9


def out_of_box() -> bytes:
    """Header A: points, side information; frame 3 none (TLV 1 of length 0), 5 statistics, 6 a foreign 6."""
    frames = []
    for frame in range(10):
        rows = [] if frame == 3 else [car(frame), (-9.0, 33.0, -5.5, 0.0)]
        tlvs: list[Tlv] = [(1, floats(*rows)), (7, side(*[(21.5, 40.0) for _ in rows]))]
        tlvs += {5: [STATISTICS], 6: [FOREIGN]}.get(frame, [])
        frames.append(built("sdk", 1000 + frame, *tlvs))
    return b"".join(frames)


def toolbox() -> bytes:
    """Header A, the Toolbox' numbers: compressed points, target, index one frame late, height, presence."""
    frames = []
    for frame in range(8):
        cloud = compressed(
            (-9, 7, -7900, 60000 - 800 * frame, 500),
            (0, -3, 0, 33000, 300),
            units=(0.01, 0.01, 0.001, 0.001, 0.04),
        )
        place = 4.0, 60.0 - 0.8 * frame
        tlvs: list[Tlv] = [(1020, cloud), (1010, target(17, place, (0.0, -8.0)))]
        tlvs += [] if frame == 0 else [(1011, bytes((17 if frame != 4 else 253, 255)))]
        tlvs += [(1012, struct.pack("<I2f", 17, 1.5, 0.0)), (1021, struct.pack("<I", 1))]
        frames.append(built("sdk", frame + 1, *tlvs))
    return b"".join(frames)


def traffic_monitoring() -> bytes:
    """Header B: spherical points (6), side information (9), targets (7), index (8); 205, 206 are missing."""
    frames = []
    for frame in (200, 201, 202, 203, 204, 207, 208):
        away = 70.0 - 0.4 * (frame - 200)
        tlvs = [(6, floats((away, 0.1, -0.05, -7.9))), (9, side((30.0, 41.0)))]
        tlvs += [(7, target(3, (7.0, away - 0.3), (0.0, -8.0))), (8, bytes((3,)))]
        frames.append(built("traffic_monitoring", frame, *tlvs, cycles=frame * 10_000_000))
    return b"".join(frames)


def short_frame() -> bytes:
    """Header C: frame 24 announces 400 bytes with a good checksum, 80 follow; then 25 to 32 are missing."""
    cloud = (6, compressed(*[(0, 10 * k, 100, 8000, 600) for k in range(-4, 5)]))
    whole = [built("pc3d_4x", number, cloud, (7, target(1))) for number in (21, 22, 23)]
    short = built("pc3d_4x", 24, cloud, (7, target(1)), total=400)[:80]
    later = [built("pc3d_4x", number, cloud, (7, target(1)), (8, bytes([1] * 9))) for number in (33, 34)]
    return b"".join([*whole, short, *later])


def area() -> bytes:
    """Header D: moving spherical points (1, 7), still Cartesian ones (8, 9), target (10), its index (11)."""
    frames = []
    for frame in range(5):
        tlvs = [(1, floats((12.0 - 0.1 * frame, 0.3, 0.0, -1.0))), (7, side((18.0, 30.0)))]
        tlvs += [
            (8, floats((1.0, 6.0, 0.0, 0.0), (2.0, 7.0, 0.0, 0.0))),
            (9, side((25.0, 30.0), (26.0, 30.0))),
        ]
        tlvs += [(10, target(0, (3.5, 11.0), (0.0, -1.0)))] + ([(11, b"\0")] if frame else [])
        frames.append(built("area", 7 + frame, *tlvs))
    return b"".join(frames)


def cooked() -> bytes:
    """Header A through a terminal that makes carriage returns line feeds: 13 becomes 10, 0x10D 0x10A."""
    dice, frames = random.Random(11), []
    for number in (*range(1, 40), *range(258, 290)):
        rows = [(dice.uniform(-9, 9), dice.uniform(5, 60), 0.0, dice.uniform(-9, 9)) for _ in range(5)]
        frames.append(built("sdk", number, (1, floats(*rows)), (7, side(*[(20.0, 40.0)] * 5))))
    return b"".join(frames).replace(b"\r", b"\n")


STREAMS = {
    "out_of_box.bin": out_of_box,
    "toolbox.bin": toolbox,
    "traffic_monitoring.bin": traffic_monitoring,
    "short_frame.bin": short_frame,
    "area.bin": area,
    "cooked.bin": cooked,
}

if __name__ == "__main__":
    for name, make in STREAMS.items():
        (FOLDER / name).write_bytes(make())
