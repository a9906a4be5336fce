"""The three-valued matrix: never, together if one is permissive, free; by phases mapped to groups."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import speech
from typer.testing import CliRunner

from rsu_agent.cli.main import app
from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.outlets.guard_table import CAUSES, TABLE
from rsu_agent.outlets.matrix import Matrix, Together
from rsu_agent.outlets.message_sets import guard_of, plain, speech_of
from rsu_agent.world.signal import Colour, Lamp, Phase, Programme, SignalReport

LEFT, THROUGH, CROSS = 5, 3, 2
PHASES = (Phase(1, (LEFT,)), Phase(2, (THROUGH, 33)), Phase(3, (CROSS,)), Phase(4, (33,)))
PROGRAMME = Programme("x", (2, 3, 5, 33), PHASES, conflicts=((1, 3), (2, 3)))


def test_groups_are_kept_apart_where_all_their_phases_are() -> None:
    matrix = Matrix()
    matrix.programme(PROGRAMME)
    assert matrix.of(CROSS, LEFT) is Together.NEVER
    assert matrix.of(LEFT, CROSS) is Together.NEVER
    assert matrix.of(LEFT, THROUGH) is Together.FREE
    assert matrix.of(33, CROSS) is Together.FREE, "its phase 4 conflicts with nothing"
    assert matrix.of(THROUGH, 33) is Together.FREE, "one phase holds both"


def test_a_permissive_left_against_opposing_through_is_no_fault_and_two_arrows_are() -> None:
    soft = [(LEFT, THROUGH)]
    assert Matrix(if_permissive=soft).violated([LEFT, THROUGH]) is None
    assert Matrix(if_permissive=soft, protected={LEFT}).violated([LEFT, THROUGH]) is None
    assert Matrix(if_permissive=soft, protected={LEFT, THROUGH}).violated([THROUGH, LEFT]) == (3, 5)
    assert Matrix(if_permissive=soft).of(THROUGH, LEFT) is Together.IF_PERMISSIVE


def test_never_is_never_whatever_the_green_and_outweighs_the_sites_permission() -> None:
    matrix = Matrix(never=[(LEFT, THROUGH)], if_permissive=[(CROSS, LEFT)])
    assert matrix.violated([THROUGH, LEFT]) == (3, 5)
    matrix.programme(PROGRAMME)
    assert matrix.of(CROSS, LEFT) is Together.NEVER
    assert matrix.of(LEFT, THROUGH) is Together.NEVER, "the site's pairs stay when a programme is read"


@given(st.sets(st.integers(1, 8)), st.sets(st.tuples(st.integers(1, 8), st.integers(1, 8))))
def test_what_is_violated_is_a_pair_of_what_is_green_and_free_pairs_never_are(
    green: set[int], never: set[tuple[int, int]]
) -> None:
    pairs = {pair for pair in never if pair[0] != pair[1]}
    found = Matrix(never=pairs).violated(green)
    hits = [(a, b) for a, b in pairs if a in green and b in green]
    assert (found is not None) is bool(hits)
    assert found is None or (set(found) <= green and (found in pairs or found[::-1] in pairs))


@pytest.mark.parametrize(("arrows", "doubted"), [((LEFT, THROUGH), "conflict"), ((LEFT,), None)])
def test_the_guard_doubts_by_what_the_site_file_keeps_apart_where_the_controller_tells_nothing(
    arrows: tuple[int, ...], doubted: str | None
) -> None:
    said = speech({1: [LEFT], 2: [THROUGH]}, arrows)
    guard = guard_of(speech_of(plain(said) | {"if_permissive": [[THROUGH, LEFT]]}))
    guard.saw(SignalReport(0.0, 0.0, (Lamp(LEFT, Colour.GREEN), Lamp(THROUGH, Colour.GREEN_FLASH))))
    assert guard.doubt() == doubted


def test_a_green_marked_protected_in_the_map_counts_as_an_arrow() -> None:
    said = speech_of(
        plain(speech({1: [LEFT], 2: [THROUGH]}))
        | {"if_permissive": [[3, 5]], "rights": [[LEFT, Right.PROTECTED], [THROUGH, Right.PROTECTED]]}
    )
    guard = guard_of(said)
    guard.saw(SignalReport(0.0, 0.0, (Lamp(LEFT, Colour.GREEN), Lamp(THROUGH, Colour.GREEN))))
    assert guard.doubt() == "conflict"


def test_a_speech_survives_the_recording_with_its_pairs() -> None:
    said = speech({1: [LEFT]})
    told = plain(said) | {"never": [[1, 2]], "if_permissive": [[3, 5]]}
    again = speech_of(json.loads(json.dumps(told)))
    assert (again.never, again.if_permissive) == (((1, 2),), ((3, 5),))
    del told["never"], told["if_permissive"]
    assert speech_of(told).never == (), "a recording of an older version"


def test_the_table_is_printed_for_people_and_for_programmes() -> None:
    rows = json.loads(CliRunner().invoke(app, ["guard", "table", "--json"]).stdout)["rows"]
    assert {row["cause"] for row in rows} == CAUSES
    text = CliRunner().invoke(app, ["guard", "table"], env={"COLUMNS": "100"}).output
    for row in TABLE:
        assert row.cause in text
