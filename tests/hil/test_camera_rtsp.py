"""The virtual camera by RTSP: the same pictures, the same truth, the same faults; and the demo with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from drivers.rtsp.driver import open_camera
from drivers.rtsp.settings import Settings
from hil import commands
from hil.bus import Bus
from hil.demo import demo_figures
from hil.devices.camera import DELAY_S
from hil.devices.vehicle_codec import CSAE53, decode_air
from hil.processes import Processes, RigFailure
from hil.rig import RigOptions
from hil.scenario.expect import WITH_CAMERA
from hil.score.bounds import exempted, missed
from hil.truth import read_truth
from rsu_agent.cli.exits import Exit
from rsu_agent.ports.assets import asset
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.newest_frame import NewestFrame
from rsu_agent.ports.trouble import DeviceLost

pytestmark = [pytest.mark.real, pytest.mark.anyio]
CLOCK = SystemClock()
WAIT_S = 60.0
SECONDS = 10.0
OF_THE_HOST = (
    "spat.first_valid_s",
    "spat.gap",
    "spat.times_share",
    "latency.",
    "rsm.per_10s",
    "tracks.recall",
)
SHORT_CYCLE = 3


class Device:
    """The camera's process, alone."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir, self.bus, self.processes = run_dir, Bus(run_dir), Processes(run_dir / "logs")
        self.start(asset("config/virtual.yaml"))

    def start(self, site: Path) -> None:
        arguments = ["--run-dir", str(self.run_dir), "--site", str(site), "--driver", "rtsp"]
        ready = self.run_dir / "ready" / "camera.json"
        self.processes.module("camera", "hil.devices.camera", *arguments, ready=ready)
        self.processes.wait_ready("camera")

    def settings(self) -> Settings:
        url = self.processes.told("camera")["url"]
        return Settings.model_validate({"url": url, "read_timeout_s": 5, "most_fps": 30})

    def fault(self, name: str, on: Any = True) -> None:
        self.bus.publish("fault", {"device": "camera", "name": name, "on": on})

    def frames(self) -> list[dict[str, Any]]:
        return list(read_truth(self.run_dir, "frame"))


@pytest.fixture
def device(short_path: Path) -> Iterator[Device]:
    made = Device(short_path)
    yield made
    made.processes.stop()


async def until(camera: NewestFrame, true: Callable[[Any, Any], bool]) -> None:
    """Take pictures until one after another is so."""
    last, deadline = await anext(camera), time.monotonic() + WAIT_S
    while True:
        frame = await anext(camera)
        if true(last.image, frame.image):
            return
        assert time.monotonic() < deadline
        last = frame


async def test_pictures_come_and_the_truth_log_has_their_instants(device: Device) -> None:
    assert device.frames() == [], "nobody has got one"
    async with open_camera(device.settings(), CLOCK) as camera:
        first = await anext(camera)
        assert first.image.shape == (384, 640, 3)
        assert first.image.std() > 10.0, "a painted crossing is not one colour"
        await until(camera, lambda last, new: not np.array_equal(last, new))
    told = device.frames()
    assert [entry["frame"] for entry in told] == sorted({entry["frame"] for entry in told})
    assert {entry["camera"] for entry in told} == {"south-west"}
    assert all(0 < entry["t"] <= time.monotonic() for entry in told)
    assert device.processes.told("camera")["url"].startswith("rtsp://127.0.0.1:")


async def test_faults_of_the_picture_reach_who_watches(device: Device) -> None:
    async with open_camera(device.settings(), CLOCK) as camera:
        device.fault("black")
        await until(camera, lambda _, new: new.max() < 20)
        device.fault("black", False)
        await until(camera, lambda _, new: new.mean() > 40)
        device.fault("freeze")
        await until(camera, np.array_equal)
        device.fault("freeze", False)
        await until(camera, lambda last, new: not np.array_equal(last, new))
        clear = (await anext(camera)).image
        device.fault("glare")
        await until(camera, lambda _, new: new.mean() > clear.mean() + 20)
        device.fault("glare", False)
        device.fault("garbage")
        usual = float(np.abs((await anext(camera)).image[::8, ::8].astype(int) - clear[::8, ::8]).mean())
        await until(
            camera, lambda _, new: np.abs(new[::8, ::8].astype(int) - clear[::8, ::8]).mean() > usual + 8
        )


