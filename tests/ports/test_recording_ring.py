"""The ring: files of some minutes, bounded by hours and bytes, each telling by itself who speaks in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rsu_agent.ports.recording import (
    BEGUN,
    DROPPED,
    FILE_S,
    START,
    TORN,
    Recorder,
    Recording,
    read_recording,
    segments,
)


def fill(folder: Path, minutes: int, hours: int, mb: int = 8, from_s: float = 0.0) -> None:
    recorder = Recorder(folder, mb, "t", hours)
    recorder.record(START, from_s, site="t", utc_s=1.8e9)
    for minute in range(minutes):
        recorder.record("/air", from_s + minute * 60.0, kind="SPAT", data=b"x" * 50)
    recorder.close()


def test_a_file_ends_after_some_minutes_and_the_next_tells_who_speaks(tmp_path: Path) -> None:
    fill(tmp_path, 16, 12)
    files = segments(tmp_path)
    assert len(files) == 4
    firsts = [next(iter(read_recording(file))) for file in files]
    assert [first.topic for first in firsts] == [START, BEGUN, BEGUN, BEGUN]
    assert {first.value["site"] for first in firsts} == {"t"}
    assert firsts[2].value["began_s"] == 0.0
    spans = [[e.at_s for e in read_recording(file)] for file in files]
    assert all(max(span) - min(span) < FILE_S for span in spans)


def test_it_reaches_back_so_many_hours_of_running(tmp_path: Path) -> None:
    fill(tmp_path, 120, 1)
    for file in segments(tmp_path):
        os.utime(file, (1e9, 1e9))  # all of them are old
    fill(tmp_path, 6, 1, from_s=7200.0)
    kept = segments(tmp_path)
    assert len(kept) == 3600 / FILE_S
    assert not [e for e in read_recording(tmp_path) if e.topic == TORN], "what goes, goes from its old end"


def test_a_clock_that_leaps_forgets_nothing_of_the_last_hours(tmp_path: Path) -> None:
    fill(tmp_path, 30, 1)
    before = segments(tmp_path)
    for file in before:
        os.utime(file, (0, 0))  # written in 1970
    fill(tmp_path, 6, 1, from_s=1800.0)
    assert set(before) <= set(segments(tmp_path))


def test_it_stays_within_its_bytes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 1, "t", 12)
    for at in range(3000):
        recorder.record("/line", at / 10, data=os.urandom(1500))
    recorder.close()
    assert sum(file.stat().st_size for file in segments(tmp_path)) <= (1 << 20) + (64 << 10)


KILLED = """
import sys
from pathlib import Path
from rsu_agent.ports.recording import Recorder
recorder = Recorder(Path(sys.argv[1]), 8, "t", 12)
at = 0
while True:
    if recorder.waiting < 200:
        at += 1
        recorder.record("/line", at / 100, data=at.to_bytes(4, "big") * 200)
"""


@pytest.mark.parametrize("bytes_before", [20_000, 60_000])
def test_after_kill_9_it_is_read_up_to_where_it_broke_and_goes_on(tmp_path: Path, bytes_before: int) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)]) as process:
        while not segments(tmp_path) or segments(tmp_path)[0].stat().st_size < bytes_before:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    fill(tmp_path, 2, 12)
    entries = list(read_recording(tmp_path))
    lines = [e for e in entries if e.topic == "/line"]
    assert [e.at_s for e in lines] == pytest.approx([at / 100 for at in range(1, len(lines) + 1)])
    assert len(lines) > 50
    topics = [e.topic for e in entries]
    assert topics.index(TORN) == len(lines)
    assert topics[len(lines) + 1] == START


def test_a_folder_that_refuses_is_counted_and_told_and_stops_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "ring"
    folder.write_text("no folder")
    recorder = Recorder(folder, 8, "t", 12)
    recorder.record("/air", 1.0, kind="SPAT")
    waited = threading.Event()
    while not recorder.dropped:
        waited.wait(0.01)
    folder.unlink()
    recorder.record("/air", 30.0, kind="SPAT")
    recorder.close()
    entries = list(read_recording(folder))
    assert [(e.topic, e.value.get("count")) for e in entries] == [(DROPPED, 1), ("/air", None)]


def test_only_the_files_of_a_time_are_opened(tmp_path: Path) -> None:
    fill(tmp_path, 16, 12)
    for number, file in enumerate(segments(tmp_path)):
        os.utime(file, (1000.0 + number, 1000.0 + number))
    with Recording(tmp_path, 1002.0) as ring:
        assert min(e.at_s for e in ring.entries()) == 2 * FILE_S
    with pytest.raises(FileNotFoundError):
        Recording(tmp_path, 2000.0)
