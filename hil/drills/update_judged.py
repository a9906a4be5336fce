"""A box on which `rsu update install` puts a worse release: seconds until the old one is back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from hil.drills import update as made
from hil.processes import RigFailure

STARTS_S = 20.0


def judged_s(folder: Path, fault: str) -> float:
    """Seconds from the installation's begin until the old release runs again. fault: silent, lost."""
    kept, key = made.box(folder)
    socket, fault_file = folder / "ctl.sock", folder / "fault"
    file = made.release_file(folder, key, "2.0", 2)
    agent = subprocess.Popen(
        [sys.executable, "-m", "hil.drills.update_agent", str(socket), str(kept.link), fault]
    )
    try:
        end_s = time.monotonic() + STARTS_S
        while not socket.exists():
            if time.monotonic() > end_s:
                raise RigFailure("the made-up agent does not answer")
            time.sleep(made.LOOK_S)
        began_s = time.monotonic()
        command = [sys.executable, "-m", "rsu_agent.cli.main", "update", "install", file, "--json"]
        command += ["--root", kept.root, "--keys", folder / "keys", "--site", fault_file]
        command += ["--socket", socket, "--restart", "true"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if done.returncode != 6 or kept.current() != "1.0":
            raise RigFailure(f"{fault}: the release is still there\n{done.stdout}{done.stderr}")
        if not json.loads(done.stdout)["why"]:
            raise RigFailure(f"{fault}: no reason is told")
        return time.monotonic() - began_s
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(30)