async def test_a_slow_line_makes_pictures_late_and_not_their_instants(device: Device) -> None:
    async with open_camera(device.settings(), CLOCK) as camera:
        await anext(camera)
        device.fault("delay")
        device.fault("freeze")  # a mark in the stream: from here pictures are alike
        asked_s = time.monotonic()
        await until(camera, np.array_equal)
        late_s = time.monotonic() - asked_s
    assert late_s > DELAY_S
    assert device.frames()[-1]["t"] < time.monotonic() - DELAY_S


@pytest.mark.parametrize(("fault", "reason"), [("silence", "silent"), ("unplug", "closed")])
async def test_a_camera_that_falls_silent_or_is_unplugged_is_lost_and_comes_back(
    device: Device, fault: str, reason: str
) -> None:
    settings = device.settings()
    async with open_camera(settings, CLOCK) as camera:
        await anext(camera)
        device.fault(fault)
        with pytest.raises(DeviceLost) as lost:
            await until(camera, lambda _last, _new: False)
        assert lost.value.reason == reason
    device.fault(fault, False)
    with anyio.fail_after(WAIT_S):
        while True:
            try:
                async with open_camera(settings, CLOCK) as camera:
                    await anext(camera)
                    return
            except DeviceLost:
                continue


def test_a_picture_too_large_for_rtp_is_refused_in_words(short_path: Path) -> None:
    site = YAML(typ="safe").load(asset("config/virtual.yaml").read_text())
    site["crossing"]["file"] = str(asset("config/crossings/virtual.geojson"))
    site["cameras"][0]["lens"] |= {"width_px": 2600}
    with (short_path / "site.yaml").open("w") as stream:
        YAML().dump(site, stream)
    device = Device.__new__(Device)
    device.run_dir, device.processes = short_path, Processes(short_path / "logs")
    with pytest.raises(RigFailure, match="2040 px at most, multiples of 8"):
        device.start(short_path / "site.yaml")


def test_the_verb_knows_both_ways_and_says_so() -> None:
    app = typer.Typer()
    app.command()(commands.demo)
    ended = CliRunner().invoke(app, ["--camera", "onvif", "--for", "1", "--json"])
    assert ended.exit_code == int(Exit.USAGE)
    assert "--camera onvif: one of mjpeg_http, rtsp" in json.loads(ended.stdout)["error"]


def test_the_demo_with_its_camera_by_rtsp(short_path: Path) -> None:
    """Its pictures end on air as users seen by a camera; how many a second, others judge."""
    kept = short_path / "run"
    figures = demo_figures(
        SECONDS, RigOptions(plan=SHORT_CYCLE, page=False, metrics_port=0, camera="rtsp"), keep=kept
    )
    assert [words for words in figures["missed"] if not words.startswith(OF_THE_HOST)] == []
    assert figures["camera"] == "rtsp"
    assert figures["latency"]["camera_to_rsm_p95_ms"] is None, "RTP does not number pictures"
    site = YAML(typ="safe").load((kept / "site.yaml").read_text())
    assert [camera["driver"] for camera in site["cameras"]] == ["rtsp"]
    assert len(list(read_truth(kept, "frame"))) > 5 * SECONDS
    told = [value["participants"] for _, kind, value in decode_air(kept, CSAE53) if kind == "RSM"]
    by_camera = [sum(user["source"] in WITH_CAMERA for user in users) for users in told]
    assert len(told) > 3 * SECONDS
    assert max(by_camera) >= 5
    assert sum(count > 0 for count in by_camera) > len(told) / 2


@pytest.mark.parametrize(("camera", "judged"), [("mjpeg_http", True), ("rtsp", False)])
def test_only_numbered_pictures_are_followed_to_the_air(camera: str, judged: bool) -> None:
    figures: dict[str, Any] = {"camera": camera, "latency": {"camera_to_rsm_p95_ms": 400.0, "frames": 7}}
    assert any(words.startswith("latency.camera_to_rsm") for words in missed(figures, 60)) is judged
    exempted(figures, 60)
    assert figures["latency"] == (
        {"camera_to_rsm_p95_ms": 400.0, "frames": 7}
        if judged
        else {"camera_to_rsm_p95_ms": None, "frames": None}
    )
