"""The captures of the TI mmWave driver: made as their origin says, and read as a radar's own would be."""

from __future__ import annotations

import pytest
from ti_captures import FOLDER, STREAMS

from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import Deframer
from drivers.ti_mmwave.numbering import Numbering
from rsu_agent.ports.devices import RadarFrame

CHUNK = 61  # so that nothing falls on a frame's bounds


def replayed(name: str) -> tuple[list[RadarFrame], Deframer]:
    data = (FOLDER / name).read_bytes()
    deframer = Deframer(921_600)
    numbering, reader = Numbering(deframer.counters), FrameReader(deframer.counters)
    frames = []
    for at in range(0, len(data), CHUNK):
        now_s = at * 10 / 921_600
        for raw in deframer.receive(data[at : at + CHUNK], now_s):
            frames.append(reader.read(raw, numbering.take(raw.number), now_s))
    return frames, deframer


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_each_file_is_what_its_origin_says(name: str) -> None:
    assert (FOLDER / name).read_bytes() == STREAMS[name]()
    assert name in (FOLDER / "ORIGIN.txt").read_text()


def test_no_file_is_without_an_origin() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*STREAMS, "ORIGIN.txt"}


def test_out_of_box_every_frame_is_found_and_a_foreign_six_is_no_statistics() -> None:
    frames, deframer = replayed("out_of_box.bin")
    assert [frame.number for frame in frames] == list(range(1000, 1010))
    assert [len(frame.points) for frame in frames] == [2, 2, 2, 0, 2, 2, 2, 2, 2, 2]
    assert frames[2].points[0].x_forward_m == pytest.approx(58.4)
    assert (frames[2].points[0].y_left_m, frames[2].points[0].snr_db) == (-4.0, 21.5)
    counters = deframer.counters
    assert (deframer.variant, counters["skipped_stats"], counters["bad_tlv_length"]) == ("sdk", 1, 1)
    assert (
        not counters["noise_bytes"] + counters["resync_bytes"] + counters["count_lies"] + counters["missed"]
    )


def test_toolbox_targets_are_measured_while_the_index_of_the_next_frame_says_so() -> None:
    frames, deframer = replayed("toolbox.bin")
    assert [frame.targets[0].measured for frame in frames] == [
        True,
        True,
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    assert {frame.targets[0].epoch for frame in frames} == {0}
    assert frames[0].points[0].doppler_mps == pytest.approx(-7.9)
    assert (deframer.counters["skipped_height"], deframer.counters["skipped_presence"]) == (8, 8)


def test_traffic_monitoring_misses_two_frames_and_keeps_its_target() -> None:
    frames, deframer = replayed("traffic_monitoring.bin")
    assert [frame.missed for frame in frames] == [0, 0, 0, 0, 0, 2, 0]
    assert {(frame.targets[0].target, frame.targets[0].epoch) for frame in frames} == {(3, 0)}
    assert frames[0].points[0].snr_db == 30.0
    assert deframer.variant == "traffic_monitoring"


def test_a_short_frame_costs_itself_and_the_missing_ones_are_counted() -> None:
    frames, deframer = replayed("short_frame.bin")
    assert [frame.number for frame in frames] == [21, 22, 23, 33, 34]
    assert [frame.missed for frame in frames] == [0, 0, 0, 9, 0]
    assert (deframer.counters["cut_short"], deframer.counters["frames"]) == (1, 5)


def test_area_gives_moving_and_still_points() -> None:
    frames, deframer = replayed("area.bin")
    assert [[point.snr_db for point in frame.points] for frame in frames] == [[18.0, 25.0, 26.0]] * 5
    assert deframer.variant == "area"
    assert not deframer.counters["index_lies"] + deframer.counters["count_lies"]


def test_a_cooked_terminal_is_suspected_and_its_numbers_are_set_right() -> None:
    frames, deframer = replayed("cooked.bin")
    assert deframer.counters["cooked_tty_suspected"] >= 1
    assert deframer.counters["cooked_numbers"] == 2
    assert [frame.number for frame in frames if frame.number in (10, 266)] == [10, 10, 266, 266]
    assert len(frames) > 60
