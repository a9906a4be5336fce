"""The counted drills, a few of each: what is killed is never mixed, what nobody confirms is not late."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.drills.__main__ import missed
from hil.drills.site_faults import Spoilt, misplaced, spoilt
from rsu_agent.ports.assets import asset

CLEAN: dict[str, dict[str, Any]] = {
    "config": {"fault_kinds": 98, "misplaced": 0, "apply_kills": 200, "mixed": 0, "revert_late_s": 0.3},
    "update": {"kills": 100, "unbootable": 0, "revert_s": 95.0},
    "bundle": {"secrets": 0, "seconds": 1.0, "mb": 0.1},
    "cli": {"status_s": 0.3},
    "unit": {"exposure_core": 1.6, "exposure_web": 1.3},
    "web": {"bytes": 200_000, "first_paint_ms": 300.0},
}


def test_every_bound_is_judged() -> None:
    assert missed(CLEAN) == []
    for group, key, value in (
        ("config", "misplaced", 1),
        ("config", "mixed", 1),
        ("config", "revert_late_s", 5.5),
        ("cli", "status_s", 0.6),
        ("update", "unbootable", 1),
        ("update", "revert_s", 721),
        ("bundle", "secrets", 1),
        ("bundle", "seconds", 31),
        ("bundle", "mb", 20.5),
        ("unit", "exposure_core", 2.1),
        ("web", "bytes", 250_001),
        ("web", "first_paint_ms", 1001),
    ):
        [words] = missed(CLEAN | {group: CLEAN[group] | {key: value}})
        assert words.startswith(f"{group}.{key} {value} > ")
    [words] = missed(CLEAN | {"config": CLEAN["config"] | {"fault_kinds": 59}})
    assert words == "config.fault_kinds 59 < 60"
    [words] = missed(CLEAN | {"unit": CLEAN["unit"] | {"exposure_web": None}})
    assert words == "unit.exposure_web was not measured"


@pytest.mark.real
@pytest.mark.timeout(600)
def test_a_few_of_each_hold(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hil.drills", "--kills", "20", "--installs", "10", "--seed", "7"]
    command += ["--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    figures = json.loads(done.stdout.splitlines()[-1])
    missed_here = [
        each for each in figures["missed"] if not each.startswith(("cli.", "web.first"))
    ]  # no speed
    assert missed_here == [], done.stderr
    assert (figures["config"]["apply_kills"], figures["config"]["mixed"]) == (20, 0)
    assert {"agent/status.json", "agent/metrics.txt"}.isdisjoint(figures["bundle_running"]["missing"])
    assert figures["bundle"]["parts"] >= 4
    assert (figures["update"]["kills"], figures["update"]["unbootable"]) == (10, 0)
    assert 0 < figures["update"]["revert_s"] <= 720
    assert figures["config"]["fault_kinds"] == len(spoilt())


@pytest.mark.parametrize("fault", spoilt(), ids=lambda fault: fault.kind)
def test_a_fault_is_said_alone_at_its_exact_place_and_names_the_other_one(
    fault: Spoilt, tmp_path: Path
) -> None:
    assert not misplaced(tmp_path, fault)


def test_the_drill_finds_a_fault_that_is_said_elsewhere(tmp_path: Path) -> None:
    fault = spoilt()[0]
    line, column = fault.place
    for wrong in (
        replace(fault, place=(line, column + 1)),
        replace(fault, other=fault.place),
        replace(fault, path="elsewhere"),
        replace(fault, says=("not said",)),
        replace(fault, data=asset("config/virtual.yaml").read_bytes()),
        replace(fault, data=b"{}"),
    ):
        assert misplaced(tmp_path, wrong)
