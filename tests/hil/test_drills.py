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
    "bundle": {"secrets": 0, "seconds": 1.0, "mb": 0.1},
    "web": {"bytes": 168_000, "first_paint_ms": 300.0},
}


def test_every_bound_is_judged() -> None:
    assert missed(CLEAN) == []
    for group, key, value in (
        ("config", "misplaced", 1),
        ("config", "mixed", 1),
        ("config", "revert_late_s", 5.5),
        ("bundle", "secrets", 1),
        ("bundle", "seconds", 31),
        ("bundle", "mb", 20.5),
        ("web", "bytes", 250_001),
        ("web", "first_paint_ms", 1000.5),
    ):
        [words] = missed(CLEAN | {group: CLEAN[group] | {key: value}})
        assert words.startswith(f"{group}.{key} {value} > ")
    [words] = missed(CLEAN | {"config": CLEAN["config"] | {"fault_kinds": 59}})
    assert words == "config.fault_kinds 59 < 60"
    [words] = missed(CLEAN | {"web": {"bytes": 1, "first_paint_ms": None}})
    assert words == "web.first_paint_ms was not measured"


@pytest.mark.real
def test_a_few_of_each_hold(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hil.drills", "--kills", "20", "--seed", "7", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["config"]["apply_kills"], figures["config"]["mixed"], figures["missed"]) == (20, 0, [])
    assert figures["bundle"]["parts"] >= 4
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
