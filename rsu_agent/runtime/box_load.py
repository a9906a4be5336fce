"""How busy the box is: load, memory, disk, temperature, from the kernel's own files."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

MEMORY = re.compile(r"^(MemTotal|MemAvailable):\s+(\d+) kB$", re.MULTILINE)
COLDEST_C, HOTTEST_C = -60.0, 150.0  # outside, a sensor is broken


def box_load(state: Path, root: Path = Path("/")) -> dict[str, Any]:
    """The fields of a `run` record. root: where proc and sys are."""
    load = float((root / "proc/loadavg").read_text().split()[0])
    disk = shutil.disk_usage(state)
    return {
        "cpu": round(load / (os.cpu_count() or 1), 3),
        "mem": _memory((root / "proc/meminfo").read_text()),
        "disk": round(disk.used / disk.total, 3) if disk.total else 0.0,
        "temp": _hottest(root / "sys/class/thermal"),
    }


def _memory(text: str) -> float | None:
    found = {name: int(kb) for name, kb in MEMORY.findall(text)}
    if "MemAvailable" not in found or not found.get("MemTotal"):
        return None
    return round(1.0 - found["MemAvailable"] / found["MemTotal"], 3)


def _hottest(folder: Path) -> float | None:
    """The hottest zone in degrees Celsius; None: the box has none that can be read."""
    degrees = []
    for path in folder.glob("thermal_zone*/temp"):
        try:
            degrees.append(int(path.read_text()) / 1000.0)
        except (OSError, ValueError):
            continue
    sound = [each for each in degrees if COLDEST_C < each < HOTTEST_C]
    return round(max(sound), 1) if sound else None
