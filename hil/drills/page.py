"""The page's weight as served, and how soon something of it is seen in a real Chromium on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from websockets.sync.client import connect
from websockets.sync.connection import Connection

from hil.processes import RigFailure

MOST_BYTES, MOST_PAINT_MS = 250_000, 1000.0
TRIES, WAIT_S, LOOK_S = 3, 60.0, 0.05
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--remote-debugging-port=0")  # fmt: skip
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def page(folder: Path) -> dict[str, Any]:
    """bytes: of all static files, uncompressed; first_paint_ms: best of three, null without a Chromium."""
    static = Path(str(files("rsu_agent.web"))) / "static"
    weight = sum(path.stat().st_size for path in static.rglob("*") if path.is_file())
    return {"bytes": weight, "first_paint_ms": _first_paint_ms(folder)}


def _first_paint_ms(folder: Path) -> float | None:
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "page.json"
    command = [sys.executable, "-m", "rsu_agent.web.main", "--socket", folder / "none.sock", "--port", "0"]
    command += ["--state", folder / "web", "--ready", ready]
    served = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    try:
        url = json.loads(_until(lambda: ready.exists() and ready.read_text(), "the page does not start"))[
            "url"
        ]
        with _browser(chromium) as socket:
            return round(min(_painted_ms(socket, url) for _ in range(TRIES)), 1)
    finally:
        served.terminate()
        served.wait(30)


def _painted_ms(socket: Connection, url: str) -> float:
    """With a memory of its own: nothing is cached."""
    context = _call(socket, "Target.createBrowserContext")["browserContextId"]
    target = _call(socket, "Target.createTarget", url=url, browserContextId=context)["targetId"]
    session = _call(socket, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def painted() -> Any:
        told = _call(socket, "Runtime.evaluate", session, expression=PAINT, returnByValue=True)
        return told["result"].get("value")

    painted_ms = float(_until(painted, "the page does not paint"))
    _call(socket, "Target.disposeBrowserContext", browserContextId=context)
    return painted_ms


@contextmanager
def _browser(chromium: str) -> Iterator[Connection]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            told = Path(profile) / "DevToolsActivePort"
            words = _until(lambda: told.exists() and told.read_text(), "Chromium does not start").split("\n")
            with connect(f"ws://127.0.0.1:{words[0]}{words[1]}", max_size=64 << 20, proxy=None) as socket:
                yield socket
        finally:
            process.terminate()
            process.wait(30)


def _call(socket: Connection, method: str, session: str = "", **params: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"id": time.monotonic_ns() % (1 << 31), "method": method, "params": params}
    socket.send(json.dumps(asked | ({"sessionId": session} if session else {})))
    while True:
        told = json.loads(socket.recv(timeout=WAIT_S))
        if told.get("id") == asked["id"]:
            if "error" in told:
                raise RigFailure(f"{method}: {told['error']}")
            return dict(told["result"])


def _until(true: Callable[[], Any], failure: str) -> Any:
    end_s = time.monotonic() + WAIT_S
    while not (value := true()):
        if time.monotonic() > end_s:
            raise RigFailure(failure)
        time.sleep(LOOK_S)
    return value
