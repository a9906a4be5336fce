"""What the deploy tests share: running deploy/install into a folder, as a technician would on a box."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "deploy/install"


def install(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the script; third-party packages come from the running environment: no network is needed."""
    env = {**os.environ, "PIP_NO_DEPS": "1", "PYTHONPATH": sysconfig.get_paths()["purelib"], **environ}
    command = [INSTALL, "--python", sys.executable, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)


def everything_in(root: Path) -> dict[str, bytes | str]:
    """Every file with its bytes and every link with its target, but for byte code."""
    found: dict[str, bytes | str] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file() and path.suffix != ".pyc":
            found[name] = path.read_bytes()
    return found
