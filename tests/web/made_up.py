"""What the tests of the page are fed with: a made-up agent behind the product's own control socket."""

from __future__ import annotations

import copy
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvicorn

from rsu_agent.runtime.config_desk import ConfigDesk, config_routes
from rsu_agent.runtime.control import control_app
from rsu_agent.runtime.line_tap import LineTap
from rsu_agent.runtime.log_tail import LogTail
from rsu_agent.runtime.serve_http import listen_unix
from rsu_agent.settings.crossing import read_crossing
from rsu_agent.settings.generations import Generations

CROSSING = Path(__file__).parents[2] / "config" / "crossings" / "virtual.geojson"
LIVE: dict[str, Any] = {
    "site": "made-up-7",
    "utc_ms": 1795580933707,
    "spat": {"valid": True, "reason": None, "voice": "speaking", "sent": 244},
    "signal": {
        "control": "fixed_time",
        "plan": 3,
        "stage": 2,
        "age_s": 0.05,
        "groups": [
            {"group": 1, "colour": "red", "end_in_s": 33.5, "confidence": 0.5},
            {"group": 2, "colour": "green", "end_in_s": 12.3, "confidence": 0.5},
            {"group": 3, "colour": "green_flash", "end_in_s": None, "confidence": None},
        ],
    },
    "users": [
        {"track": 41, "kind": "bus", "x": 5.0, "y": -20.0, "vx": 0.0, "vy": 10.0, "speed": 10.0,
         "heading": 0.0, "length": 11.5, "width": 2.5},
        {"track": 42, "kind": "pedestrian", "x": -9.0, "y": 14.0, "vx": 1.0, "vy": 0.0, "speed": 1.0,
         "heading": None, "length": 0.5, "width": 0.5},
    ],
    "hazards": [{"number": 1, "kind": "wrong_way", "x": 5.0, "y": 30.0, "for_s": 4.2, "evidence": ""}],
    "devices": [
        {"device": "controller", "kind": "controller", "state": "ok", "reason": "ok", "for_s": 9,
         "detail": ""},
        {"device": "north-camera", "kind": "camera", "state": "lost", "reason": "frozen", "for_s": 3,
         "detail": "no new picture"},
    ],
    "radio": {"sent": 300, "failed": 0, "kinds": {"SPAT": 244, "MAP": 25, "RSM": 31}},
    "uplink": {"connected": True, "backlog": 7, "acked": 93},
    "clock": {"trusted": True, "bound_ms": 1.5, "source": "virtual"},
}  # fmt: skip


LOOKS: dict[str, Any] = {
    "looks": {
        "north-camera": {"kind": "camera", "age_s": 0.1, "size": [1280, 720],
                         "boxes": [["bus", 0.91, 300, 200, 620, 480],
                                   ["pedestrian", 0.55, 900, 350, 950, 500]]},
        "north-radar": {"kind": "radar", "age_s": 0.05, "points": [[40.0, 3.0, -9.0], [62.5, -6.0, 0.0]],
                        "targets": [[40.2, 2.9, -9.1]]},
    },
    "sensors": [{"sensor": "north-camera", "healthy": True, "reason": "ok", "age_s": 0.1, "covers": []}],
    "scene_age_s": 0.1,
}  # fmt: skip


class MadeUpAgent:
    """A View whose answers the test chooses; `grows_old_from`: the lamps have been silent since then."""

    def __init__(self) -> None:
        self.state = copy.deepcopy(LIVE)
        self.grows_old_from: float | None = None
        self.asked = 0
        self.started_again = threading.Event()
        self.looks: dict[str, Any] = LOOKS
        self.lamp_changes: dict[str, Any] = {"told": [], "seen": []}
        self.tap = LineTap()

    def changes(self) -> dict[str, Any]:
        return self.lamp_changes

    def line(self, after: int | None) -> tuple[int, list[dict[str, Any]]]:
        return self.tap.after(after)

    def status(self) -> dict[str, Any]:
        state = self.live()
        state["users"] = len(state["users"])
        state["signal"]["end_error_p95_s"] = None
        return state

    def crossing(self) -> dict[str, Any]:
        return asdict(read_crossing(CROSSING))

    def live(self) -> dict[str, Any]:
        self.asked += 1
        state = copy.deepcopy(self.state)
        if self.grows_old_from is not None:
            state["signal"]["age_s"] = time.monotonic() - self.grows_old_from
        return state

    def messages(self) -> dict[str, Any]:
        return {"SPAT": {"age_s": 0.1, "hex": "2180", "value": {"msgCnt": 1}}}

    def guard(self) -> dict[str, Any]:
        return {"table": [], "judged": {}}

    def senses(self) -> dict[str, Any]:
        return copy.deepcopy(self.looks)

    def healthy(self) -> tuple[bool, str]:
        return True, "ok"


@contextmanager
def served(app: Any, path: Path) -> Iterator[None]:
    """An application on a unix socket while the context lasts."""
    listener = listen_unix(path)
    config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        path.unlink(missing_ok=True)


@contextmanager
def agent_at(path: Path, agent: MadeUpAgent) -> Iterator[None]:
    """The product's control application over a made-up agent."""
    site, state = path.parent / "site.yaml", path.parent / "agent-state"
    if not site.exists():
        site.write_text("site: old\n")
        kept = Generations(state / "config")
        kept.begin(site, b"site: new\npassword: very-secret\n", 600.0)
    desk = ConfigDesk(site, state, again=agent.started_again.set)
    tail = LogTail([site])
    tail.handle(
        logging.LogRecord("rsu_agent.runtime.made_up", logging.WARNING, "", 0, "lamps %s", ("late",), None)
    )
    with served(control_app(agent, None, config_routes(desk), tail), path):
        yield


@contextmanager
def page_over(control: Path, folder: Path, *more: str) -> Iterator[str]:
    """The real web process; gives its address."""
    ready = folder / "page.json"
    command = [sys.executable, "-m", "rsu_agent.web.main", "--socket", str(control), "--port", "0"]
    command += ["--state", str(folder / "page-state"), *more]
    process = subprocess.Popen([*command, "--ready", str(ready)])
    try:
        until(lambda: ready.exists() and ready.read_text(), lambda: process.poll() is None)
        yield json.loads(ready.read_text())["url"]
    finally:
        process.terminate()
        process.wait(20)


def until(true: Callable[[], Any], going: Callable[[], bool] = lambda: True, seconds: float = 60.0) -> Any:
    """Wait for a condition, not for a time; the value that made it true."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert going(), "what was waited for has ended"
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)
    return value
