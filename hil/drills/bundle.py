"""A bundle of a box whose site file tells secrets: what of them is in it, how long it takes, its size."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import zstandard

from hil.processes import RigFailure
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.ports.assets import asset

RECORDS = 20_000
MOST_S, MOST_MB = 30.0, 20.0


def bundle(folder: Path) -> dict[str, Any]:
    """secrets: planted ones that stand in the bundle. Raises RigFailure."""
    folder.mkdir(parents=True)
    planted = [f"planted-{secrets.token_hex(8)}" for _ in range(2)]
    site, out = folder / "site.yaml", folder / "bundle.tar.zst"
    text = asset("config/virtual.yaml").read_text()
    login = f"    latency_ms: 0\n    user: {planted[0]}-me\n    password: {planted[0]}\n"
    site.write_text(text.replace("    latency_ms: 0\n", login, 1) + f"# password: {planted[1]}\n")
    _fill(folder / "state" / "outbox")
    began_s = time.monotonic()
    command = [sys.executable, "-m", "rsu_agent.cli.main", "bundle", "--json", "--out", out, "--site", site]
    command += ["--state", folder / "state", "--socket", folder / "none.sock"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RigFailure(f"rsu bundle ended with status {done.returncode}\n{done.stderr}")
    seconds = time.monotonic() - began_s
    plain = zstandard.ZstdDecompressor().decompress(out.read_bytes(), max_output_size=1 << 30)
    whole = plain.decode(errors="replace")
    return {
        "secrets": sum(secret in whole for secret in planted),
        "seconds": round(seconds, 2),
        "mb": round(out.stat().st_size / 1e6, 3),
        "parts": len(json.loads(done.stdout)["parts"]),
    }


def _fill(folder: Path) -> None:
    box = Outbox(folder, 64 << 20, site="drill")
    for n in range(RECORDS):
        while not box.append({"k": "phase", "t": n, "g": 1, "c": "green"}, "lo"):
            time.sleep(0.01)  # the hand-over is full: the writer is a thread
    box.close()
