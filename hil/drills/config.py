"""Site files: faults at their place, changes that are killed at every step, how late one goes back."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hil.drills.site_faults import site_faults
from hil.processes import RigFailure
from rsu_agent.settings.generations import Generations

OLD, NEW = b"# the old site file\nsite: 1\n", b"# the new one\nsite: 2\n" * 300
MOST_STEPS = 60  # calls of a change that touch the disk, and some
LATE_TRIES, LATE_CONFIRM_S, MOST_LATE_S, LOOK_S = 5, 1.0, 5.0, 0.01


def killed_changes(folder: Path, kills: int, seed: int, told: Callable[[], None]) -> dict[str, int]:
    """apply_kills: changes that were killed; mixed: those after which, and after the agent's next start, the
    site file is neither the old nor the new one, or not the one that was promised."""
    dice, site, kept = random.Random(seed), folder / "etc" / "site.yaml", Generations(folder / "config")
    site.parent.mkdir(parents=True)
    new = folder / "new.yaml"
    new.write_bytes(NEW)
    done = mixed = 0
    while done < kills:
        site.write_bytes(OLD)
        ends = dice.choice(("confirm", "revert"))
        steps = dice.randrange(MOST_STEPS)
        command = [sys.executable, "-m", "hil.drills.change", site, kept.folder, new, str(steps), ends]
        run = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if run.returncode not in (0, -signal.SIGKILL):
            raise RigFailure(f"a change ended with status {run.returncode}\n{run.stderr}")
        if run.returncode == 0:
            continue  # it was quicker
        done += 1
        told()
        mixed += not _is_promised(site, kept, run.stdout, ends)
    return {"apply_kills": done, "mixed": mixed}


def _is_promised(site: Path, kept: Generations, words: str, ends: str) -> bool:
    """After the kill, and after the agent's next start."""
    if site.read_bytes() not in (OLD, NEW):
        return False
    waited = kept.pending() is not None
    kept.revert("started")
    if waited or "applied" not in words:
        return site.read_bytes() == OLD
    return site.read_bytes() == (NEW if ends == "confirm" else OLD)


def revert_late_s(folder: Path) -> float:
    """Seconds after its deadline at which the parent process has a change back, the worst of some."""
    site, state, late_s = folder / "site.yaml", folder / "state", 0.0
    state.mkdir(parents=True)
    kept = Generations(state / "config")
    parent = subprocess.Popen(
        [sys.executable, "-m", "hil.drills.lonely", str(state)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(LATE_TRIES):
            site.write_bytes(OLD)
            kept.begin(site, NEW, LATE_CONFIRM_S)
            due_s = time.monotonic() + LATE_CONFIRM_S
            while site.read_bytes() != OLD:
                if time.monotonic() > due_s + 4 * MOST_LATE_S:
                    raise RigFailure("the parent has not taken the change back")
                time.sleep(LOOK_S)
            late_s = max(late_s, time.monotonic() - due_s)
    finally:
        parent.terminate()
        parent.wait(30)
    return round(late_s, 3)


def config(folder: Path, kills: int, seed: int, told: Callable[[], None]) -> dict[str, Any]:
    """The group `config` of the drills."""
    return {
        **site_faults(_made(folder / "faults")),
        **killed_changes(folder / "kills", kills, seed, told),
        "revert_late_s": revert_late_s(folder / "late"),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
