"""Kills of edge, broker and receiver while records flow: nothing lost, and a run that would see a loss."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hil.mosquitto import MOSQUITTO
from hil.nats_servers import MISSING as NO_NATS
from hil.nats_servers import NATS
from hil.postgres import INITDB, MISSING
from hil.uplink_chaos.__main__ import missed, points
from hil.uplink_chaos.compare import compared, held_of, read_notes
from hil.uplink_chaos.run import POINTS_OF
from rsu_agent.ports.chaos_point import POINTS

WORST = {"hi": {"records": 56, "ms": 20.0}, "lo": {"records": 8, "ms": 90.0}}
NOTES = {
    1: {"committed": {"hi": 2, "lo": 0}, "worst": WORST},
    2: {"committed": {"hi": 1, "lo": 0}, "worst": {**WORST, "hi": {"records": 7, "ms": 31.0}}},
}
COUNTS = {"dropped": 0, "dead": 0, "epoch": 7}
NUMBERS = {"hi": {**COUNTS, "produced": 3}, "lo": {**COUNTS, "produced": 0}}
EVERY = [(7, "hi", 1), (7, "hi", 2), (7, "hi", 3)]
BODIES = [
    (7, "hi", json.dumps({"k": "chaos", "life": life, "lane": "hi", "n": n}))
    for life, n in ((1, 1), (1, 2), (2, 1))
]
GAP = (7, "hi", json.dumps({"k": "gap", "from": 2, "to": 2}))
CLEAN = {
    **dict.fromkeys(("lost", "duplicates", "undeclared_gaps", "strange", "given_up"), 0),
    "drained": True,
    "committed": 3,
    "control": {"lost": 5},
}


def test_all_stored_once_is_clean() -> None:
    figures = compared(NOTES, NUMBERS, held_of(EVERY, BODIES))
    assert {figures[name] for name in ("lost", "duplicates", "undeclared_gaps", "strange")} == {0}
    assert (figures["envelopes"], figures["committed"], figures["stored"]) == (3, 3, 3)
    assert figures["uncommitted_max"] == {"hi": {"records": 56, "ms": 31.0}, "lo": WORST["lo"]}


def test_a_record_whose_receipt_said_committed_and_that_is_not_there_is_lost() -> None:
    figures = compared(NOTES, NUMBERS, held_of([EVERY[0], EVERY[2]], [BODIES[0], BODIES[2]]))
    assert (figures["lost"], figures["undeclared_gaps"]) == (1, 1)


def test_a_declared_gap_is_no_undeclared_one_but_its_record_is_lost_all_the_same() -> None:
    held = held_of([EVERY[0], EVERY[2]], [BODIES[0], BODIES[2], GAP])
    figures = compared(NOTES, NUMBERS, held)
    assert (figures["lost"], figures["undeclared_gaps"]) == (1, 0)


def test_a_record_or_an_envelope_that_stands_twice_is_a_duplicate() -> None:
    assert compared(NOTES, NUMBERS, held_of(EVERY, [*BODIES, BODIES[0]]))["duplicates"] == 1
    assert compared(NOTES, NUMBERS, held_of([*EVERY, EVERY[0]], BODIES))["duplicates"] == 1


def test_a_number_that_the_outbox_never_gave_is_strange() -> None:
    assert compared(NOTES, NUMBERS, held_of([*EVERY, (7, "hi", 4)], BODIES))["strange"] == 1
    assert compared(NOTES, NUMBERS, held_of([*EVERY, (8, "hi", 1)], BODIES))["strange"] == 1


def test_a_record_that_nobody_was_promised_may_be_there() -> None:
    later = (7, "hi", json.dumps({"k": "chaos", "life": 2, "lane": "hi", "n": 2}))
    assert compared(NOTES, NUMBERS, held_of(EVERY, [*BODIES, later]))["lost"] == 0


@pytest.mark.parametrize("name", ["lost", "duplicates", "undeclared_gaps", "strange", "given_up"])
def test_every_bound_is_judged(name: str) -> None:
    assert missed(CLEAN) == []
    assert missed({**CLEAN, name: 1}) == [f"{name} 1 > 0"]


def test_a_run_that_proves_nothing_is_missed() -> None:
    assert missed({**CLEAN, "drained": False}) == ["not drained"]
    assert missed({**CLEAN, "committed": 0}) == ["nothing committed"]
    assert missed({**CLEAN, "control": {"lost": 0}}) == ["control.lost 0: the run would not see a loss"]


def test_points_are_those_that_edge_and_receiver_pass() -> None:
    assert set(sum(POINTS_OF.values(), ())) == set(POINTS)
    assert (points("append,reply"), points("none")) == (("append", "reply"), ())
    with pytest.raises(argparse.ArgumentTypeError, match="no point comit"):
        points("append,comit")


def test_a_life_that_ended_before_its_first_batch_has_no_note(tmp_path: Path) -> None:
    (tmp_path / "life-1.json").write_text(json.dumps(NOTES[1]) + "   ")
    (tmp_path / "life-2.json").write_text("")
    assert read_notes(tmp_path) == {1: NOTES[1]}


def chaos(folder: Path, kills: int, envelopes: int, *more: str) -> dict[str, Any]:
    told = ["--n", str(kills), "--envelopes", str(envelopes), "--keep", str(folder), *more]
    command = [sys.executable, "-m", "hil.uplink_chaos", *told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.real
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")
def test_thirty_kills_cost_nothing_and_the_control_loses(tmp_path: Path) -> None:
    figures = chaos(tmp_path, 30, 20_000)
    assert (figures["lost"], figures["duplicates"], figures["undeclared_gaps"]) == (0, 0, 0)
    assert figures["kills"] >= 30
    assert figures["envelopes"] >= 20_000
    assert min(figures["killed"].values()) >= 5
    assert len(figures["at_points"]) >= 3
    assert figures["control"]["lost"] > 0
    assert figures["uncommitted_max"]["lo"]["records"] > 0


@pytest.mark.real
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")
@pytest.mark.skipif(INITDB is None, reason=MISSING)
def test_nor_do_kills_around_the_commit_in_postgresql(tmp_path: Path) -> None:
    figures = chaos(tmp_path, 6, 1500, "--mode", "postgres", "--points", "store,reply,delete")
    assert figures["mode"] == "postgres"
    assert (figures["lost"], figures["duplicates"], figures["undeclared_gaps"]) == (0, 0, 0)
    assert figures["kills"] >= 6
    assert figures["at_points"].keys() <= {"store", "reply", "delete"}
    assert figures["stored"] == figures["envelopes"]


@pytest.mark.real
@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (make tools)")
@pytest.mark.skipif(INITDB is None, reason=MISSING)
@pytest.mark.skipif(NATS is None, reason=NO_NATS)
def test_nor_do_kills_of_a_cluster_and_of_both_halves_before_and_behind_it(tmp_path: Path) -> None:
    figures = chaos(tmp_path, 8, 1500, "--mode", "jetstream")
    assert (figures["lost"], figures["duplicates"], figures["undeclared_gaps"]) == (0, 0, 0)
    assert set(figures["killed"]) == {"edge", "broker", "front", "back-0", "back-1", "n1", "n2", "n3"}
    assert figures["stored"] == figures["envelopes"]
    assert figures["control"]["lost"] > 0
