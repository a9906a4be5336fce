"""Each virtual radar read by the driver installed for it: two readings of the facts, held to the truth."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from ruamel.yaml import YAML

from hil.bus import Bus
from hil.devices.radar_model import Mount
from hil.devices.radars import DEFAULT, RADARS
from hil.processes import Processes
from hil.rig import free_port, radar_entry
from rsu_agent.ports.assets import asset
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import plugins

SITE = asset("config/virtual.yaml")
MOUNT = Mount.of(YAML(typ="safe").load(SITE.read_text())["radars"][0])
AWAY_M, SPEED_MPS, LANE_M = 30.0, 7.0, 21.0  # a car crosses the axis there, again and again
NEAR_M = 4.0
WAIT_S = 40.0
PLACED = ("driver", "name", "pose", "field")
READ = [name for name, kind in RADARS.items() if kind.driver in plugins()]


def car(now_s: float) -> dict[str, Any]:
    """From left to right across the axis, a new one every three seconds."""
    turn, into_s = divmod(now_s, LANE_M / SPEED_MPS)
    right, s, c = into_s * SPEED_MPS - LANE_M / 2, math.sin(MOUNT.yaw_rad), math.cos(MOUNT.yaw_rad)
    return {
        "id": 1 + int(turn) % 1000, "cls": "car", "x": MOUNT.x_m + AWAY_M * s + right * c,
        "y": MOUNT.y_m + AWAY_M * c - right * s, "vx": SPEED_MPS * c, "vy": -SPEED_MPS * s,
        "heading": math.degrees(MOUNT.yaw_rad) + 90.0, "l": 4.6, "w": 1.8, "h": 1.5,
    }  # fmt: skip


def told(frame: RadarFrame, places: bool) -> bool:
    """Whether a frame tells of the car: off the axis, so that sides show; without places, that it passed."""
    if not places:
        return bool(frame.speeds or frame.passings)
    forward, left = MOUNT.placed(*(car(frame.measured_s)[key] for key in ("x", "y")))
    targets = [(t.x_forward_m, t.y_left_m) for t in frame.targets if abs(t.vy_left_mps + SPEED_MPS) < 2.0]
    points = [(p.x_forward_m, p.y_left_m) for p in frame.points] if not frame.targets else []
    near = any(math.dist(place, (forward, left)) < NEAR_M for place in targets + points)
    return near and abs(left) > NEAR_M


@pytest.fixture
def processes(short_path: Path) -> Iterator[Processes]:
    processes = Processes(short_path / "logs")
    yield processes
    processes.stop()


@pytest.mark.real
@pytest.mark.parametrize("name", READ)
def test_what_it_says_is_read_where_it_is(name: str, processes: Processes, short_path: Path) -> None:
    kind, agent_port, ready = RADARS[name], free_port(), short_path / "ready"
    where = ["--run-dir", str(short_path), "--site", str(SITE), "--to", f"127.0.0.1:{agent_port}"]
    processes.module("radar", "hil.devices.radar", *where, "--radar", name, ready=ready / "radar.json")
    processes.wait_ready("radar")
    entry = dict.fromkeys(PLACED) | ({"data_port": None} if name == DEFAULT else {})
    entry = radar_entry(entry, name, {"agent_port": agent_port, **processes.told("radar")})
    plugin, bus = plugins()[kind.driver], Bus(short_path)
    settings = plugin.settings(**{key: value for key, value in entry.items() if key not in PLACED})

    async def drive() -> None:
        while True:
            bus.publish("users", {"t": time.monotonic(), "users": [car(time.monotonic())]})
            await anyio.sleep(0.05)

    async def read() -> int:
        """Frames that tell of the car, until there are five, or one passing."""
        found = 0
        async with anyio.create_task_group() as group, plugin.open(settings, SystemClock()) as radar:
            group.start_soon(drive)
            with anyio.move_on_after(WAIT_S):
                async for frame in radar:
                    found += told(frame, kind.places)
                    if found >= 5 or frame.passings:
                        break
            group.cancel_scope.cancel()
        return found

    found = anyio.run(read)
    assert found >= 5 or (found and not kind.places)
