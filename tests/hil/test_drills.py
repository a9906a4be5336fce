"""The counted drills, a few of each: what is killed is never mixed, what nobody confirms is not late."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.drills.__main__ import missed

CLEAN: dict[str, dict[str, Any]] = {
    "config": {"apply_kills": 200, "mixed": 0, "revert_late_s": 0.3},
    "bundle": {"secrets": 0, "seconds": 1.0, "mb": 0.1},
}


def test_every_bound_is_judged() -> None:
    assert missed(CLEAN) == []
    for group, key, value in (
        ("config", "mixed", 1),
        ("config", "revert_late_s", 5.5),
        ("bundle", "secrets", 1),
        ("bundle", "seconds", 31),
        ("bundle", "mb", 20.5),
    ):
        [words] = missed(CLEAN | {group: CLEAN[group] | {key: value}})
        assert words.startswith(f"{group}.{key} {value} > ")


@pytest.mark.real
def test_a_few_of_each_hold(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hil.drills", "--kills", "20", "--seed", "7", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["config"]["apply_kills"], figures["config"]["mixed"], figures["missed"]) == (20, 0, [])
    assert figures["bundle"]["parts"] >= 4
