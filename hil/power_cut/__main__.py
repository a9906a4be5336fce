"""`python -m hil.power_cut`: record every write of a real outbox, then cut the power at every point of them.

At each point: nothing that was not synced is there; all of it is; three random parts of it are, writes torn
at a sector. One JSON object on the last line; status 1 when anything that was promised is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from shutil import which
from typing import Any

from hil.counted_run import counted
from hil.power_cut.disk import changes
from hil.power_cut.replay import Replay
from hil.processes import RigFailure
from hil.progress import counting

SOURCE = Path(__file__).parent / "recorder.c"
BOUNDS = ("lost", "reused", "unopened", "damaged", "undeclared")  # all 0
CONTROL_SHARE = 0.05
FAST = Path("/dev/shm")
GCC = which("gcc")


def record(folder: Path, records: int, *, careless: bool = False) -> Path:
    """The log of an outbox at work in `folder`/box. Raises RigFailure."""
    if GCC is None:
        raise RigFailure("gcc is not installed (make tools)")
    library, log, box = folder / "recorder.so", folder / "log", folder / "box"
    box.mkdir(parents=True)
    subprocess.run([GCC, "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    told = {"RECORD_FOLDER": str(box), "RECORD_LOG": str(log), "LD_PRELOAD": str(library)}
    command = [
        sys.executable,
        "-m",
        "hil.power_cut.work",
        "--folder",
        str(box),
        "--marks",
        str(box / "marks"),
    ]
    command += ["--records", str(records), *(["--careless"] if careless else [])]
    done = subprocess.run(command, env=os.environ | told, capture_output=True, text=True, check=False)
    if done.returncode or not log.exists():
        raise RigFailure(f"the outbox ended with status {done.returncode}\n{done.stderr}")
    return log


def power_cut(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    """The run and its control. Raises RigFailure."""
    figures = _replayed(options, run_dir / "run", options.share)
    control = _replayed(options, run_dir / "control", min(CONTROL_SHARE, options.share), careless=True)
    told = {name: control[name] for name in ("points", "states", *BOUNDS)}
    missed = [f"{name} {figures[name]} > 0" for name in BOUNDS if figures[name]]
    missed += ["control.lost 0: the run would not see a loss"] * (not control["lost"])
    return {"seed": options.seed, **figures, "control": told, "missed": missed}


def _replayed(
    options: argparse.Namespace, folder: Path, share: float, *, careless: bool = False
) -> dict[str, Any]:
    log = record(folder, options.records, careless=careless).read_bytes()
    total = sum(1 for _ in changes(log))
    where = FAST if FAST.is_dir() and os.access(FAST, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as name, counting() as bar:
        task = bar.add_task("control" if careless else "changes", total=total)
        replay = Replay(Path(name) / "box", folder / "box", options.seed)
        replay.run(changes(log), share, partial(bar.advance, task))
    figures = {each: replay.figures[each] for each in ("points", "states", *BOUNDS)}
    return {"changes": total, **figures, "worst": replay.worst}


def main() -> int:
    """Parse, run, print; 1 when something is missing, 2 when it could not be recorded."""
    parser = argparse.ArgumentParser(prog="python -m hil.power_cut", description=__doc__)
    parser.add_argument("--records", type=int, default=800)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of all points, that are tried")
    return counted("power-cut", parser, power_cut, "a promise is not kept")


if __name__ == "__main__":
    sys.exit(main())
