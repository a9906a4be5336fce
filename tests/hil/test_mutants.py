"""Wrong installations: maps are named at once, two of a running crossing in a short run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.mutants.__main__ import LEAST_CAUGHT, NAMES, _bounds
from hil.mutants.run import _names, tried, tried_map
from hil.mutants.table import MAP_MUTANTS, MUTANTS, MapMutant, Mutant
from rsu_agent.cli.doctor import LINE_HINTS


@pytest.mark.parametrize("mutant", MAP_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_wrong_map_is_named_and_a_right_one_is_not(mutant: MapMutant, tmp_path: Path) -> None:
    found = tried_map(mutant, tmp_path / "wrong")
    assert found["caught"], found
    assert not tried_map(replace(mutant, pole_m=0.0, crossing=None), tmp_path / "right")["caught"]


def test_there_are_enough_of_them_and_each_has_its_own_name() -> None:
    assert len(NAMES) == len(MAP_MUTANTS) + len(MUTANTS) >= LEAST_CAUGHT


def by_name(name: str) -> Mutant:
    return next(each for each in MUTANTS if each.name == name)


@pytest.mark.real
@pytest.mark.parametrize("name", ["wrong_controller", "second_agent"])
def test_a_running_crossing_with_one_thing_wrong_names_it(name: str, tmp_path: Path) -> None:
    found = tried(by_name(name), tmp_path / "run")
    assert found["caught"], found


def finding(**changes: Any) -> dict[str, Any]:
    mutant = by_name("clock_18_s")
    return {"id": mutant.finding, "good": False, "found": "it shows GPS time", "reason": "", **changes}


def test_only_the_finding_with_the_right_words_names_a_mutant() -> None:
    mutant = by_name("clock_18_s")
    assert _names(mutant, finding())
    assert not _names(mutant, finding(good=True))
    assert not _names(mutant, finding(id="CLK10"))
    assert not _names(mutant, finding(found="controller's clock +18.0 s from UTC"))


def test_too_few_are_a_missed_bound_and_of_a_choice_all_must_be_named() -> None:
    assert _bounds({"caught": LEAST_CAUGHT}, 17) == []
    assert _bounds({"caught": LEAST_CAUGHT - 1}, 17) == ["mutants.caught 14 < 15"]
    assert _bounds({"caught": 1}, 2) == ["mutants.caught 1 < 2"]


def test_reasons_that_name_a_mutant_have_a_next_step() -> None:
    assert {"repeats", "second_speaker", "dirty", "moved", "garbled", "refused"} <= set(LINE_HINTS)
