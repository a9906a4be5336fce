"""The RTSP driver against the rig's server: real sockets, OpenCV's client, every fault the server knows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import anyio
import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from drivers.rtsp.driver import open_camera
from drivers.rtsp.settings import Settings
from hil.devices.rtsp_server import RtspServer
from rsu_agent.ports import opencv
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.newest_frame import NewestFrame
from rsu_agent.ports.opencv import FFMPEG_OPTIONS, choose_transport
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.world.health import DeviceHealth, DeviceState

CLOCK = SystemClock()
PERIOD_S = 0.04
SIZE = (64, 96, 3)


class Shower:
    """A server whose pictures count in their grey level, 25 a second."""

    def __init__(self, login: tuple[str, str] | None = None) -> None:
        self.server = RtspServer(login=login)
        self._ending = threading.Event()
        self.level_at: dict[int, float] = {}
        threading.Thread(target=self._show, daemon=True).start()

    def _show(self) -> None:
        number = 0
        while not self._ending.wait(PERIOD_S):
            number += 1
            level = 20 + number * 3 % 200
            done, data = cv2.imencode(".jpg", np.full(SIZE, level, np.uint8))
            assert done
            self.level_at[level] = CLOCK.now_s()
            self.server.show(number, data.tobytes())

    def settings(self, **more: object) -> Settings:
        told = {"url": f"rtsp://127.0.0.1:{self.server.port}/live?token=abc", "most_fps": 60, **more}
        return Settings.model_validate(told)

    def open(self, **more: object) -> AbstractAsyncContextManager[NewestFrame]:
        return open_camera(self.settings(**more), CLOCK)

    def end(self) -> None:
        self._ending.set()
        self.server.close()


@pytest.fixture
def shower() -> Iterator[Shower]:
    made = Shower()
    yield made
    made.end()


def level(frame: Frame) -> float:
    return float(frame.image.mean())


async def changes(camera: NewestFrame, count: int) -> list[float]:
    return [level(await anext(camera)) for _ in range(count)]


@pytest.mark.anyio
async def test_pictures_come_over_tcp_newest_first_and_are_stamped_when_they_came(shower: Shower) -> None:
    async with shower.open(latency_ms=100) as camera:
        await anext(camera)
        await anyio.sleep(0.5)  # a slow user: a dozen pictures pass
        asked_s = CLOCK.now_s()
        stale, frame = await anext(camera), await anext(camera)
        assert frame.image.shape == SIZE
        assert camera.counters["overtaken"] >= 5
        assert asked_s - stale.arrived_s < 0.3, "the newest, not the oldest"
        assert frame.captured_s == pytest.approx(frame.arrived_s - 0.1)
        shown_s = min(shower.level_at.items(), key=lambda row: abs(row[0] - level(frame)))[1]
        assert 0.0 <= frame.arrived_s - shown_s < 0.5, "no more lies between server and us than one picture"
    methods = [method for method, _ in shower.server.asked]
    assert methods[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert shower.server.asked[2][1].startswith("RTP/AVP/TCP"), "asked for first: the option was in time"


@pytest.mark.anyio
async def test_silence_is_told_within_three_seconds_and_pictures_come_back_when_the_camera_does(
    shower: Shower,
) -> None:
    told: list[DeviceHealth] = []
    keeper = DeviceKeeper("north", CLOCK, told.append)

    async def use(camera: NewestFrame) -> None:
        async for _ in camera:
            keeper.serving()

    async def state(wanted: DeviceState) -> float:
        with anyio.fail_after(15):
            while not told or told[-1].state is not wanted:  # noqa: ASYNC110  told by a plain call
                await anyio.sleep(0.01)
        return told[-1].since_s

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keeper.keep, shower.open, use)
        await state(DeviceState.OK)
        shower.server.silent, began_s = True, CLOCK.now_s()
        lost_s = await state(DeviceState.LOST)
        assert told[-1].reason == "silent"
        assert lost_s - began_s < 3.0
        shower.server.silent = False
        await state(DeviceState.OK)
        tasks.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_server_that_says_nothing_is_a_time_out_and_one_that_is_gone_a_refusal(
    shower: Shower,
) -> None:
    shower.server.faults.stall = True
    began_s = time.monotonic()
    with pytest.raises(DeviceLost, match="timeout"):
        async with shower.open(open_timeout_s=0.5):
            raise AssertionError("it is not open")
    assert time.monotonic() - began_s < 2.0
    shower.server.close()
    with pytest.raises(DeviceLost, match="refused"):
        async with shower.open():
            raise AssertionError("it is not open")


@pytest.mark.anyio
async def test_a_camera_that_is_unplugged_is_closed(shower: Shower) -> None:
    async with shower.open() as camera:
        await anext(camera)
        shower.server.close()
        with pytest.raises(DeviceLost, match="closed"):
            await changes(camera, 100)


@pytest.mark.anyio
async def test_black_and_frozen_pictures_go_on_coming(shower: Shower) -> None:
    async with shower.open() as camera:
        await anext(camera)
        shower.server.faults.black = True
        with anyio.fail_after(10):
            while level(await anext(camera)) > 2:
                pass
        assert max(await changes(camera, 5)) < 2
        shower.server.faults.black, shower.server.faults.freeze = False, True
        with anyio.fail_after(10):
            while level(await anext(camera)) < 2:
                pass
        await changes(camera, 3)
        assert len(set(await changes(camera, 10))) == 1
        shower.server.faults.freeze = False
        await changes(camera, 3)
        assert len(set(await changes(camera, 10))) == 10


@pytest.mark.anyio
async def test_stamps_that_fall_behind_the_clock_mean_a_buffer_and_are_a_loss(shower: Shower) -> None:
    shower.server.faults.stamp_rate = 0.5
    async with shower.open() as camera:
        with anyio.fail_after(15), pytest.raises(DeviceLost, match=r"late: the stream runs \d+\.\d s behind"):
            await changes(camera, 1000)


@pytest.mark.anyio
async def test_name_and_password_open_the_stream_whatever_letters_they_have() -> None:
    shower = Shower(login=("camera user", "p@ss/w:rd"))
    try:
        async with shower.open(user="camera user", password="p@ss/w:rd") as camera:
            await anext(camera)
        with pytest.raises(DeviceLost, match="refused"):
            async with shower.open(user="camera user", password="wrong"):
                raise AssertionError("it is not open")
    finally:
        shower.end()


SPEAKING = """
import logging, sys, anyio
logging.basicConfig(level=logging.DEBUG)
from drivers.rtsp.driver import open_camera
from drivers.rtsp.settings import Settings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost
async def main():
    settings = Settings(url=sys.argv[1], user="theuser", password="thesecret", open_timeout_s=0.5)
    print(repr(settings), settings.model_dump_json())
    try:
        async with open_camera(settings, SystemClock()) as camera:
            await anext(camera)
            print("one picture")
    except DeviceLost as lost:
        print(lost, lost.detail, lost.hint)
        logging.warning("%s", lost)
