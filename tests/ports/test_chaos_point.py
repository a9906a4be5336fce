"""The points of the chaos run: the named one kills at the count, nobody else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from rsu_agent.ports.chaos_point import POINTS, VARIABLE, armed

PASS = """
from rsu_agent.ports.chaos_point import chaos_point
for n in range(5):
    chaos_point("commit"); print(n, flush=True); chaos_point("ack")
"""


def passed(told: str | None) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != VARIABLE}
    env |= {VARIABLE: told} if told else {}
    return subprocess.run([sys.executable, "-c", PASS], env=env, capture_output=True, text=True, check=False)


def test_the_named_point_kills_when_it_is_passed_the_count_th_time() -> None:
    before, after = passed("commit:3"), passed("ack:3")
    assert (before.returncode, before.stdout.split()) == (-signal.SIGKILL, ["0", "1"])
    assert (after.returncode, after.stdout.split()) == (-signal.SIGKILL, ["0", "1", "2"])


def test_without_the_variable_nothing_happens() -> None:
    ended = passed(None)
    assert (ended.returncode, ended.stdout.split()) == (0, ["0", "1", "2", "3", "4"])


def test_a_point_that_nobody_passes_is_refused_and_a_bare_name_means_the_first_time() -> None:
    with pytest.raises(ValueError, match="no point 'comit'"):
        armed("comit:1", lambda: None)
    for name in POINTS:
        deaths: list[str] = []
        point = armed(name, partial(deaths.append, "dead"))
        for other in POINTS:
            point(other)
            point(other)
        assert deaths == ["dead"], name
