"""Lamp sensing: colours from switched circuits, flash told from steady, Modbus by pymodbus on both ends."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest, ReadDiscreteInputsResponse

from drivers.lamp_sense.colour import SLOWEST_HALF_S, STEADY_S, Head
from drivers.lamp_sense.session import MOST_UNASKED, Session
from drivers.lamp_sense.settings import Settings
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, Programme, SignalReport

TWO = {1: {"red": 0, "yellow": 1, "green": 2}, 2: {"red": 3, "green": 5}}
FRAMER = FramerRTU(DecodePDU(False))


def session(**more: object) -> Session:
    return Session(Settings(port="x", groups=TWO, listen_first_s=0.0, **more), 0.0)  # type: ignore[arg-type]


def reply(bits: str, address: int = 1) -> bytes:
    pdu = ReadDiscreteInputsResponse(bits=[bit == "1" for bit in bits], dev_id=address)
    return bytes(FRAMER.buildFrame(pdu))


def shown(lamps: Callable[[float], tuple[bool, bool, bool]], seconds: float) -> list[tuple[float, Colour]]:
    """Changes of what a head is taken to show; (when, colour)."""
    head, changes = Head(), []
    for tick in range(int(seconds * 20)):
        now_s = tick / 20
        colour = head.see(*lamps(now_s), now_s)
        if not changes or changes[-1][1] is not colour:
            changes.append((now_s, colour))
    return changes


def cycle(now_s: float) -> tuple[bool, bool, bool]:
    """Red 5 s, green 5 s, green flashing at 1 Hz 3 s, yellow 3 s, red."""
    if now_s < 5 or now_s >= 16:
        return True, False, False
    if now_s < 10:
        return False, False, True
    if now_s < 13:
        return False, False, now_s % 1 >= 0.5
    return False, True, False


# Colours


def test_a_cycle_is_told_with_its_flash_after_one_half_of_it() -> None:
    assert shown(cycle, 18.0) == [
        (0.0, Colour.RED),
        (5.0, Colour.GREEN),
        (10.0, Colour.UNKNOWN),
        (10.5, Colour.GREEN_FLASH),
        (13.0, Colour.YELLOW),
        (16.0, Colour.RED),
    ]


@pytest.mark.parametrize(("index", "colour"), [(0, Colour.RED_FLASH), (1, Colour.YELLOW_FLASH)])
def test_a_flash_that_goes_on_is_told_all_the_time(index: int, colour: Colour) -> None:
    def lamps(now_s: float) -> tuple[bool, bool, bool]:
        lit = [False, False, False]
        lit[index] = now_s % 1.2 < 0.6
        return lit[0], lit[1], lit[2]

    changes = shown(lamps, 30.0)
    assert changes[-1][1] is colour
    assert changes[-1][0] < 2.0


def test_a_lamp_that_goes_out_for_good_is_dark_after_the_longest_off_half() -> None:
    changes = shown(lambda now_s: (False, False, now_s < 5), 10.0)
    assert [colour for _, colour in changes] == [Colour.GREEN, Colour.UNKNOWN, Colour.DARK]
    assert changes[2][0] == pytest.approx(5 + SLOWEST_HALF_S, abs=0.06)


def test_a_flash_that_becomes_steady_is_steady_after_the_longest_half() -> None:
    changes = shown(lambda now_s: (now_s % 1 < 0.5 or now_s > 5, False, False), 10.0)
    assert changes[-1][1] is Colour.RED
    assert changes[-1][0] == pytest.approx(5 + STEADY_S, abs=0.06)


def test_lamps_that_contradict_each_other_are_no_colour_and_red_with_yellow_is_one() -> None:
    assert shown(lambda _: (True, False, True), 1.0) == [(0.0, Colour.UNKNOWN)]
    assert shown(lambda _: (False, True, True), 1.0) == [(0.0, Colour.UNKNOWN)]
    assert shown(lambda _: (True, True, False), 1.0) == [(0.0, Colour.RED_YELLOW)]


def test_a_head_that_was_never_lit_is_dark() -> None:
    assert shown(lambda _: (False, False, False), 2.0) == [(0.0, Colour.DARK)]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=60))
def test_a_colour_of_go_is_never_told_while_the_green_circuit_is_off_but_in_a_known_flash(
    inputs: list[tuple[bool, bool, bool]],
) -> None:
    head = Head()
    for tick, lamps in enumerate(inputs):
        colour = head.see(*lamps, tick * 0.05)
        if colour is Colour.GREEN:
            assert lamps == (False, False, True)


# Modbus


def test_the_question_is_a_read_of_discrete_inputs_and_no_more_than_needed() -> None:
    question = session(address=7).next_bytes(0.0)
    _, pdu = FramerRTU(DecodePDU(True)).handleFrame(question or b"", 7, 0)
    assert isinstance(pdu, ReadDiscreteInputsRequest)
    assert (pdu.address, pdu.count) == (0, 6)


def test_a_reply_gives_the_programme_once_and_a_complete_report_each_time() -> None:
    own = session()
    assert own.next_bytes(0.0)
    programme, first = own.receive(reply("001100"), 0.02)
    assert own.next_bytes(0.05)
    (second,) = own.receive(reply("100001"), 0.07)
    assert isinstance(programme, Programme)
    assert programme.groups == (1, 2)
    assert programme.lamps[0].name == "red 0 yellow 1 green 2"
    assert isinstance(first, SignalReport)
    assert isinstance(second, SignalReport)
    assert [lamp.colour for lamp in first.lamps] == [Colour.GREEN, Colour.RED]
    assert [lamp.colour for lamp in second.lamps] == [Colour.RED, Colour.GREEN]
    assert first.complete
    assert first.control is Control.UNKNOWN


def test_inverted_inputs_are_read_the_other_way_round() -> None:
    own = session(inverted=True)
    own.next_bytes(0.0)
    *_, report = own.receive(reply("011011"), 0.02)
    assert isinstance(report, SignalReport)
    assert [lamp.colour for lamp in report.lamps] == [Colour.RED, Colour.RED]


@given(st.lists(st.integers(0, 60), max_size=4))
def test_a_reply_survives_any_split_and_an_echo_before_it(cuts: list[int]) -> None:
    own = session()
    stream = (own.next_bytes(0.0) or b"") + reply("100001")
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    got = [item for a, b in itertools.pairwise(places) for item in own.receive(stream[a:b], 0.01)]
    assert len(got) == 2


@given(st.lists(st.binary(max_size=80), max_size=10))
def test_no_bytes_can_break_the_session(chunks: list[bytes]) -> None:
    own = session()
    for n, chunk in enumerate(chunks):
        own.next_bytes(n * 0.3)
        try:
            list(own.receive(chunk, n * 0.3 + 0.01))
        except DeviceLost:
            return


def test_a_reply_that_does_not_come_is_given_up_and_asked_for_again() -> None:
    own = session()
    assert own.next_bytes(0.0)
    assert own.next_bytes(0.1) is None
    assert own.next_bytes(0.5)
    assert own.counters["timeouts"] == 1


def test_a_damaged_reply_costs_one_reading() -> None:
    own = session()
    own.next_bytes(0.0)
    broken = bytearray(reply("100001"))
    broken[3] ^= 1
    assert not list(own.receive(bytes(broken), 0.02))
    assert own.next_bytes(own.wake_s(0.02))
    assert len(list(own.receive(reply("100001"), 0.5))) == 2


def test_an_exception_is_refused_in_words() -> None:
    own = session()
    own.next_bytes(0.0)
    answer = FRAMER.buildFrame(ExceptionResponse(2, 2, device_id=1))
    with pytest.raises(DeviceLost, match="refused: the box says: no such input"):
        list(own.receive(answer, 0.02))


def test_replies_to_questions_that_were_not_ours_are_another_master() -> None:
    own = session()
    for n in range(MOST_UNASKED - 1):
        assert not list(own.receive(reply("100001"), n * 0.1))
    with pytest.raises(DeviceLost, match="SER07"):
        list(own.receive(reply("100001"), 1.0))


def test_silence_is_silent() -> None:
    with pytest.raises(DeviceLost, match="silent"):
        session().check(9.0)


@pytest.mark.parametrize(
    ("groups", "told"),
    [
        ({1: {"red": 0, "green": 0}}, "input 0 is red of group 1 and green of group 1"),
        ({1: {}}, "group 1 has no input"),
    ],
)
def test_a_table_of_inputs_that_cannot_be_is_refused(groups: dict[int, dict[str, int]], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(port="x", groups=groups)  # type: ignore[arg-type]


def test_of_pymodbus_only_what_reads_is_named() -> None:
    folder = Path(__file__).parents[2] / "drivers/lamp_sense"
    names = {
        alias.name
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pymodbus")
        for alias in node.names
    }
    assert {name for name in names if name.endswith("Request")} == {"ReadDiscreteInputsRequest"}
    assert not {name for name in names if "Write" in name or "Client" in name}
