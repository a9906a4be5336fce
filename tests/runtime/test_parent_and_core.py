"""The parent's last word, its children, systemd's protocol, and the links between processes."""

from __future__ import annotations

import json
import socket
import sys
import time
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.link import HELLO, Link, socket_pair
from rsu_agent.ports.nouns import NotANoun, pack, unpack
from rsu_agent.ports.recording import Recorder, read_recording, segments
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.child import Child
from rsu_agent.runtime.hub import Hub, join
from rsu_agent.runtime.last_word import LastWordSpeaker
from rsu_agent.runtime.notify import Notifier
from rsu_agent.runtime.post import Post
from rsu_agent.runtime.pulse import LastWord, pulse_pair
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.runtime.topics import SCENE, SIGNAL, Board
from rsu_agent.wire.counter import counted
from rsu_agent.wire.its_time import its_stamp
from rsu_agent.world.health import DeviceHealth, DeviceState, TimeQuality
from rsu_agent.world.road_user import FrameUsed, RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Control, Lamp, SignalReport, StageReport, StageState

FRAME = bytes.fromhex("3000008000000600026008000200006000100002800060000e001940064800ca00196003c400790000")
BITS_BEHIND = 8 * len(FRAME) - 15  # the upper seven bits of byte 1


@pytest.fixture
def vehicle() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(2)
    return sock


def armed(vehicle: socket.socket) -> LastWordSpeaker:
    speaker = LastWordSpeaker()
    speaker.arm(LastWord(FRAME, *vehicle.getsockname(), BITS_BEHIND, every_frame=True))
    return speaker


def test_the_last_word_comes_300_ms_after_the_last_heartbeat_and_goes_on_counting(
    vehicle: socket.socket,
) -> None:
    speaker = armed(vehicle)
    assert speaker.next_due_s() is None, "not armed by a heartbeat yet"
    speaker.heartbeat(10.0, count=126)
    assert speaker.next_due_s() == pytest.approx(10.3)
    speaker.tick(10.29)
    assert speaker.spoken == 0
    now = 10.3
    while (due := speaker.next_due_s()) is not None:
        now = max(now, due)
        speaker.tick(now)
    counts = [vehicle.recv(200)[1] >> 1 for _ in range(speaker.spoken)]
    assert counts[:3] == [127, 0, 1]
    assert speaker.spoken == 51, "ten a second for five seconds, then silence"


def test_a_heartbeat_ends_the_last_word_and_tells_that_it_was_spoken(vehicle: socket.socket) -> None:
    speaker = armed(vehicle)
    assert not speaker.heartbeat(10.0, 5)
    speaker.core_ended(10.05)
    speaker.tick(10.05)
    assert vehicle.recv(200) == counted(FRAME, BITS_BEHIND, 6)
    assert speaker.heartbeat(10.2, 0)
    assert speaker.next_due_s() == pytest.approx(10.5)


def test_a_set_that_goes_on_telling_counts_its_content_and_not_its_frames(vehicle: socket.socket) -> None:
    speaker = LastWordSpeaker()
    word = LastWord(FRAME, *vehicle.getsockname(), BITS_BEHIND, every_frame=False, ends_silent=False)
    speaker.arm(LastWord.of(json.loads(json.dumps({"kind": "last_word", **word.plain()}))))
    speaker.heartbeat(10.0, count=41)
    now = 10.3
    while now < 20.2:
        speaker.tick(now)
        now = speaker.next_due_s() or 0.0
        assert now, "it goes on for as long as the core is silent"
    assert speaker.spoken == pytest.approx(100, abs=1)
    assert {vehicle.recv(200)[1] >> 1 for _ in range(speaker.spoken)} == {42}


def test_a_time_stamp_of_geonetworking_is_renewed_before_each_sending(vehicle: socket.socket) -> None:
    speaker = LastWordSpeaker()
    speaker.arm(LastWord(bytes(60), *vehicle.getsockname(), ends_silent=False, stamp_at=34))
    speaker.heartbeat(10.0, count=0)
    before = its_stamp(time.time())
    speaker.tick(10.3)
    sent = vehicle.recv(200)
    stamp = int.from_bytes(sent[34:38], "big")
    assert 0 <= (stamp - before) % (1 << 32) <= (its_stamp(time.time()) - before) % (1 << 32)
    assert sent[:34] + sent[38:] == bytes(56)


