"""PTP: ptp4l's management messages, the bound made of its answers, and the real ptp4l as master and slave."""

from __future__ import annotations

import ast
import inspect
import os
import socket
import struct
import threading
from dataclasses import astuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ptp import driver as ptp_driver
from drivers.ptp import wire
from drivers.ptp.driver import PLUGIN
from drivers.ptp.link import QUESTIONS, Round
from drivers.ptp.settings import Settings
from drivers.ptp.wire import (
    Current,
    DataSet,
    Default,
    NotAnAnswer,
    Parent,
    Port,
    TimeProperties,
    TimeStatus,
    question,
    read_answer,
)
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost

CLOCK = SystemClock()
PATH = os.environ.get("PATH", "") + ":/usr/sbin"
OURS, MASTERS = bytes.fromhex("9e03a5fffed2115b"), bytes.fromhex("e2ae70fffe5b2ce3")
SYNC_NS = 1_795_683_505_810_271_949

# Origin: ptp4l 3.1.1 (Debian 12), a software slave on a veth pair, asked by its own pmc, taken with strace.
# In order of QUESTIONS, sequences 0 to 5; pmc was port 0x30a3 and printed what stands in READ.
TO_PMC = "047f" + "000000000000000030a3" + "00000200" + "0001"
CAPTURED = {
    DataSet.DEFAULT: f"0d02004a000000000000000000000000000000009e03a5fffed2115b00000000{TO_PMC}00162000"
    "0300000180fffeffff809e03a5fffed2115b0000",
    DataSet.CURRENT: f"0d020048000000000000000000000000000000009e03a5fffed2115b00000001{TO_PMC}00142001"
    "0001fffffffffdbb00000000000006110000",
    DataSet.PARENT: f"0d020056000000000000000000000000000000009e03a5fffed2115b00000002{TO_PMC}00222002"
    "e2ae70fffe5b2ce300010000ffff7fffffff0a06214e5d80e2ae70fffe5b2ce3",
    DataSet.TIME_PROPERTIES: f"0d02003a000000000000000000000000000000009e03a5fffed2115b00000003{TO_PMC}"
    "0006200300003d20",
    DataSet.PORT: f"0d020050000000000000000000000000000000009e03a5fffed2115b00010004{TO_PMC}001c2004"
    "9e03a5fffed2115b000109fd0000000000000000fd03fd010002",
    DataSet.TIME_STATUS: f"0d020068000000000000000000000000000000009e03a5fffed2115b00000005{TO_PMC}0034c000"
    "fffffffffffffdbb18eb8ca274d96ecd0000000000000000000000000000000000000000000000000001e2ae70fffe5b2ce3",
}
READ: dict[DataSet, wire.Answer] = {
    DataSet.DEFAULT: Default(1, OURS),
    DataSet.CURRENT: Current(-581e-9, 1553e-9),
    DataSet.PARENT: Parent(MASTERS, 6, 0x21),
    DataSet.TIME_PROPERTIES: TimeProperties(0, "insert", True, True, True),
    DataSet.PORT: Port(1, 9),
    DataSet.TIME_STATUS: TimeStatus(SYNC_NS, MASTERS),
}


def captured(data_set: DataSet, sequence: int) -> bytes:
    """The captured answer, turned into one to us (port 1) and to this question."""
    data = bytearray.fromhex(CAPTURED[data_set])
    struct.pack_into(">H", data, 30, sequence)
    struct.pack_into(">H", data, 42, 1)
    return bytes(data)


def served(asked: bytes) -> bytes:
    sequence, told = struct.unpack_from(">H", asked, 30)[0], struct.unpack_from(">H", asked, 52)[0]
    return captured(DataSet(told), sequence)


@pytest.mark.parametrize("data_set", DataSet)
def test_what_ptp4l_answered_reads_as_its_own_pmc_read_it(data_set: DataSet) -> None:
    got = read_answer(captured(data_set, 0x1234), data_set, 0x1234)
    assert astuple(got) == pytest.approx(astuple(READ[data_set]))


def test_a_question_is_byte_for_byte_what_pmc_sends() -> None:
    # Origin: as CAPTURED; pmc -b 0 'GET CURRENT_DATA_SET', its port number replaced by ours.
    asked = "0d0200480000000000000000000000000000000000000000000000000001" + "0000" + "047f"
    target = "ffffffffffffffffffff" + "00000000"
    assert question(DataSet.CURRENT, 0).hex() == asked + target + "000100142001" + "00" * 18


@given(st.sampled_from(DataSet), st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(0, 15))
def test_nothing_but_get_can_be_asked_and_it_stays_on_this_machine(
    data_set: DataSet, sequence: int, domain: int, transport: int
) -> None:
    data = question(data_set, sequence, domain, transport)
    assert data[46] == 0, "actionField: GET"
    assert data[44:46] == bytes(2), "boundary hops: none"
    assert struct.unpack_from(">H", data, 2)[0] == len(data)
    assert not any(data[54:]), "a GET carries no values"


def test_the_driver_sends_in_one_place_and_only_questions() -> None:
    tree = ast.parse(inspect.getsource(ptp_driver))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    sent = [ast.unparse(call) for call in calls if "send" in ast.unparse(call.func)]
    assert sent == ["self._socket.send(inquiry.question())"]
    assert list(inspect.signature(question).parameters) == [
        "data_set",
        "sequence",
        "domain",
        "transport_specific",
    ]
    packed = [line for line in inspect.getsource(wire).splitlines() if "ADDRESS.pack(" in line]
    assert len(packed) == 1
    assert "ADDRESS.pack(EVERY_PORT, 0, 0, GET)" in packed[0]


