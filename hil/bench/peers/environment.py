"""The environment of the peers: build/peers-venv, made once from requirements/peers.txt, apart from ours."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from hil.processes import RigFailure

ROOT = Path(__file__).parents[3]
LOCK = ROOT / "requirements/peers.txt"
HOME = ROOT / "build/peers-venv"
READY = ".ready"
INSTALL_S = 900.0  # about 300 MB, over a slow line too
REASON_CHARS = 600  # of what pip says in the end


def peers_python() -> Path:
    """The interpreter that has the peers; makes the environment first where it is missing or out of date.

    RigFailure: it cannot be made, and why.
    """
    python = HOME / "bin/python"
    if not _lock():
        raise RigFailure(f"{LOCK} is missing: peers are measured from a checkout of the repository")
    if not is_ready():
        print(
            "installing the peers into build/peers-venv (about 300 MB, once) ...", file=sys.stderr, flush=True
        )
        _make(python)
        (HOME / READY).write_text(_lock())
    return python


def is_ready() -> bool:
    """Whether the environment is there and made from the present lock."""
    mark = HOME / READY
    return bool(_lock()) and mark.is_file() and mark.read_text() == _lock()


def clean_environment() -> dict[str, str]:
    """What a peer's process is started with: one thread for arithmetic, and this checkout's hil."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def _lock() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest() if LOCK.is_file() else ""


def _make(python: Path) -> None:
    """The lock holds everything, so nothing is resolved: norfair's old rich is not asked for."""
    venv.create(HOME, clear=True, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*pip, "--require-hashes", "--no-deps", "-r", str(LOCK)],
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
        )
    except subprocess.TimeoutExpired as slow:
        raise RigFailure(f"the peers were not installed within {INSTALL_S:.0f} s: {_REMEDY}") from slow
    if done.returncode:
        raise RigFailure(f"the peers cannot be installed: {_REMEDY}\n{done.stderr.strip()[-REASON_CHARS:]}")


_REMEDY = "check that pip reaches its package index, then run: python -m hil.bench.peers.install"
