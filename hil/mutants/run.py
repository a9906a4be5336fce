"""One mutant: the rig with one thing wrong, and the self-check asked until it names it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.demo import watch_first_valid
from hil.mutants.table import MapMutant, Mutant, east_of
from hil.processes import RigFailure
from hil.rig import Rig, RigOptions
from rsu_agent.ports.assets import asset

RSU = [sys.executable, "-P", "-m", "rsu_agent.cli.main"]
CROSSING = "config/crossings/virtual.geojson"
WELL_S, ASK_S = 60.0, 2.0
SENSES_WELL_S = 120.0  # cameras learn their rate and their reference first
Found = dict[str, Any]


def tried(mutant: Mutant, run_dir: Path) -> Found:
    """caught: whether the finding was there in time; seconds: after how long; told: what was found."""
    rig = Rig(run_dir, RigOptions(page=False, metrics_port=0, senses=mutant.senses))
    try:
        rig.start_devices()
        _changed(rig, mutant)
        rig.start_agent()
        if mutant.act is not None:
            watch_first_valid(run_dir, time.monotonic())
            _until(rig, SENSES_WELL_S if mutant.senses else WELL_S, _is_well)
            mutant.act(rig)
        began_s = time.monotonic()
        named = _until(rig, mutant.within_s, lambda found: any(_names(mutant, each) for each in found))
        wrong = [f"{each['id']} {each['found']}" for each in _asked(rig) if each["good"] is False]
        return {"caught": named, "seconds": round(time.monotonic() - began_s, 1), "told": wrong}
    finally:
        rig.stop()


def tried_map(mutant: MapMutant, folder: Path) -> Found:
    """The same of a crossing file, by `rsu map check`."""
    crossing = json.loads(asset(CROSSING).read_text())
    at = crossing["crossing"]["reference"]
    if mutant.crossing is not None:
        mutant.crossing(crossing)
    folder.mkdir(parents=True)
    path = folder / "crossing.geojson"
    path.write_text(json.dumps(crossing))
    command = [*RSU, "map", "check", str(path), "--json"]
    if mutant.pole_m:
        surveyed, measured = (east_of(at["lat"], at["lon"], metres) for metres in (0.0, mutant.pole_m))
        command += ["--gnss", measured, "--pole", surveyed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout)["findings"]
    named = [each for each in found if each["rule"] == mutant.rule]
    caught = any(word in each["text"] for each in named for word in mutant.words)
    return {"caught": caught, "seconds": 0.0, "told": [each["text"] for each in named][:3]}


def _changed(rig: Rig, mutant: Mutant) -> None:
    if mutant.site is None:
        return
    yaml = YAML()
    site = yaml.load(rig.site_file.read_text())
    mutant.site(site, rig)
    with rig.site_file.open("w") as stream:
        yaml.dump(site, stream)


def _until(rig: Rig, seconds: float, holds: Any) -> bool:
    """Ask the self-check until something holds. False: it did not in that time. Raises RigFailure."""
    limit_s = time.monotonic() + seconds
    while time.monotonic() < limit_s:
        rig.processes.look()
        if holds(_asked(rig)):
            return True
        time.sleep(ASK_S)
    return False


def _asked(rig: Rig) -> list[Found]:
    """What `rsu doctor --json` finds now; nothing while the agent does not answer yet."""
    command = [*RSU, "doctor", "--json", "--socket", str(rig.socket)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    told = json.loads(done.stdout or "{}")
    if "findings" not in told and done.returncode not in (0, 4, 5):
        raise RigFailure(f"rsu doctor ended with status {done.returncode}\n{done.stderr}")
    findings: list[Found] = told.get("findings", [])
    return [] if told.get("reason") == "unreachable" else findings


def _is_well(found: list[Found]) -> bool:
    return bool(found) and all(each["good"] is not False for each in found)


def _names(mutant: Mutant, finding: Found) -> bool:
    """Whether it is the finding of the mutant, and says what is wrong in one of its words."""
    if finding["id"] != mutant.finding or finding["good"] is not False:
        return False
    said = f"{finding['reason']} {finding['found']}"
    return any(word in said for word in mutant.words)
