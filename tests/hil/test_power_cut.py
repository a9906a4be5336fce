"""A disk that loses power, modelled; and a real outbox opened in every state that one could leave."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from hil.power_cut.__main__ import GCC
from hil.power_cut.disk import HEAD, SECTOR, Change, Disk, applied, changes
from hil.power_cut.replay import Promised


def disk_of(*told: Change) -> Disk:
    disk = Disk()
    for change in told:
        disk.take(change)
    return disk


def wrote(data: bytes, offset: int = 0, name: str = "a") -> Change:
    return Change("w", name, offset, data)


MADE, SYNCED = Change("c", "a", 0, b""), Change("s", "a", 0, b"")


def test_what_was_synced_is_surely_there_and_the_rest_may_be() -> None:
    disk = disk_of(MADE, wrote(b"one"), SYNCED, wrote(b"two", 3), Change("t", "a", 4, b""))
    assert disk.least() == {"a": b"one"}
    assert disk.everything() == {"a": b"onet"}


def test_a_file_that_was_never_synced_may_be_missing() -> None:
    assert disk_of(MADE, wrote(b"one")).least() == {}
    dice = random.Random(1)
    disk = disk_of(MADE, wrote(b"x" * (4 * SECTOR)))
    states = [disk.some(dice) for _ in range(400)]
    assert {} in states
    sizes = {len(state["a"]) for state in states if state}
    assert sizes >= {0, SECTOR, 2 * SECTOR, 3 * SECTOR, 4 * SECTOR}, "nothing, torn at each sector, all"


def test_what_is_renamed_or_removed_may_stand_under_its_old_name_until_the_next_sync() -> None:
    new, old = Change("s", "a", 0, b""), Change("s", "b", 0, b"")
    disk = disk_of(
        MADE, wrote(b"new"), new, Change("c", "b", 0, b""), wrote(b"old", name="b"), old,
        Change("r", "a", 0, b"b"),
    )  # fmt: skip
    assert disk.everything() == {"b": b"new"}
    assert disk.least() == {"a": b"new", "b": b"old"}
    disk.take(old)
    assert disk.least() == {"b": b"new"}
    disk.take(Change("u", "b", 0, b""))
    assert (disk.least(), disk.everything()) == ({"b": b"new"}, {})


def test_bytes_beyond_the_end_leave_zeros_between() -> None:
    assert applied(b"ab", [wrote(b"z", 4)]) == b"ab\0\0z"
    assert applied(b"abcd", [Change("t", "a", 6, b""), wrote(b"X", 1)]) == b"aXcd\0\0"


def test_a_log_is_read_as_it_was_written() -> None:
    log = HEAD.pack(b"w", 1, 3, 7) + b"a" + b"xyz" + HEAD.pack(b"s", 2, 0, 0) + b"ab"
    assert list(changes(log)) == [Change("w", "a", 7, b"xyz"), Change("s", "ab", 0, b"")]


def test_marks_are_promises() -> None:
    promised = Promised()
    promised.hear("c lo 3\nc hi 4\nk lo 3\ns lo 17\n")
    assert (promised.committed["lo"], promised.known["lo"], promised.sent) == ({3}, {3}, {"lo": 17})
    assert not promised.is_tight
    promised.hear("o\n")
    assert promised.is_tight


@pytest.mark.real
@pytest.mark.skipif(GCC is None, reason="gcc is not installed (make tools)")
def test_no_promise_is_broken_wherever_the_power_goes_and_a_careless_outbox_is_found_out(
    tmp_path: Path,
) -> None:
    told = ["--records", "200", "--share", "0.5", "--seed", "26", "--keep", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "hil.power_cut", *told],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["states"] > 500
    assert {figures[name] for name in ("lost", "reused", "unopened", "damaged", "undeclared")} == {0}
    assert figures["control"]["lost"] > 0
