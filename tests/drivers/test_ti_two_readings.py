"""The virtual radar's own writing of TI mmWave frames, read by the driver: two readings of the same facts."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from drivers.ti_mmwave.configuration import Configuration, read_configuration
from drivers.ti_mmwave.console import Console
from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import Deframer
from drivers.ti_mmwave.numbering import Numbering
from drivers.ti_mmwave.radar_time import RadarTime
from drivers.ti_mmwave.start import starting
from hil.devices.ti_codec import Point, frame40, frame48
from hil.devices.ti_console import FRONT_END, PROCESSING, TRACKING, TiConsole
from hil.devices.ti_frames import PROFILES
from hil.devices.ti_front import TiFront
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.trouble import DeviceLost
from tests.hil.radar_road import fitting, run, user


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


# The whole virtual unit: its profiles, its tracker, its gaps


def driven(profile: str, **options: str) -> tuple[list[RadarFrame], Deframer, TiFront]:
    """A car and a bus draw near for eight seconds; what the driver makes of it."""
    front = TiFront(fitting(seed=3, profile=profile, **options))
    road = [user(-3.0, 75.0, 0.0, -8.0), user(5.0, 60.0, 0.0, -5.0, "bus", 2)]
    deframer = Deframer(921_600)
    numbering, radar_time, reader = Numbering(deframer.counters), RadarTime(), FrameReader(deframer.counters)
    frames = []
    for at_s, data in run(front, road, 0.0, 8.0):
        arrived = deframer.receive(data, at_s + len(data) * 10 / 921_600)
        for raw in (*arrived, *deframer.pause()):
            numbered = numbering.take(raw.number)
            measured_s = radar_time.measured_s(numbered.number, raw.header.cycles, raw.first_byte_s)
            frames.append(reader.read(raw, numbered, measured_s - 0.05))
    return frames, deframer, front


LIES = (
    "bad_points",
    "bad_targets",
    "bad_tid",
    "bad_covariance",
    "bad_tlv_length",
    "other_tlvs",
    "doubled_tlvs",
)
LIES += (
    "count_lies",
    "side_lies",
    "index_lies",
    "noise_bytes",
    "resync_bytes",
    "missed",
    "doppler_sign_mismatch",
)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_of_the_virtual_unit_is_recognised_and_read_without_a_doubt(profile: str) -> None:
    frames, deframer, front = driven(profile, gaps="0")
    assert deframer.variant == ("sdk" if profile == "toolbox" else profile)
    assert len(frames) == pytest.approx(8.0 / front.profile.period_s, abs=2)
    assert {name: deframer.counters[name] for name in LIES} == dict.fromkeys(LIES, 0)
    assert sum(len(frame.points) for frame in frames) > 2 * len(frames)
    assert all(point.snr_db is not None for frame in frames for point in frame.points)


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"sdk"}))
def test_the_tracks_of_the_virtual_unit_are_where_the_users_are(profile: str) -> None:
    frames, _, _ = driven(profile, gaps="0")
    near = [
        target
        for frame in frames[len(frames) // 2 :]
        for target in frame.targets
        if abs(target.x_forward_m - (75.0 - 8.0 * frame.measured_s)) < 4.0
        and abs(target.y_left_m - 3.0) < 4.0
    ]
    assert len(near) > len(frames) // 4
    assert {target.vx_forward_mps < -4.0 for target in near} == {True}
    assert any(target.measured for target in near)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_short_frame_and_its_gap_cost_the_virtual_unit_nothing_else(profile: str) -> None:
    front = TiFront(fitting(seed=3, profile=profile, gaps="0"))
    sent = [data for _, data in run(front, [user(-3.0, 75.0, 0.0, -8.0)], 0.0, 4.0)]
    sent[10:19] = [sent[10][:80]]
    deframer = Deframer(921_600)
    numbering = Numbering(deframer.counters)
    found = [raw.number for data in sent for raw in (*deframer.receive(data, 1.0), *deframer.pause())]
    assert len(found) == len(sent) - 1
    assert [numbering.take(number).missed for number in found][10] == 9
    assert [b - a for a, b in pairwise(found)].count(10) == 1


# Its command line


def configuration(power: str = "0 0") -> Configuration:
    """Every command that the virtual unit knows and demands."""
    names = (name for name in (*FRONT_END, *PROCESSING, *TRACKING) if name != "lowPower")
    lines = [
        "sensorStop",
        "flushCfg",
        *(f"{name} 1 2 3" for name in names),
        f"lowPower {power}",
        "sensorStart",
    ]
    return read_configuration("\n".join(lines))


def talk(unit: TiConsole, wanted: Configuration, started: str | None) -> Counter[str]:
    """Start the unit as the driver does; silence lasts as long as it must. Raises DeviceLost."""
    counters: Counter[str] = Counter()
    console, dialogue, now_s = Console(counters), starting(wanted, started), 0.0
    command = next(dialogue)
    while True:
        console.ask(command, now_s)
        while console.reply is None:
            now_s = max(now_s, console.wake_s())
            for byte in unit.hear(console.next_bytes(now_s) or b""):
                console.receive(bytes([byte]), now_s)
        try:
            command = dialogue.send(console.reply)
        except StopIteration:
            return counters


def test_the_virtual_unit_is_configured_once_and_then_only_started_again() -> None:
    unit, wanted = TiConsole("traffic_monitoring", warm=False), configuration()
    assert talk(unit, wanted, None)["cli_commands"] == 2 + len(wanted.commands)
    assert unit.running
    assert talk(unit, wanted, wanted.digest)["cli_commands"] == 2
    assert unit.running
    assert not unit.hung


def test_the_virtual_unit_is_never_hung_and_a_hung_one_needs_a_power_cycle() -> None:
    unit, wanted = TiConsole("traffic_monitoring", warm=False), configuration()
    talk(unit, wanted, None)
    with pytest.raises(DeviceLost, match="another configuration"):
        talk(unit, configuration("0 1"), wanted.digest)
    assert not unit.hung
    unit.hear(b"lowPower 0 1\n")
    assert unit.hung
    with pytest.raises(DeviceLost, match="timeout") as lost:
        talk(unit, wanted, wanted.digest)
    assert lost.value.hint.startswith("needs power-cycle")
    unit.reset()
    talk(unit, configuration("0 1"), wanted.digest)
    assert unit.running
