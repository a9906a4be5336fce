"""How exposed the shipped services are, as systemd itself judges them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from hil.processes import RigFailure

UNITS = {"exposure_core": "rsu-agent.service", "exposure_web": "rsu-agent-web.service"}
MOST_EXPOSURE = 2.0
OVERALL = re.compile(r"Overall exposure level for \S+: (\d+\.\d+)")


def units(folder: Path) -> dict[str, float | None]:
    """Exposure, 0 to 10, of each unit; None where systemd-analyze is missing. Raises RigFailure."""
    return {name: exposure(folder / unit) for name, unit in UNITS.items()}


def exposure(unit: Path) -> float | None:
    """Of one unit file, judged without a running systemd. Raises RigFailure."""
    if not shutil.which("systemd-analyze"):
        return None
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = OVERALL.search(done.stdout)
    if not found:
        raise RigFailure(f"systemd-analyze does not judge {unit}: {done.stderr.strip()}")
    return float(found[1])
