"""One wheel of the tree for every deploy test, and one folder installed from it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installing import ROOT, install


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built without a network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = out.glob("*.whl")
    return found


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
