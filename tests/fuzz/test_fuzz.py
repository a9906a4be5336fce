"""A short run of the fuzzer, and faults planted to see that it would find them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz import run as fuzz_run
from tests.fuzz import scratch
from tests.fuzz.run import decoders, fuzz
from tests.fuzz.targets import TARGETS, Target

HOUSE = Path(__file__).parents[2]


def test_two_thousand_inputs_give_values_or_typed_errors_and_every_target_sees_both_kinds() -> None:
    outcome = fuzz(TARGETS, 2000, seed=3)
    assert outcome.failure is None, outcome.failure and outcome.failure.as_json()
    assert sum(sum(counts.values()) for counts in outcome.counts.values()) == 2000
    for target in TARGETS:
        counts = outcome.counts[target.name]
        assert counts["value"] > 0, f"{target.name}: no input was accepted, its seeds are of no use"
        assert not target.typed or sum(counts.values()) > counts["value"], f"{target.name}: nothing refused"


def test_the_command_prints_one_line_of_json_with_counts_for_each_target() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--n", "180", "--seed", "5"]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert (said["n"], said["seed"], said["failure"]) == (180, 5, None)
    names = {target.name for target in TARGETS}
    assert set(said["answers"]) == names
    assert sum(said[name]["inputs"] for name in names) == 180
    for name in names:
        assert (said[name]["crashes"], said[name]["hangs"]) == (0, 0)
        assert 0 < said[name]["worst_cpu_ms"] < 50


def planted(read: Callable[[bytes], int], most_kept_bytes: int = 10) -> tuple[Target, ...]:
    """A target with a fault."""
    return (Target("planted", lambda: read, (ValueError,), most_kept_bytes, lambda dice: dice.randbytes(4)),)


def test_another_exception_is_found_with_the_bytes_that_raised_it() -> None:
    def read(data: bytes) -> int:
        if data[0] < 16:
            raise IndexError("planted")
        raise ValueError

    failure = fuzz(planted(read), 1000, seed=1).failure
    assert failure is not None
    assert failure.error == "IndexError: planted"
    assert bytes.fromhex(failure.as_json()["hex"][-1])[0] < 16


def test_a_reader_that_keeps_too_much_is_found() -> None:
    failure = fuzz(planted(lambda data: 11), 10, seed=1).failure
    assert failure is not None
    assert "keeps 11 bytes" in failure.error


def test_a_reader_that_never_ends_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_data: bytes) -> int:
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(fuzz_run, "HANG_S", 0.2)
    failure = fuzz(planted(read), 10, seed=1).failure
    assert failure is not None
    assert failure.error.startswith("Hang")


def test_a_reader_that_takes_too_long_is_found_and_counted_as_a_hang() -> None:
    def read(_data: bytes) -> int:
        until_s = time.thread_time() + 0.06
        while time.thread_time() < until_s:
            pass
        return 0

    outcome = fuzz(planted(read), 10, seed=1)
    assert outcome.failure is not None
    assert outcome.failure.error.startswith("slow")
    told = decoders(outcome)["planted"]
    assert (told["crashes"], told["hangs"]) == (0, 1)
    assert told["worst_cpu_ms"] > 50


def test_a_pause_that_is_not_the_readers_is_forgiven() -> None:
    paused = iter([0.06])

    def read(_data: bytes) -> int:
        until_s = time.thread_time() + next(paused, 0.0)
        while time.thread_time() < until_s:
            pass
        return 0

    outcome = fuzz(planted(read), 10, seed=1)
    assert outcome.failure is None
    assert outcome.worst_ms["planted"] < 50


def test_the_same_seed_gives_the_same_inputs() -> None:
    for target in TARGETS:
        if target.name == "process_link":
            continue  # the version word is long; its die is the same
        first, second = (target.make(random.Random(9)) for _ in range(2))
        assert first == second


def test_a_million_readers_leave_no_more_than_a_few_folders() -> None:
    made = [scratch.folder() for _ in range(50)]
    assert [path for path in made if path.exists()] == made[-scratch.KEPT :]