anyio.run(main)
"""


@pytest.mark.parametrize("fault", ["none", "wrong password", "stall", "gone"])
def test_no_password_is_ever_printed_by_us_by_opencv_or_by_ffmpeg(fault: str) -> None:
    shower = Shower(login=("theuser", "another" if fault == "wrong password" else "thesecret"))
    shower.server.faults.stall = fault == "stall"
    if fault == "gone":
        shower.server.close()
    try:
        said = subprocess.run(
            [sys.executable, "-c", SPEAKING, shower.settings().url],
            env={**os.environ, "OPENCV_LOG_LEVEL": "DEBUG"},
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        shower.end()
    everything = said.stdout + said.stderr
    assert "thesecret" not in everything
    lines = [
        line for line in everything.splitlines() if "SecretStr" not in line
    ]  # the settings show the address
    assert not any("token=abc" in line for line in lines)
    assert ("one picture" in said.stdout) is (fault == "none")


@pytest.mark.parametrize(
    "url", ["rtsp://user:pw@10.0.0.5/live", "http://10.0.0.5/live", "rtsp:///live", "rtsp://a b/"]
)
def test_an_address_with_a_password_in_it_or_of_another_kind_is_no_setting(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(url=url)


def test_one_transport_serves_all_cameras_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv, "_transport", None)
    monkeypatch.delenv(FFMPEG_OPTIONS, raising=False)
    choose_transport("udp")
    assert os.environ[FFMPEG_OPTIONS] == "rtsp_transport;udp|fflags;nobuffer|flags;low_delay"
    choose_transport("udp")
    with pytest.raises(DeviceLost, match="refused: other cameras have transport udp"):
        choose_transport("tcp")


def test_options_that_the_environment_has_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencv, "_transport", None)
    monkeypatch.setenv(FFMPEG_OPTIONS, "rtsp_transport;http")
    choose_transport("tcp")
    choose_transport("udp")
    assert os.environ[FFMPEG_OPTIONS] == "rtsp_transport;http"
