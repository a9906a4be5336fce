"""One folder installed from the wheel for every deploy test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from installing import install


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
