"""What is measured at a running agent: how long `rsu status` takes, and what `rsu bundle` makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hil.demo import watch_first_valid
from hil.processes import RigFailure
from hil.rig import Rig, RigOptions

RSU = Path(sys.executable).with_name("rsu")
TRIES, MOST_STATUS_S = 5, 0.5


def running(folder: Path) -> dict[str, dict[str, Any]]:
    """{cli: status_s, best of some; bundle_running: parts, missing, mb}. Raises RigFailure."""
    rig = Rig(folder, RigOptions(page=False, metrics_port=0, senses=False))
    try:
        rig.start_devices()
        rig.start_agent()
        watch_first_valid(folder, time.monotonic())
        tries_s = [_timed(["status", "--socket", str(rig.socket)])[0] for _ in range(TRIES)]
        out = folder / "bundle.tar.zst"
        where = ["--site", str(rig.site_file), "--state", str(rig.state), "--socket", str(rig.socket)]
        _, said = _timed(["bundle", "--out", str(out), *where, "--json"])
    finally:
        rig.stop()
    told = json.loads(said)
    live = {"parts": len(told["parts"]), "missing": told["missing"], "mb": round(told["bytes"] / 1e6, 3)}
    return {"cli": {"status_s": round(min(tries_s), 3)}, "bundle_running": live}


def _timed(words: list[str]) -> tuple[float, str]:
    """Seconds that a verb took, and what it said. Raises RigFailure."""
    began_s = time.monotonic()
    done = subprocess.run([str(RSU), *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RigFailure(f"rsu {words[0]} ended with status {done.returncode}\n{done.stderr}")
    return time.monotonic() - began_s, done.stdout