def test_readiness_and_watchdog_reach_the_service_manager(tmp_path: Path) -> None:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "15000000"})
    assert notifier.watchdog_interval_s == 7.5
    notifier.send("READY=1", "STATUS=up")
    assert manager.recv(200) == b"READY=1\nSTATUS=up"
    Notifier({}).send("READY=1")


def test_a_child_is_started_again_later_and_later() -> None:
    child = Child("x", "json.tool", ("--no-such-option",))
    waits = []
    for _ in range(4):
        child.start(100.0)
        assert child.process is not None
        child.process.wait()
        assert child.reap(100.0) is not None
        waits.append(child.start_at_s - 100.0)
    assert 0.2 < waits[0] <= 0.5
    assert waits[3] > 1.5
    assert len(child.ends_s) == 4


def test_the_pulse_tells_when_the_other_end_has_gone() -> None:
    ours, theirs = pulse_pair()
    assert ours.receive() is None
    theirs.send(json.dumps({"kind": "heartbeat", "count": 3}).encode())
    assert ours.receive() == {"kind": "heartbeat", "count": 3}
    theirs.close()
    with pytest.raises(EOFError):
        ours.receive()


SCENE_NOUN = Scene(
    5.0,
    7,
    (RoadUser(1, UserClass.BUS, 1.0, 2.0, 3.0, 4.0, 5.0, None, 11.0, 2.5, 3.1, 0.3, ("a", "b"), 4.0),),
    (SensorHealth("a", True, "ok", 0.1, ("N",)),),
    (FrameUsed("a", 9, 4.9),),
)
REPORT = SignalReport(
    1.0,
    1.1,
    (Lamp(1, Colour.RED_YELLOW),),
    True,
    Control.COORDINATED,
    2,
    StageReport(3, StageState.TRANSITION, 1.0, None),
    ("red_lamp",),
)


@pytest.mark.parametrize("noun", [SCENE_NOUN, REPORT, {"k": "v"}, [1, "x"], "text", None])
def test_nouns_survive_the_way_between_processes(noun: object) -> None:
    assert unpack(pack(noun)) == noun


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x92\x63\x90", pack(SCENE_NOUN)[:-3], b"\x92\x00\x91\x01"])
def test_what_is_no_noun_is_refused(data: bytes) -> None:
    with pytest.raises(NotANoun):
        unpack(data)


@pytest.mark.anyio
async def test_newest_overtakes_and_queues_keep_their_order() -> None:
    one, other = (Link(end) for end in socket_pair())
    for n in range(5):
        one.send("scene", {"n": n}, newest=True)
        one.send("record", {"n": n})
    got: list[tuple[str, int]] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one.run_sender)
        while len(got) < 6:
            topic, noun = await other.receive()
            got.append((topic, noun["n"]))
        tasks.cancel_scope.cancel()
    assert ("scene", 4) in got
    assert [n for topic, n in got if topic == "record"] == [0, 1, 2, 3, 4]
    assert one.dropped == 4


@pytest.mark.anyio
async def test_a_process_of_another_version_is_not_listened_to() -> None:
    ours, theirs = socket_pair()
    link = Link(ours)
    theirs.send(bytes([len(HELLO)]) + HELLO.encode() + pack("an older version"))
    with pytest.raises(DeviceLost, match="version"):
        await link.receive()


@pytest.mark.anyio
async def test_records_that_were_not_committed_go_to_the_next_uplink_process(tmp_path: Path) -> None:
    heard: list[object] = []
    hub = Hub(tmp_path, lambda _role, topic, noun: heard.append((topic, noun)))
    post = Post(hub)
    hub.connected = lambda _role: post.connected()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hub.run)
        for n in range(3):
            post.put([{"k": "hb", "n": n}])
        for expected in ([0, 1, 2], [1, 2]):
            link = await join(tmp_path, "uplink", SystemClock())
            async with anyio.create_task_group() as one_life:
                one_life.start_soon(link.run_sender)
                letters = [(await link.receive())[1] for _ in expected]
                one_life.cancel_scope.cancel()
            assert [letter["record"]["n"] for letter in letters] == expected
            link.close()
            post.committed([letters[0]["id"]])
        tasks.cancel_scope.cancel()
    assert post.waiting == 1


