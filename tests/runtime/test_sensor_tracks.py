"""What each sensor sees by itself is written as JSON lines and read back; other files are refused."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

from rsu_agent.perception.heads.detection import Detection
from rsu_agent.ports.assets import asset
from rsu_agent.ports.declare import Declared
from rsu_agent.ports.devices import Frame, RadarFrame, RadarPoint, RadarTarget
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import sensor_tracks
from rsu_agent.runtime.sensor_tracks import TracksInvalid, read_tracks, returns, watch
from rsu_agent.settings import model
from rsu_agent.settings.read import read_site
from rsu_agent.world.road_user import UserClass

SITE = read_site(asset("config/virtual.yaml"))


class Sees:
    """Detectors that see one car in every picture."""

    def __init__(self, _section: Any, cameras: list[str], _folder: Path) -> None:
        self.of = dict.fromkeys(cameras, self)

    def detect(self, *_: Any) -> list[Detection]:
        return [Detection(UserClass.CAR, 0.9, (300, 200, 340, 240), (320.0, 240.0))]


class Refuses:
    """Detectors of a model that may not be used."""

    def __init__(self, *_: Any) -> None:
        self.of: dict[str, Any] = {}
        self.told = {"refused": "detector.onnx is for simulation only"}


def plugin(kind: Kind, items: list[Any]) -> Plugin:
    @asynccontextmanager
    async def opened(_settings: Any, _clock: Any) -> AsyncIterator[AsyncIterator[Any]]:
        async def given() -> AsyncIterator[Any]:
            while items:
                yield items.pop(0)
            raise DeviceLost("silent", "no more", "")

        yield given()

    return Plugin("any", kind, Declared, opened)


async def watched(seconds: float, out: io.StringIO) -> dict[str, Any]:
    """What is counted after so many seconds of a fake clock."""
    clock, counts = FakeClock(), []
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            counts.append(await watch(SITE, clock, seconds, out))

        tasks.start_soon(run)
        while not counts:
            await anyio.wait_all_tasks_blocked()
            await clock.advance(1.0)
    return counts[0]


@pytest.mark.anyio
async def test_every_sensor_is_watched_through_its_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.zeros((384, 640, 3), np.uint8)
    frames = [Frame(n, 10.0 + n, 10.0 + n, picture) for n in range(3)]
    heard = [RadarFrame(n, 10.05 + n, (RadarPoint(20.0, -3.0, -5.0, 4.0),)) for n in range(4)]
    drivers = {"mjpeg_http": plugin(Kind.CAMERA, frames), "ti_mmwave": plugin(Kind.RADAR, heard)}
    monkeypatch.setattr(model, "plugins", lambda: drivers)
    monkeypatch.setattr(sensor_tracks, "Detectors", Sees)
    out = io.StringIO()
    counts = await watched(30.0, out)
    assert counts["south-west"] == {"looks": 3, "places": 3, "trouble": "silent: no more"}
    assert counts["radar-south-west"] == {"looks": 4, "places": 4, "trouble": "silent: no more"}
    rows = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {"sensor": "radar-south-west", "at_s": 10.05, "points": [[20.0, -3.0, 4.0]]} in rows
    (place,) = next(row for row in rows if row["sensor"] == "south-west")["points"]
    assert np.hypot(place[0] + 16, place[1] + 19) == pytest.approx(24.3, abs=1.5), "48 px below the middle"


@pytest.mark.anyio
async def test_a_camera_whose_model_is_refused_says_so_and_the_radar_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = [RadarFrame(1, 10.0, (RadarPoint(20.0, -3.0, -5.0, 4.0),))]
    monkeypatch.setattr(model, "plugins", lambda: {"ti_mmwave": plugin(Kind.RADAR, heard)})
    monkeypatch.setattr(sensor_tracks, "Detectors", Refuses)
    counts = await watched(5.0, io.StringIO())
    assert counts["south-west"] == {
        "looks": 0,
        "places": 0,
        "trouble": "detector.onnx is for simulation only",
    }
    assert counts["radar-south-west"]["looks"] == 1


def test_a_radar_that_keeps_tracks_gives_those_and_their_radial_speed() -> None:
    target = RadarTarget(3, 30.0, 40.0, 5.0, 0.0)
    frame = RadarFrame(1, 0.0, (RadarPoint(1.0, 2.0, 0.0, 3.0),), (target, replace(target, measured=False)))
    assert returns(frame) == [[30.0, 40.0, 3.0]]
    assert returns(replace(frame, targets=())) == [[1.0, 2.0, 3.0]]


def test_looks_come_back_by_sensor_in_order_and_half_a_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    path.write_text(
        '{"sensor": "a", "at_s": 2.0, "points": [[1, 2]]}\n\n{"sensor": "a", "at_s": 1.0, "points": []}\n'
        '{"sensor": "r", "at_s": 1.5, "points": [[1, 2, -3]]}\n{"sensor": "a", "at'
    )
    found = read_tracks(path)
    assert [look.at_s for look in found["a"]] == [1.0, 2.0]
    assert found["r"][0].extra is not None
    assert found["r"][0].extra.tolist() == [-3.0]


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"sensor": "a"}',
        '{"sensor": "a", "at_s": "x", "points": []}',
        '{"sensor": "a", "at_s": 1, "points": [[1]]}',
        '{"sensor": "a", "at_s": 1, "points": [[1, 2], [3]]}',
        '{"sensor": "a", "at_s": 1, "points": [[1, NaN]]}',
        '{"sensor": "a", "at_s": NaN, "points": [[1, 2]]}',
        "[" * 5000,
    ],
)
def test_a_line_that_is_no_look_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "seen.jsonl"
    path.write_text('{"sensor": "a", "at_s": 1, "points": [[1, 2]]}\n' + line + "\n")
    with pytest.raises(TracksInvalid, match="line 2"):
        read_tracks(path)
