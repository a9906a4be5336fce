"""The virtual radar's own writing of TI mmWave frames, read by the driver: two readings of the same facts."""

from __future__ import annotations

import random

import pytest

from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import Deframer
from drivers.ti_mmwave.numbering import Numbering
from drivers.ti_mmwave.radar_time import RadarTime
from hil.devices.ti_codec import Point, frame40, frame48
from rsu_agent.ports.devices import RadarFrame


def clouds(count: int) -> list[list[Point]]:
    dice = random.Random(21)
    return [
        [
            (
                dice.uniform(-20, 20),
                dice.uniform(15, 70),
                dice.uniform(-6, 0),
                dice.gauss(0, 9),
                dice.uniform(5, 30),
            )
            for _ in range(dice.randrange(12))
        ]
        for _ in range(count)
    ]


def heard(frames: list[bytes]) -> tuple[list[RadarFrame], Deframer, list[float]]:
    """Frames sent 50 ms after they were measured, ten a second, in whole."""
    deframer = Deframer(921_600)
    numbering, radar_time, reader = Numbering(deframer.counters), RadarTime(), FrameReader(deframer.counters)
    told, stamps = [], []
    for place, frame in enumerate(frames):
        sent_s = place * 0.1 + 0.05
        arrived = deframer.receive(frame, sent_s + len(frame) * 10 / 921_600)
        for raw in (*arrived, *deframer.pause()):
            numbered = numbering.take(raw.number)
            measured_s = radar_time.measured_s(numbered.number, raw.header.cycles, raw.first_byte_s) - 0.05
            told.append(reader.read(raw, numbered, measured_s))
            stamps.append(place * 0.1)
    return told, deframer, stamps


@pytest.mark.parametrize(
    ("write", "variant", "place_m", "doppler_mps"),
    [(frame40, "sdk", 1e-4, 1e-5), (frame48, "pc3d_4x", 0.9, 0.001)],
)
def test_what_the_virtual_radar_writes_is_what_the_driver_reads(
    write: object, variant: str, place_m: float, doppler_mps: float
) -> None:
    assert callable(write)
    sent = clouds(80)
    frames, deframer, stamps = heard([write(500 + n, n * 0.1, cloud) for n, cloud in enumerate(sent)])
    assert [frame.number for frame in frames] == list(range(500, 580))
    assert deframer.variant == variant
    assert (
        not deframer.counters["noise_bytes"] + deframer.counters["resync_bytes"] + deframer.counters["missed"]
    )
    for frame, cloud, true_s in zip(frames, sent, stamps, strict=True):
        assert len(frame.points) == len(cloud)
        assert frame.measured_s == pytest.approx(true_s, abs=1e-4)
        for point, (x, y, z, doppler, snr) in zip(frame.points, cloud, strict=True):
            assert (point.x_forward_m, point.y_left_m) == pytest.approx((y, -x), abs=place_m)
            assert point.z_up_m == pytest.approx(z, abs=place_m)
            assert point.doppler_mps == pytest.approx(doppler, abs=doppler_mps)
            assert point.snr_db == pytest.approx(snr, abs=0.11)
