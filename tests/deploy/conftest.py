"""What deploy tests share: a folder installed from the wheel, a running crossing, a district."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installing import install
from living import send, until

from hil.rig import Rig, RigOptions


@pytest.fixture(scope="session")
def installed_once(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the script installed into; not to be changed."""
    root = tmp_path_factory.mktemp("box") / "root"
    done = install("--root", root, wheel)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def box(installed_once: Path, tmp_path: Path) -> Path:
    """A copy of the installed folder that a test may change. Its programs still name the first folder."""
    copy = tmp_path / "root"
    shutil.copytree(installed_once, copy, symlinks=True)
    return copy


@pytest.fixture(scope="module")  # it is a load to all that runs beside it
def crossing() -> Iterator[Rig]:
    """The virtual crossing, with its agent."""
    with tempfile.TemporaryDirectory(prefix="rsu", dir="/tmp") as folder:
        rig = Rig(Path(folder) / "run", RigOptions(page=False, metrics_port=0))
        try:
            rig.start_devices()
            rig.start_agent()
            yield rig
        finally:
            rig.stop()


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The metrics' address of a district that has received one good envelope, and one that is none."""
    folder = tmp_path_factory.mktemp("district")
    ready = folder / "ready"
    command = [sys.executable, "-m", "rsu_agent.district.main", "--database", str(folder / "d.sqlite")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--api-port", "0", "--ready", str(ready)], stderr=log, stdout=log
        )
    try:
        until(lambda: ready.exists() and ready.stat().st_size, lambda: (folder / "log").read_text())
        told = json.loads(ready.read_text())
        send(told["host"], told["port"])
        yield f"{told['api']}metrics"
    finally:
        process.terminate()
        process.wait(30)
