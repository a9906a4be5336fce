"""Releases of the agent: installations killed at every step, bad ones that must go back without a hand."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hil.processes import RigFailure
from rsu_agent.settings.keeper import place
from rsu_agent.settings.release_pack import pack, signed, told_of
from rsu_agent.settings.releases import COMPLETE, TOLD, Releases

MOST_STEPS = 130  # calls of an installation that touch the disk, and some
FILES = 12  # of a made release, beside its program
PROGRAM = '#!/bin/sh\nif [ "$1" = --version ]; then cat "$(dirname "$0")/../lib/version"; fi\n{more}'
LOOP_ENDS, LOOK_S, MOST_REVERT_S = 12, 0.05, 720.0


def made(folder: Path, version: str, more: str = "exit 0\n") -> Path:
    """A small release that starts only where all of it is there."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    for n in range(FILES):
        (folder / "lib" / f"part{n}").write_text(f"{version}\n" * 500)
    (folder / "lib" / "version").write_text(f"{version}\n")
    (folder / "bin/rsu").write_text(PROGRAM.format(more=more))
    (folder / "bin/rsu").chmod(0o755)
    return folder


def box(folder: Path) -> tuple[Releases, Ed25519PrivateKey]:
    """A machine with release 1.0 in place and the keeper; the key whose releases it takes."""
    kept, key = Releases(folder / "opt"), Ed25519PrivateKey.generate()
    first = made(kept.folder / "1.0", "1.0")
    (first / TOLD).write_text(json.dumps({"version": "1.0", "counter": 1}))
    (first / COMPLETE).write_text("first")
    kept.link.symlink_to("releases/1.0")
    place(kept.root)
    (folder / "keys").mkdir()
    text = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    (folder / "keys/drill.pub").write_text(text)
    return kept, key


def release_file(
    folder: Path, key: Ed25519PrivateKey, version: str, counter: int, more: str = "exit 0\n"
) -> Path:
    """A signed release file."""
    source = made(folder / f"source-{version}", version, more)
    told = told_of(source, version, counter)
    pack(source, told, signed(told, key), folder / f"{version}.tar.zst")
    return folder / f"{version}.tar.zst"


def killed_installs(folder: Path, kills: int, seed: int, told: Callable[[], None]) -> dict[str, int]:
    """kills: installations that were killed; unbootable: those after which, and after the boot-time keeper,
    `current` does not lead to a whole release that starts, or to another one than was promised."""
    dice = random.Random(seed)
    kept, key = box(folder)
    file = release_file(folder, key, "2.0", 2)
    done = unbootable = switched = 0
    while done < kills:
        steps = dice.randrange(MOST_STEPS)
        command = [sys.executable, "-m", "hil.drills.update_killed", kept.root, folder / "keys", file, steps]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if run.returncode not in (0, -signal.SIGKILL):
            raise RigFailure(f"an installation ended with status {run.returncode}\n{run.stderr}")
        if run.returncode:
            done += 1
            told()
            switched += "waits" in run.stdout
            unbootable += not starts(kept) or not after_boot(kept, run.stdout)
        as_at_first(kept, dice.random() < 0.5)
    return {"kills": done, "unbootable": unbootable, "killed_switched": switched}


def after_boot(kept: Releases, words: str) -> bool:
    """The machine has been started again: the keeper runs, then the service; the promised one, and whole."""
    _another_boot(kept)
    _keeper(kept, "start")
    wanted = {"2.0"} if "good" in words else {"1.0", "2.0"} if "waits" in words else {"1.0"}
    return kept.current() in wanted and not kept.waits and starts(kept)


def starts(kept: Releases) -> bool:
    """Whether what `current` leads to is whole and says its own version."""
    version = kept.current()
    if version is None or any(
        not (kept.link / "lib" / f"part{n}").is_file()
        or (kept.link / "lib" / f"part{n}").read_text() != f"{version}\n" * 500
        for n in range(FILES)
    ):
        return False
    said = subprocess.run([kept.link / "bin/rsu", "--version"], capture_output=True, text=True, check=False)
    return said.returncode == 0 and said.stdout == f"{version}\n"


def as_at_first(kept: Releases, empty: bool) -> None:
    """1.0 again, nothing waits; what a kill has left behind stays. empty: without 2.0."""
    kept.revert("the drill")
    (kept.state / "counter.json").unlink(missing_ok=True)
    if kept.current() != "1.0":
        kept.put("1.0", "the drill")
    if empty and "2.0" in kept.versions():
        kept.drop("2.0")


def crash_loop_s(folder: Path) -> float:
    """Seconds until the keeper alone has a release back that ends as soon as it starts."""
    kept, key = box(folder)
    file = release_file(folder, key, "2.0", 2, 'if [ "$1" = run ]; then exit 1; fi\nexit 0\n')
    command = [sys.executable, "-m", "hil.drills.update_killed", kept.root, folder / "keys", file, "-1"]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    began_s = time.monotonic()
    for _ in range(LOOP_ENDS):  # as systemd: ExecStartPre, ExecStart, RestartSec
        _keeper(kept, "start")
        if kept.current() == "1.0":
            return time.monotonic() - began_s
        subprocess.run([kept.link / "bin/rsu", "run"], check=False)
        time.sleep(2.0)  # RestartSec of the unit
    raise RigFailure("a release in a crash loop was not taken back")


def _keeper(kept: Releases, what: str) -> None:
    """As systemd calls it: none of our packages on its path."""
    command = list(map(str, (kept.keeper, what, "--root", kept.root)))
    environment = {"PATH": os.defpath}
    subprocess.run(command, cwd="/", env=environment, check=True, capture_output=True, timeout=60)


def _another_boot(kept: Releases) -> None:
    """What waits was begun in a boot that is over."""
    pending = kept.state / "pending.json"
    if pending.exists():
        pending.write_text(json.dumps(json.loads(pending.read_text()) | {"boot": "before"}))


def update(folder: Path, kills: int, seed: int, told: Callable[[], None]) -> dict[str, Any]:
    """The group `update` of the drills."""
    from hil.drills.update_judged import judged_s

    with ThreadPoolExecutor() as beside:  # they mostly wait
        judged = {name: beside.submit(judged_s, _made(folder / name), name) for name in ("silent", "lost")}
        loop = beside.submit(crash_loop_s, _made(folder / "loop"))
        killed = killed_installs(_made(folder / "kills"), kills, seed, told)
        worse, loop_s = {name: each.result() for name, each in judged.items()}, loop.result()
    return {
        **killed,
        "crash_loop_s": round(loop_s, 1),
        "silent_spat_s": round(worse["silent"], 1),
        "lost_uplink_s": round(worse["lost"], 1),
        "revert_s": round(max(loop_s, *worse.values()), 1),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
