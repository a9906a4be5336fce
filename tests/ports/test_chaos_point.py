"""The point at which a chaos run kills a process: named, counted, and nothing at all without the variable."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

CODE = """
from rsu_agent.ports.chaos_point import chaos_point
for n in range(5):
    chaos_point("store"); chaos_point("reply"); print(n, flush=True)
"""


@pytest.mark.parametrize(
    ("variable", "code", "printed"),
    [("store:3", -signal.SIGKILL, 2), ("reply", -signal.SIGKILL, 0), ("append:1", 0, 5), ("", 0, 5)],
)
def test_the_counted_passage_of_the_named_point_kills(variable: str, code: int, printed: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"RSU_CHAOS_POINT": variable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.count("\n")) == (code, printed), done.stderr
