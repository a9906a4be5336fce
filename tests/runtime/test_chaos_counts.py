"""The chaos run's own judgement: it must fail on loss, on a double, on a number from nowhere."""

from __future__ import annotations

import random

import pytest

from hil.chaos import VICTIMS, counted, passed, victims

NUMBERS = {
    "hi": {"epoch": 7, "produced": 2, "dropped": 0, "dead": 0},
    "lo": {"epoch": 8, "produced": 3, "dropped": 0, "dead": 0},
}
STORED = {(7, "hi"): {1, 2}, (8, "lo"): {1, 2, 3}}
BACK = {"came_back": True, "drained": True}


def judged(numbers=NUMBERS, stored=STORED, duplicates=0, **others):
    return passed(counted(numbers, stored, duplicates) | BACK | others)


def test_everything_stored_once_passes() -> None:
    assert judged()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"stored": {(7, "hi"): {1, 2}, (8, "lo"): {1, 3}}}, "missing"),
        ({"stored": {(7, "hi"): {1, 2}}}, "missing"),
        ({"stored": {(9, "hi"): {1, 2}, (8, "lo"): {1, 2, 3}}}, "strange"),
        ({"stored": STORED | {(8, "lo"): {1, 2, 3, 4}}}, "strange"),
        ({"numbers": NUMBERS | {"hi": {**NUMBERS["hi"], "dropped": 1}}}, "dropped"),
        ({"numbers": NUMBERS | {"hi": {**NUMBERS["hi"], "dead": 1}}}, "dropped"),
        ({"duplicates": 1}, "duplicates"),
    ],
)
def test_loss_doubles_and_numbers_from_nowhere_fail(change, names) -> None:
    figures = counted(
        change.get("numbers", NUMBERS), change.get("stored", STORED), change.get("duplicates", 0)
    )
    assert figures[names] > 0
    assert not judged(**change)


@pytest.mark.parametrize("late", ["came_back", "drained"])
def test_who_does_not_come_back_fails(late: str) -> None:
    assert not judged(**{late: False})


def test_a_run_that_produced_nothing_proves_nothing() -> None:
    assert not judged(numbers={}, stored={})


@pytest.mark.parametrize("deaths", [0, 1, 5, 7, 23])
def test_everybody_dies_once_before_anybody_dies_twice(deaths: int) -> None:
    order = list(victims(deaths, random.Random(3)))
    assert len(order) == deaths
    counts = [order.count(name) for name in VICTIMS]
    assert max(counts) - min(counts) <= 1
    assert order == list(victims(deaths, random.Random(3)))
