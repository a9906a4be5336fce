"""Faces and plates are planted in front of the camera of a running agent, and found in no output of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mcap.reader import make_reader

from hil.paint.marks import legible
from hil.rig import Rig, RigOptions
from hil.truth import read_truth
from rsu_agent.cli import client

pytestmark = pytest.mark.real
WAIT_S = 90.0
CAMERA = "south-west"
STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF", b"GIF8", b"BM")
PICTURES = STARTS[:2]
LEGIBLE_PX = 16  # what is left of a face or a plate far away and half hidden is smaller: nobody can read it
LARGEST_RECORD = 65_536  # bytes; a picture of a road is larger


def frame(url: str) -> np.ndarray[Any, Any]:
    """One picture as the camera itself gives it."""
    with urllib.request.urlopen(url, timeout=WAIT_S) as stream:
        held = b""
        while b"\xff\xd9" not in held[held.find(b"\xff\xd8") :]:
            held += stream.read(4096)
    start = held.index(b"\xff\xd8")
    found = cv2.imdecode(np.frombuffer(held[start : held.index(b"\xff\xd9", start) + 2], np.uint8), 1)
    assert found is not None
    return found


def until(true: Any) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def files(*folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the agent, and what is in its recordings."""
    for folder in folders:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            data = path.read_bytes()
            yield str(path), data
            if path.suffix == ".mcap":
                for _, channel, message in make_reader(path.open("rb")).iter_messages():
                    assert len(message.data) < LARGEST_RECORD, channel.topic
                    yield f"{path} {channel.topic}", message.data


def pictures(data: bytes) -> Iterator[Any]:
    """What can be read as a picture, wherever in these bytes one starts."""
    for start in PICTURES:
        at = data.find(start)
        while at >= 0:
            picture = cv2.imdecode(np.frombuffer(data[at:], np.uint8), 1)
            if picture is not None:
                yield picture
            at = data.find(start, at + 1)


@pytest.fixture
def rig(short_path: Path) -> Iterator[Rig]:
    rig = Rig(short_path / "run", RigOptions(page=False, metrics_port=0, density="peak"))
    rig.start_devices()
    rig.bus.publish("fault", {"device": "camera", "name": "planted", "on": True})
    rig.start_agent()
    yield rig
    rig.stop()


def test_planted_faces_and_plates_are_in_no_output(rig: Rig, short_path: Path) -> None:
    url = rig.processes.told("camera")["url"]
    until(lambda: legible(frame(url)) > 3 * LEGIBLE_PX)
    until(lambda: seen(rig))
    command = [sys.executable, "-m", "rsu_agent.cli.main", "calibrate", "still", CAMERA]
    command += ["--socket", str(rig.socket), "--out", str(short_path), "--json"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_S)
    assert told.returncode == 0, told.stdout + told.stderr
    made = json.loads(told.stdout)
    assert made["pictures"] >= 30
    port = (rig.run_dir / "agent" / "metrics.port").read_text()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=WAIT_S) as page:
        outputs = [("metrics", page.read())]
    for what in ("status", "crossing", "messages", "guard"):
        outputs.append((what, client.fetch(rig.socket, what)))
    live = next(iter(client.stream(rig.socket, "live")))
    outputs.append(("live", json.dumps(live).encode()))
    rig.stop()
    outputs += [("air", bytes.fromhex(entry["hex"])) for entry in read_truth(rig.run_dir, "air")]
    outputs += files(rig.state, rig.run_dir / "agent", rig.run_dir / "logs")
    outputs.append((made["file"], Path(made["file"]).read_bytes()))
    found = [(name, picture) for name, data in outputs for picture in pictures(data)]
    names = {name for name, _ in found}
    assert names == {made["file"], str(rig.state / "stills" / Path(made["file"]).name)}
    left = {name: legible(picture) for name, picture in found}
    assert max(left.values()) < LEGIBLE_PX, left
    assert any(name == "air" for name, _ in outputs)
    assert any(".mcap" in name for name, _ in outputs)


def seen(rig: Rig) -> bool:
    """Whether the agent looks at the camera's pictures and sees road users in them."""
    try:
        live = next(iter(client.stream(rig.socket, "live")))
    except (OSError, StopIteration):
        return False
    return len(json.dumps(live)) > 0 and bool(live.get("users"))
