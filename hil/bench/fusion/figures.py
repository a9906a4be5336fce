"""The figures of results: by motmetrics and trackeval in the referees' environment, and GOSPA."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.bench.fusion.config import Config
from hil.bench.fusion.gospa import mean_gospa
from hil.bench.fusion.result import Result
from hil.bench.fusion.truth import Truth
from hil.processes import RigFailure

REFEREES = Path(__file__).with_name("referees.py")
OWN_PLACE = Path("build/peers-venv/bin/python")
INSTALL = "python -m hil.bench.peers.install"
JUDGING_S = 300.0
RULES = ("steps", "unscored_steps", "region_m", "match_m", "hota_m")
Figures = dict[str, float | None]


def referees_python() -> str:
    """The interpreter that has motmetrics and trackeval. Raises RigFailure saying how to get one."""
    try:
        return str(importlib.import_module("hil.bench.peers.environment").peers_python())
    except ModuleNotFoundError as missing:
        if not str(missing.name).startswith("hil.bench.peers"):
            raise
    for python in (str(OWN_PLACE.absolute()), sys.executable):
        if Path(python).exists() and _has_referees(python):
            return python
    raise RigFailure(f"motmetrics 1.4.0 and trackeval 1.3.0 are not installed: {INSTALL}")


def _has_referees(python: str) -> bool:
    asked = [python, "-c", "import motmetrics, trackeval"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def figures(config: Config, truth: Truth, results: Mapping[str, Result]) -> dict[str, Figures]:
    """mota, idf1, hota, gospa, position_rmse_m, speed_rmse_mps (of the velocity's difference, a vector),
    id_switches, precision and recall of every result of one truth."""
    rules = json.dumps({name: getattr(config, name) for name in RULES})
    with tempfile.TemporaryDirectory(prefix="rsu-fusion-") as folder:
        files = [Path(folder) / f"{place}.npz" for place in range(len(results))]
        for file, result in zip(files, results.values(), strict=True):
            result.save(file)
        command = [referees_python(), str(REFEREES), str(truth.path), rules, *map(str, files)]
        told = _told(command)
    return {
        name: {**row, "gospa": mean_gospa(config, truth, result)}
        for (name, result), row in zip(results.items(), told, strict=True)
    }


def _told(command: list[str]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=JUDGING_S, check=False)
    except subprocess.TimeoutExpired:
        raise RigFailure(f"the referees had not finished after {JUDGING_S:g} s") from None
    if done.returncode:
        raise RigFailure(f"the referees failed: {done.stderr.strip()[-800:]}")
    told: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return told
