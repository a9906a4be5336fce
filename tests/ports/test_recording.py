"""The black box on disk: bounded, readable while written, and never the end of the agent."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rsu_agent.ports.nouns import unpack
from rsu_agent.ports.recording import (
    DROPPED,
    TORN,
    Entry,
    Recorder,
    Recording,
    RecordingFile,
    read_recording,
    segments,
)
from rsu_agent.world.signal import Colour, Lamp, SignalReport
from rsu_agent.world.witness import HeadSeen, HeadsSeen

WAIT_S = 60.0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "not within a minute"
        time.sleep(0.002)


def fill(recorder: Recorder, first: int, count: int, data_bytes: int = 160) -> None:
    for n in range(first, first + count):
        recorder.record("/air", n / 10, n=n, data=os.urandom(data_bytes))
        if n % 1000 == 0:
            wait_for(lambda: recorder.waiting < 500)


def numbers(entries: list[Entry]) -> list[int]:
    return [entry.value["n"] for entry in entries if entry.topic == "/air"]


def ring_bytes(folder: Path) -> int:
    """Size of the ring now; the writer may forget a file while we look."""
    total = 0
    for path in segments(folder):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def test_the_ring_is_bounded_at_every_moment_and_over_several_lives(tmp_path: Path) -> None:
    limit = 1 << 20
    for life in range(3):
        recorder = Recorder(tmp_path, 1, "site")
        for part in range(8):
            fill(recorder, life * 4000 + part * 500, 500, 300)
            assert ring_bytes(tmp_path) <= 1.05 * limit
        recorder.close()
    kept = numbers(list(read_recording(tmp_path)))
    assert kept == list(range(kept[0], 12_000)), "the oldest are forgotten, nothing else"
    assert ring_bytes(tmp_path) > limit // 2, "what may be kept is kept"


def test_a_ring_of_no_size_writes_nothing(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "ring", 0, "site")
    fill(recorder, 0, 10)
    recorder.close()
    assert not (tmp_path / "ring").exists()
    assert recorder.dropped == 0


def test_what_is_recorded_can_be_read_while_it_goes_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 8, "site")
    fill(recorder, 0, 2000)
    wait_for(lambda: recorder.waiting == 0)
    entries = list(read_recording(tmp_path))
    assert entries[-1].topic == TORN
    assert numbers(entries) == list(range(len(numbers(entries))))
    assert len(numbers(entries)) > 1800, "all but the chunk being filled"
    recorder.close()
    assert numbers(list(read_recording(tmp_path))) == list(range(2000))


def test_a_file_that_the_ring_forgets_while_it_is_read_stays_readable(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 1, "site")
    fill(recorder, 0, 3000)
    with Recording(tmp_path) as recording:
        before = numbers(list(recording.entries()))
        fill(recorder, 3000, 12_000)
        recorder.close()
        after = numbers(list(recording.entries()))
    assert after[: len(before)] == before
    assert numbers(list(read_recording(tmp_path)))[0] > before[-1], "forgotten in the folder"


def test_a_folder_that_may_not_be_made_costs_entries_and_not_the_agent(tmp_path: Path) -> None:
    blocker = tmp_path / "recordings"
    blocker.write_text("a file where the folder should be")
    recorder = Recorder(blocker, 1, "site")
    fill(recorder, 0, 50)
    wait_for(lambda: recorder.dropped == 50)
    blocker.unlink()
    fill(recorder, 200, 20)  # twenty seconds later
    recorder.close()
    entries = list(read_recording(blocker))
    assert entries[0] == Entry(DROPPED, 20.0, {"count": 50})
    assert numbers(entries) == list(range(200, 220))


FULL_DISK = """
import json, os, resource, sys, time
from pathlib import Path
from rsu_agent.ports.recording import Recorder
folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
recorder = Recorder(folder, 8, "site")
n = 0
while not recorder.dropped:
    recorder.record("/air", n / 1000, n=n, data=os.urandom(160))  # a batch is written within the ten seconds
    n += 1
    time.sleep(0.0001)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