@pytest.mark.anyio
async def test_a_lost_device_is_opened_again_and_its_reason_told() -> None:
    clock, told, opened = FakeClock(), [], []

    class Device:
        async def __aenter__(self) -> Device:
            opened.append(clock.now_s())
            if len(opened) < 3:
                raise DeviceLost("missing", "no such port")
            return self

        async def __aexit__(self, *_: object) -> None: ...

    async def use(_device: Device) -> None:
        keeper.serving()
        await anyio.sleep_forever()

    keeper = DeviceKeeper("controller", clock, told.append)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.keep, Device, use)
        await clock.advance(5.0)
        tasks.cancel_scope.cancel()
    assert len(opened) == 3
    assert [(h.state, h.reason) for h in told][-1] == (DeviceState.OK, "ok")
    assert keeper.lost == {"missing": 2}


@pytest.mark.anyio
@pytest.mark.parametrize("longest_s", [1.5, 10.0])
async def test_waits_between_two_tries_grow_to_a_longest_one_and_no_two_boxes_try_in_step(
    longest_s: float,
) -> None:
    clock, opened = FakeClock(), []

    class Gone:
        async def __aenter__(self) -> Gone:
            opened.append(clock.now_s())
            raise DeviceLost("missing", "no such camera")

        async def __aexit__(self, *_: object) -> None: ...

    async with anyio.create_task_group() as tasks:
        keeper = DeviceKeeper("north", clock, lambda _: None, longest_s)
        tasks.start_soon(keeper.keep, Gone, lambda _: anyio.sleep_forever())
        await clock.advance(300.0)
        tasks.cancel_scope.cancel()
    waits = [later - earlier for earlier, later in pairwise(opened)]
    assert max(waits) <= longest_s
    assert min(waits[6:]) >= longest_s / 2
    assert len({round(wait, 3) for wait in waits[6:]}) > 10, "jittered"


def test_our_clock_is_trusted_below_ten_and_up_to_twenty_milliseconds() -> None:
    trust = TimeTrust(drift_ppm=5.0)
    assert not trust.trusted(0.0)
    trust.read(TimeQuality("chrony", True, 0.0, 0.015, 10.0))
    assert not trust.trusted(10.0), "coming back needs less than 10 ms"
    trust.read(TimeQuality("chrony", True, 0.0, 0.004, 20.0))
    assert trust.trusted(20.0)
    trust.read(TimeQuality("chrony", True, 0.0, 0.018, 30.0))
    assert trust.trusted(30.0), "hysteresis"
    trust.read(TimeQuality("chrony", False, 0.0, None, 40.0))
    assert trust.trusted(80.0)
    assert not trust.trusted(91.0), "unsynchronised for more than 60 s"


def test_the_board_gives_a_value_fresh_or_not_at_all() -> None:
    board, heard = Board(), []
    board.listen(SCENE, heard.append)
    board.post(SCENE, SCENE_NOUN, 10.0)
    board.post(SIGNAL, REPORT, 10.0)
    assert heard == [SCENE_NOUN]
    assert board.fresh(SCENE, 10.4) is SCENE_NOUN
    assert board.fresh(SCENE, 10.6) is None
    assert board.fresh(SIGNAL, 10.31) is None
    assert board.age_s(SIGNAL, 11.0) == pytest.approx(1.0)


def test_the_black_box_is_bounded_and_a_torn_file_is_read_to_its_tear(tmp_path: Path) -> None:
    import os

    recorder = Recorder(tmp_path, 1, "site")
    for n in range(9000):
        while recorder.waiting > 5000:
            pass
        recorder.record("/air", n / 10, n=n, data=os.urandom(160))
    recorder.close()
    files = segments(tmp_path)
    assert sum(path.stat().st_size for path in files) <= 1.1 * (1 << 20)
    entries = list(read_recording(tmp_path))
    assert entries[-1].value["n"] == 8999
    assert [e.value["n"] for e in entries] == list(range(entries[0].value["n"], 9000))
    torn = max(files, key=lambda path: path.stat().st_size)  # the newest may hold a single chunk
    whole = torn.read_bytes()
    torn.write_bytes(whole[: len(whole) * 3 // 4])
    assert list(read_recording(torn))


def test_the_core_never_loads_what_it_must_not() -> None:
    import subprocess

    code = (
        "import sys, rsu_agent.runtime.compose_core;"
        "print([m for m in ('cv2', 'onnxruntime', 'aiomqtt', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() in ("[]", "['numpy']")


def test_health_is_told_by_stable_words() -> None:
    health = DeviceHealth("radar", DeviceState.LOST, "missing", 1.0)
    assert unpack(pack(health)) == health
