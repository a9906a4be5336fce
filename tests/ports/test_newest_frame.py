"""The newest picture of a capture that blocks: injected captures that go on, end, hang and break."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import anyio
import numpy as np
import pytest

from rsu_agent.ports import newest_frame
from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.newest_frame import GRACE_S, MOST_GIVEN_UP, NewestFrame, open_newest
from rsu_agent.ports.trouble import DeviceLost

SETTINGS = CameraDeclared(latency_ms=80, most_fps=60, open_timeout_s=3, read_timeout_s=2)
pytestmark = pytest.mark.anyio


class Scripted:
    """A capture that gives a picture whenever it is told one: (stamp in ms, grey level), None ends it."""

    def __init__(self) -> None:
        self.told: queue.Queue[tuple[float, int | None] | None] = queue.Queue()
        self.grabs = 0
        self.released = threading.Event()
        self._now: tuple[float, int | None] = (0.0, None)

    def grab(self) -> bool:
        told = self.told.get()
        self.grabs += 1
        if told is not None:
            self._now = told
        return told is not None

    def retrieve(self) -> tuple[bool, Any]:
        level = self._now[1]
        return level is not None, None if level is None else np.full((4, 4, 3), level, np.uint8)

    def get(self, what: int, /) -> float:
        assert what == 0, "CAP_PROP_POS_MSEC"
        return self._now[0]

    def release(self) -> None:
        self.released.set()


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110  a thread makes it true
            await anyio.sleep(0.001)


FATES = ("grabbed", "out_of_order", "undecodable", "passed_over")


async def shown(
    source: Scripted, camera: NewestFrame, clock: FakeClock, stamp_ms: float, level: int | None
) -> None:
    """One picture goes through the thread; then 40 ms pass."""
    before = sum(camera.counters[fate] for fate in FATES)
    source.told.put((stamp_ms, level))
    await until(lambda: sum(camera.counters[fate] for fate in FATES) == before + 1)
    clock._now_s += 0.04


async def test_the_newest_picture_is_given_and_those_overtaken_are_counted() -> None:
    source, clock = Scripted(), FakeClock(start_s=100.0)
    async with open_newest(lambda: source, SETTINGS, clock, "cam") as camera:
        for n in range(1, 4):
            await shown(source, camera, clock, n * 40.0, n)
        frame = await anext(camera)
        assert (frame.number, int(frame.image[0, 0, 0])) == (3, 3)
        assert frame.arrived_s == pytest.approx(100.08)
        assert frame.captured_s == pytest.approx(100.0)
        assert camera.counters["overtaken"] == 2
        source.told.put(None)
    assert source.released.wait(5)


async def test_pictures_out_of_order_are_counted_and_not_given() -> None:
    source, clock = Scripted(), FakeClock()
    async with open_newest(lambda: source, SETTINGS, clock, "cam") as camera:
        for stamp_ms in (100.0, 200.0, 150.0, 200.0):
            await shown(source, camera, clock, stamp_ms, round(stamp_ms / 2))
        await shown(source, camera, clock, 300.0, None)  # cannot be decoded
        assert camera.counters["undecodable"] == 1
        assert int((await anext(camera)).image[0, 0, 0]) == 100
        assert camera.counters["out_of_order"] == 2
        source.told.put(None)


async def test_a_stream_that_ends_is_lost_after_its_last_picture() -> None:
    source = Scripted()
    async with open_newest(lambda: source, SETTINGS, FakeClock(), "cam") as camera:
        source.told.put((100.0, 7))
        source.told.put(None)
        await until(source.released.is_set)
        assert int((await anext(camera)).image[0, 0, 0]) == 7
        for _ in range(2):  # and stays lost
            with pytest.raises(DeviceLost, match="closed"):
                await anext(camera)


async def test_a_grab_that_hangs_is_lost_after_its_time_out_and_its_thread_is_left_behind() -> None:
    source, clock, lost = Scripted(), FakeClock(), []

    async def use() -> None:
        try:
            async with open_newest(lambda: source, SETTINGS, clock, "cam") as camera:
                await anext(camera)
        except DeviceLost as trouble:
            lost.append((clock.now_s(), trouble.reason))

    began_s = clock.now_s()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(use)
        await until(lambda: any(isinstance(w, anyio.CancelScope) for *_, w in clock._sleepers))
        await anyio.sleep(0.05)  # until the capture is open, and its first picture waited for
        await clock.advance(SETTINGS.read_timeout_s + GRACE_S + 0.1)
    assert lost == [(pytest.approx(began_s + SETTINGS.read_timeout_s + GRACE_S, abs=0.11), "silent")]
    assert not source.released.is_set(), "nobody may touch it while its thread hangs"
    source.told.put((100.0, 1))  # the driver wakes at last: the thread sees that it was given up
    assert source.released.wait(5)
    assert source.grabs == 1


async def test_an_open_that_hangs_is_given_up_too_and_lets_go_when_it_wakes() -> None:
    wake, source, clock, lost = threading.Event(), Scripted(), FakeClock(), []

    def hang() -> Scripted:
        wake.wait(30)
        return source

    async def use() -> None:
        with pytest.raises(DeviceLost, match="timeout: cam: nothing for 3 s"):
            async with open_newest(hang, SETTINGS, clock, "cam"):
                raise AssertionError("it is not open")
        lost.append(True)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(use)
        await until(lambda: bool(clock._sleepers))
        await clock.advance(SETTINGS.open_timeout_s + GRACE_S + 0.1)
    assert lost
    wake.set()
    assert source.released.wait(5)
    assert source.grabs == 0


async def test_what_opening_says_and_what_breaks_inside_come_out_where_the_camera_is_used() -> None:
    def missing() -> Scripted:
        raise DeviceLost("missing", "no such device")

    def broken() -> Scripted:
        raise ZeroDivisionError("a fault of ours")

    with pytest.raises(DeviceLost, match="missing"):
        async with open_newest(missing, SETTINGS, FakeClock(), "cam"):
            raise AssertionError("it is not open")
    with pytest.raises(ZeroDivisionError):
        async with open_newest(broken, SETTINGS, FakeClock(), "cam"):
            raise AssertionError("it is not open")


async def test_after_eight_threads_that_hang_the_process_is_to_begin_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hold = threading.Event()
    hung = [threading.Thread(target=hold.wait, daemon=True) for _ in range(MOST_GIVEN_UP)]
    for thread in hung:
        thread.start()
    monkeypatch.setattr(newest_frame, "_given_up", [*hung])
    with pytest.raises(RuntimeError, match="begin anew"):
        async with open_newest(Scripted, SETTINGS, FakeClock(), "cam"):
            raise AssertionError("it is not open")
    hold.set()
    for thread in hung:
        thread.join(5)
    source = Scripted()
    async with open_newest(lambda: source, SETTINGS, FakeClock(), "cam"):
        source.told.put(None)


async def test_leaving_ends_the_thread_even_while_pictures_stream() -> None:
    class Endless(Scripted):
        def grab(self) -> bool:
            self.grabs += 1
            self._now = (self.grabs * 1.0, 1)
            return not self.released.wait(0.0005)

    source = Endless()
    async with open_newest(lambda: source, SETTINGS, SystemClock(), "cam") as camera:
        assert isinstance(camera, NewestFrame)
        await anext(camera)
        await anext(camera)
    assert source.released.is_set()


async def test_a_stream_quicker_than_wanted_is_thinned_before_it_costs_anything() -> None:
    source, clock = Scripted(), FakeClock()
    slow = CameraDeclared(most_fps=10)
    async with open_newest(lambda: source, slow, clock, "cam") as camera:
        for n in range(1, 26):
            await shown(source, camera, clock, n * 40.0, n)
        assert camera.counters["grabbed"] == pytest.approx(10, abs=1)
        assert camera.counters["passed_over"] == pytest.approx(15, abs=1)
        source.told.put(None)


def test_core_processes_that_read_every_driver_load_no_opencv() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from rsu_agent.ports.plugins import plugins\n"
        "for name in ('rtsp', 'v4l2', 'video_file', 'gstreamer', 'mjpeg_http'): plugins()[name]\n"
        "print([m for m in ('cv2', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
