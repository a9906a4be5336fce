"""The command line of a TI mmWave radar: answers in whatever echo, prompt and line ends; three tries."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_board import Board

from drivers.ti_mmwave.configuration import Command
from drivers.ti_mmwave.console import ANSWER_S, LARGEST_ANSWER, TRIES, Answer, Console, Reply

CHANNELS = Command("channelCfg 15 7 0", 5)


def asked(command: Command = CHANNELS) -> Console:
    """A console whose command has just been written at 0 s."""
    console = Console(Counter())
    console.ask(command, 0.0)
    assert console.next_bytes(0.0) == command.text.encode() + b"\n"
    return console


def told(answer: str, *cuts: int, command: Command = CHANNELS) -> Reply | None:
    console = asked(command)
    places = [0, *sorted(cuts), len(answer)]
    for begin, end in pairwise(places):
        console.receive(answer[begin:end].encode(), 0.1)
    return console.reply


ANSWERS = [
    ("Done\n\r\n\rmmwDemo:/>", Answer.DONE, ""),
    ("channelCfg 15 7 0\n\rDone\r\n", Answer.DONE, ""),
    ("mmwDemo:/>channelCfg 15 7 0\r\nDone\r\nmmwDemo:/>", Answer.DONE, ""),
    ("Done", Answer.DONE, ""),
    ("Skipped\n\rmmwDemo:/>", Answer.SKIPPED, "Skipped"),
    ("Ignored: Sensor is already stopped\n\rDone\n\r", Answer.IGNORED, "Ignored: Sensor is already stopped"),
    (
        "Ignored: This command is not allowed after sensor has started\n\rmmwDemo:/>",
        Answer.IGNORED,
        "Ignored: This command is not allowed after sensor has started",
    ),
    ("Error: Invalid usage\n\rError -1\n\r\n\rmmwDemo:/>", Answer.ERROR, "Error: Invalid usage Error -1"),
    ("Error -1\n", Answer.ERROR, "Error -1"),
    ("Error: something\n\rother:/>", Answer.ERROR, "Error: something"),
    (
        "'channelCfg' is not recognized as a CLI command\n\rmmwDemo:/>",
        Answer.UNKNOWN,
        "'channelCfg' is not recognized as a CLI command",
    ),
    (
        "Debug: Init Calibration Status = 0x1ffe\n\rDone\n\r",
        Answer.DONE,
        "Debug: Init Calibration Status = 0x1ffe",
    ),
]


@pytest.mark.parametrize(("said", "answer", "text"), ANSWERS)
def test_answers_are_read_whatever_is_around_them(said: str, answer: Answer, text: str) -> None:
    assert told(said) == Reply(answer, text)


@pytest.mark.parametrize(("said", "answer", "text"), ANSWERS)
def test_answers_are_read_however_they_are_split(said: str, answer: Answer, text: str) -> None:
    for cut in range(len(said)):
        assert told(said, cut) == Reply(answer, text), cut
    assert told(said, *range(len(said))) == Reply(answer, text)


def test_a_prompt_alone_or_half_an_answer_ends_nothing() -> None:
    for said in ("mmwDemo:/>", "\n\rmmwDemo:/>", "Don", "Error: Invalid", "channelCfg 15 7 0\n\r"):
        assert told(said) is None


def test_an_answer_that_comes_before_its_command_is_not_taken_for_it() -> None:
    console = Console(Counter())
    console.ask(CHANNELS, 0.0)
    console.receive(b"Done\n\rmmwDemo:/>", 0.0)
    assert console.reply is None
    assert console.next_bytes(0.0) is not None
    assert console.reply is None


def test_a_command_is_repeated_twice_and_then_the_line_is_taken_to_hang() -> None:
    console, now_s, written = asked(), 0.0, 1
    while console.reply is None:
        now_s = console.wake_s()
        written += console.next_bytes(now_s) is not None
    assert (written, console.reply.answer) == (TRIES, Answer.SILENT)
    assert now_s == pytest.approx(TRIES * ANSWER_S)
    assert console._counters["cli_timeouts"] == TRIES


def test_an_answer_that_was_late_is_not_taken_for_the_next_commands() -> None:
    console = asked()
    late_s = console.wake_s()
    assert console.next_bytes(late_s)
    console.receive(b"Done\n\r", late_s + 0.01)
    assert console.reply == Reply(Answer.DONE)
    console.ask(Command("lowPower 0 0", 9), late_s + 0.01)
    console.receive(b"Done\n\r", late_s + 0.1)  # of the other try
    assert console.next_bytes(late_s + 0.1) is None
    assert console.reply is None
    assert console.next_bytes(console.wake_s()) == b"lowPower 0 0\n"
    console.receive(b"Error -1\n", console.wake_s())
    assert console.reply == Reply(Answer.ERROR, "Error -1")


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("end", ["\n\r", "\r\n", "\n", "\r"])
@pytest.mark.parametrize("prompt", ["mmwDemo:/>", "ODDemo:/>", ""])
def test_a_board_of_any_manners_is_understood(echo: bool, end: str, prompt: str) -> None:
    board = Board(echo, end, prompt)
    for text, answer in (
        ("sensorStop", Answer.IGNORED),
        ("sensorStart 0", Answer.ERROR),
        ("channelCfg 15 7 0", Answer.DONE),
        ("wrongCfg 1", Answer.UNKNOWN),
        ("cfarCfg bad", Answer.ERROR),
        ("% remark", Answer.SKIPPED),
    ):
        reply = told(board.say(text), command=Command(text))
        assert reply is not None
        assert reply.answer is answer


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=200), st.sampled_from([b"Error: x\n", b"\r\n", b"a:/>"])), max_size=60
    )
)
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    console = asked()
    for place, chunk in enumerate(chunks):
        console.receive(chunk, place * 0.01)
        assert len(console._held) <= LARGEST_ANSWER
        assert len(console._said) <= 20
    console.receive(b"\nDone\n", 1.0)
    assert console.reply is not None


def test_a_flood_without_a_line_end_costs_a_counter_and_not_the_answer() -> None:
    console = asked()
    for _ in range(100):
        console.receive(b"x" * 1000, 0.1)
    console.receive(b"\nDone\n", 0.2)
    assert console.reply is not None
    assert console.reply.answer is Answer.DONE
    assert console._counters["cli_garbled"] > 0
