"""Stills of a running agent: made in the camera's thread, asked for over the control socket, written down."""

from __future__ import annotations

import getpass
import json
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import cv2
import numpy as np
import pytest

from rsu_agent.cli import client
from rsu_agent.ports.clock import SystemClock
from rsu_agent.runtime.control import control_app
from rsu_agent.runtime.hub import Hub, join
from rsu_agent.runtime.serve_http import listen_unix, serve_http
from rsu_agent.runtime.still_desk import STILL, STILLS, StillDesk
from rsu_agent.runtime.still_files import KEPT, expire, expired, still_name
from rsu_agent.runtime.stills import NoStill, Stills

IMAGE = np.full((40, 60, 3), 90, np.uint8)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Net:
    """Finds one box in everything."""

    def detect(self, _image: Any, _radar: Any, _score: float) -> list[Any]:
        return []


def fed(stills: Stills, made: Future[dict[str, Any]]) -> dict[str, Any]:
    """Pictures until the still is there."""
    deadline, at_s = time.monotonic() + 30, 0.0
    while not made.done() and time.monotonic() < deadline:
        stills.saw("north", IMAGE, [], at_s)
        at_s += 0.31
    return made.result(30)


def test_a_still_becomes_a_file_that_says_when_it_was_made(tmp_path: Path) -> None:
    stills = Stills(tmp_path / STILLS, ["north"], {"north": Net()}, lambda _: [])  # type: ignore[dict-item]
    told = fed(stills, stills.begin("north"))
    path = tmp_path / STILLS / told["file"]
    assert (cv2.imread(str(path)) == IMAGE).all()
    assert path.stat().st_mode & 0o777 == 0o640
    assert told["pictures"] >= 30
    assert not expired(path.name, datetime.now(UTC))
    assert expired(path.name, datetime.now(UTC) + KEPT)
    assert list(path.parent.iterdir()) == [path]
    assert fed(stills, stills.begin("north"))["pictures"] >= 30, "and again"


def test_none_is_made_without_a_net_twice_at_once_or_of_an_unknown_camera(tmp_path: Path) -> None:
    stills = Stills(tmp_path, ["north", "south"], {"north": Net()}, lambda _: [])  # type: ignore[dict-item]
    for camera, word in (("west", "camera"), ("south", "detector")):
        with pytest.raises(NoStill, match=word):
            stills.begin(camera)
    stills.begin("north")
    with pytest.raises(NoStill, match="busy"):
        stills.begin("north")
    stills.forget("north")
    stills.begin("north")


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / STILLS).write_text("a file where the folder should be")
    stills = Stills(tmp_path / STILLS, ["north"], {"north": Net()}, lambda _: [])  # type: ignore[dict-item]
    assert fed(stills, stills.begin("north")) == {"refused": "disk"}


def test_after_seven_days_they_are_gone_and_nothing_else(tmp_path: Path) -> None:
    old, young = (tmp_path / still_name("north", NOW - KEPT - timedelta(hours=h)) for h in (0, -1))
    other = tmp_path / "map.png"
    for path in (old, young, other):
        path.touch()
    assert expire(tmp_path, NOW) == 1
    assert sorted(tmp_path.iterdir()) == sorted([young, other])
    assert expire(tmp_path / "none", NOW) == 0
    assert not expired("north-20269999T999999Z.png", NOW)


@pytest.mark.anyio
@pytest.mark.real
async def test_asking_over_the_socket_names_who_asked_and_hands_the_file_out(tmp_path: Path) -> None:
    audits: list[tuple[str, str, dict[str, Any]]] = []
    hub = Hub(tmp_path, lambda _role, topic, told: desk.told(told) if topic == STILL else None)
    desk = StillDesk(hub, tmp_path, lambda *told: audits.append(told))
    (tmp_path / STILLS).mkdir()
    name = still_name("north", NOW)
    (tmp_path / STILLS / name).write_bytes(b"picture")
    path = tmp_path / "c.sock"
    app, listener = control_app(Nothing(), desk), listen_unix(path)

    async def senses() -> None:
        link = await join(tmp_path, "senses", SystemClock())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(link.run_sender)
            while True:
                topic, camera = await link.receive()
                assert topic == STILL
                link.send(STILL, {"camera": "another", "file": "not this one"})
                made = (
                    {"file": name, "pictures": 34, "filled": 1}
                    if camera == "north"
                    else {"refused": "camera"}
                )
                link.send(STILL, {"camera": camera, **made})

    def asks(camera: Any) -> tuple[int, dict[str, Any]]:
        status, body = client.order(path, "still", {"camera": camera})
        return status, json.loads(body)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve_http, app, listener, app.state.streams)
        assert await anyio.to_thread.run_sync(asks, "north") == (409, {"refused": "senses"})
        tasks.start_soon(hub.run)
        tasks.start_soon(senses)
        with anyio.fail_after(30):
            while "senses" not in hub.links:  # noqa: ASYNC110 (the hub's own task hears)
                await anyio.sleep(0.01)
        made = {"file": name, "pictures": 34, "filled": 1}
        assert await anyio.to_thread.run_sync(asks, "north") == (200, made)
        assert await anyio.to_thread.run_sync(asks, "west") == (409, {"refused": "camera"})
        assert await anyio.to_thread.run_sync(asks, ["north"]) == (400, {"refused": "camera"})
        assert await anyio.to_thread.run_sync(client.fetch, path, f"still/{name}") == b"picture"
        tasks.cancel_scope.cancel()
    me = getpass.getuser()
    assert audits == [
        ("north", me, {"refused": "senses"}),
        ("north", me, made),
        ("west", me, {"refused": "camera"}),
    ]
    for wrong in ("../c.sock", "north.png", still_name("north", NOW - KEPT)):
        assert desk.file(wrong) is None


class Nothing:
    """An agent that says nothing."""

    def live(self) -> dict[str, Any]:
        return {}

    status = crossing = messages = guard = changes = live

    def healthy(self) -> tuple[bool, str]:
        return True, "ok"