@given(st.binary(max_size=200), st.sampled_from(DataSet), st.integers(0, 120), st.integers(0, 255))
def test_no_datagram_can_do_more_than_be_refused(data: bytes, data_set: DataSet, at: int, byte: int) -> None:
    damaged = bytearray(captured(data_set, 7))
    damaged[at % len(damaged)] = byte
    for candidate in (
        data,
        captured(data_set, 7)[: len(data)],
        bytes(damaged),
        captured(data_set, 7)[:54] + data,
    ):
        try:
            assert read_answer(candidate, data_set, 7)
        except NotAnAnswer:
            continue


@given(st.lists(st.binary(max_size=120), max_size=4), st.integers(0, 0xFFFF))
def test_rubbish_between_the_answers_costs_none_of_them(rubbish: list[bytes], first: int) -> None:
    inquiry = Round(Settings(), first)
    asked = 0
    while not inquiry.done:
        answer = served(inquiry.question())
        assert not any(inquiry.receive(data) for data in (*rubbish, CAPTURED[QUESTIONS[asked]][:20].encode()))
        assert inquiry.receive(answer)
        asked += 1
    assert asked == len(QUESTIONS)
    assert inquiry.answers().ports == (Port(1, 9),)


def test_a_boundary_clock_is_asked_until_each_of_its_ports_has_answered() -> None:
    inquiry = Round(Settings(), 0)
    for data_set in (DataSet.DEFAULT, DataSet.CURRENT, DataSet.PARENT, DataSet.TIME_PROPERTIES):
        data = bytearray(served(inquiry.question()))
        if data_set is DataSet.DEFAULT:
            data[56:58] = b"\x00\x02"
        assert inquiry.receive(bytes(data))
    second = bytearray(served(inquiry.question()))
    second[63:65] = b"\x02\x06"
    assert not inquiry.receive(served(inquiry.question()))
    assert not inquiry.receive(served(inquiry.question())), "the same port again"
    assert inquiry.receive(bytes(second))
    assert inquiry.receive(served(inquiry.question()))
    assert inquiry.answers().ports == (Port(1, 9), Port(2, 6))


def stand_in(server: socket.socket, questions: int) -> tuple[threading.Thread, list[bytes]]:
    """Answers so many questions as captured, each after rubbish, a Sync newer every time."""
    asked: list[bytes] = []

    def serve() -> None:
        for number in range(questions):
            data, client = server.recvfrom(2048)
            asked.append(data)
            answer = bytearray(served(data))
            if data[52:54] == b"\xc0\x00":
                struct.pack_into(">q", answer, 62, SYNC_NS + number)
            for datagram in (b"rubbish", bytes(answer)):
                server.sendto(datagram, client)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, asked


@pytest.mark.anyio
async def test_two_rounds_of_questions_make_a_reading_that_is_believed(tmp_path: Path) -> None:
    settings = Settings(socket=str(tmp_path / "ptp4l"), software_timestamping=True, period_s=0.2)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(settings.socket)
        thread, asked = stand_in(server, 2 * len(QUESTIONS))
        async with PLUGIN.open(settings, CLOCK) as source:
            first, second = await anext(source), await anext(source)
        thread.join()
    assert (first.synchronised, first.bound_s) == (False, None)
    assert (second.synchronised, second.leap) == (True, "insert")
    assert second.bound_s == pytest.approx(581e-9 + 1553e-9 + 100e-9)
    assert second.offset_s == pytest.approx(-581e-9)
    assert {data[46] for data in asked} == {0}, "every one a GET"


@pytest.mark.anyio
async def test_a_name_of_its_own_is_taken_over_from_an_earlier_end_and_left_clean(tmp_path: Path) -> None:
    settings = Settings(socket=str(tmp_path / "ptp4l"), reply_socket=str(tmp_path / "agent"), period_s=0.2)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as earlier,
    ):
        server.bind(settings.socket)
        earlier.bind(str(tmp_path / "agent"))
        thread, _ = stand_in(server, len(QUESTIONS))
        async with PLUGIN.open(settings, CLOCK) as source:
            assert not (await anext(source)).synchronised
        thread.join()
    assert not (tmp_path / "agent").exists()


@pytest.mark.anyio
async def test_no_file_but_a_socket_is_ever_removed(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("kept")
    with pytest.raises(DeviceLost, match="refused"):
        async with PLUGIN.open(Settings(reply_socket=str(tmp_path / "notes")), CLOCK):
            pass
    assert (tmp_path / "notes").read_text() == "kept"


@pytest.mark.anyio
async def test_what_is_wrong_with_ptp4l_is_said_in_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ptp_driver, "REPLY_S", 0.05)
    path = str(tmp_path / "ptp4l")
    with pytest.raises(DeviceLost, match="missing"):
        async with PLUGIN.open(Settings(socket=path), CLOCK):
            pass
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(path)
        async with PLUGIN.open(Settings(socket=path, period_s=0.2), CLOCK) as source:
            with pytest.raises(DeviceLost, match="silent"):
                await anext(source)
            deaf.close()
            with pytest.raises(DeviceLost, match="refused"):
                await anext(source)