first = n + 1000
for m in range(first, first + 100):
    recorder.record("/air", m / 10, n=m, data=b"x")
recorder.close()
print(json.dumps({"refused_at": n, "first": first, "dropped": recorder.dropped}))
"""


def test_a_full_disk_costs_entries_and_recording_goes_on_when_there_is_room_again(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = json.loads(ran.stdout)
    assert "trying again" in ran.stderr
    entries = list(read_recording(tmp_path))
    kinds = [entry.topic for entry in entries]
    assert kinds.count(TORN) == 1
    assert kinds[kinds.index(TORN) + 1] == DROPPED
    assert entries[kinds.index(DROPPED)].value["count"] == told["dropped"] > 0
    assert numbers(entries)[-100:] == list(range(told["first"], told["first"] + 100))
    early = numbers(entries)[:-100]
    assert early == list(range(len(early)))
    assert len(early) > 50


def test_a_full_queue_drops_and_the_recording_tells_how_many(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 64, "site")
    for n in range(60_000):  # faster than anything writes
        recorder.record("/air", n / 10, n=n)
    wait_for(lambda: recorder.waiting == 0)
    recorder.record("/air", 6000.0, n=60_000)
    recorder.close()
    entries = list(read_recording(tmp_path))
    assert recorder.dropped > 0
    assert sum(entry.value["count"] for entry in entries if entry.topic == DROPPED) == recorder.dropped
    assert len(numbers(entries)) + recorder.dropped == 60_001


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_file_cut_anywhere_gives_what_is_whole_and_tells_the_tear(tmp_path: Path, share: float) -> None:
    path = tmp_path / "one.mcap"
    file = RecordingFile(path)
    for n in range(2000):
        file.add(Entry("/air", n / 10, {"n": n}))
    file.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    entries = list(read_recording(path))
    assert entries[-1].topic == TORN
    assert entries[-1].value["file"] == "one.mcap"
    assert numbers(entries) == list(range(len(numbers(entries))))


def test_a_damaged_chunk_is_a_tear_and_not_other_values(tmp_path: Path) -> None:
    path = tmp_path / "one.mcap"
    file = RecordingFile(path)
    for n in range(3000):
        file.add(Entry("/air", n / 10, {"n": n}))
    file.close()
    whole = bytearray(path.read_bytes())
    for at in range(500, len(whole) - 500, 997):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        path.write_bytes(damaged)
        entries = list(read_recording(path))
        assert numbers(entries) == list(range(len(numbers(entries))))


def test_a_file_missing_from_the_middle_of_a_ring_is_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, 1, "site")
    fill(recorder, 0, 3000, 300)
    recorder.close()
    files = segments(tmp_path)
    files[len(files) // 2].unlink()
    tears = [entry.value for entry in read_recording(tmp_path) if entry.topic == TORN]
    assert tears == [{"file": files[len(files) // 2 + 1].name, "why": "files before it are missing"}]


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no.mcap"):
        with pytest.raises(FileNotFoundError, match="no recording there"):
            Recording(path)


def test_nouns_and_bytes_are_packed_in_the_writers_thread_and_can_be_read_again(tmp_path: Path) -> None:
    report = SignalReport(1.0, 1.02, (Lamp(1, Colour.GREEN),), True)
    heads = HeadsSeen("cam", 1.1, (HeadSeen(1, Colour.GREEN, None, 1.1),))
    recorder = Recorder(tmp_path, 8, "t")
    recorder.record("/report", 1.0, noun=report)
    recorder.record("/heads", 1.1, noun=heads)
    recorder.record("/air", 1.2, data=b"\x00\xff", sent=True)
    recorder.close()
    first, second, third = read_recording(segments(tmp_path)[0])
    assert [unpack(base64.b64decode(entry.value["noun"])) for entry in (first, second)] == [report, heads]
    assert third.value == {"data": "AP8=", "sent": True}
