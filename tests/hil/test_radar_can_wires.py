"""CAN over a serial adapter and over a socketcand server: what a client says and gets."""

from __future__ import annotations

import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.can_wires import CanWire, Slcan, Socketcand
from hil.devices.wires import PtyWire, TcpWire, readable

STATUS = bytes.fromhex("060A0203E810")
pieces = st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=12)


def in_pieces(speech: Slcan | Socketcand, text: bytes, cuts: list[int]) -> tuple[list[bytes], bytes]:
    frames, answers, at = [], b"", 0
    for cut in [*sorted(cuts), len(text)]:
        found, answer = speech.hear(text[at:cut])
        frames += found
        answers += answer
        at = max(at, cut)
    return frames, answers


def test_an_adapter_is_silent_until_it_is_opened() -> None:
    speech = Slcan()
    assert speech.say(STATUS, 1.0) == b""
    assert speech.hear(b"C\rS6\rO\r") == ([], b"\r\r\r")
    assert speech.rate == "6"
    assert speech.say(STATUS, 1.0) == b"t60A40203E810\r"
    speech.hear(b"C\r")
    assert speech.say(STATUS, 1.0) == b""


@given(st.lists(st.integers(0, 40), max_size=5))
def test_frames_to_an_adapter_survive_any_pieces(cuts: list[int]) -> None:
    speech = Slcan()
    frames, answers = in_pieces(speech, b"O\rt2008F8000000089C0000\rt30020000\r", cuts)
    assert frames == [bytes.fromhex("0200F8000000089C0000"), bytes.fromhex("03000000")]
    assert answers == b"\rz\rz\r"


@pytest.mark.parametrize("line", [b"t2008F8\r", b"tXYZ0\r", b"t9990\r", b"q\r", b"t\r"])
def test_what_is_no_frame_is_answered_with_a_bell(line: bytes) -> None:
    speech = Slcan()
    speech.hear(b"O\r")
    assert speech.hear(line) == ([], b"\a")


def test_a_socketcand_client_is_greeted_and_served_as_it_asks() -> None:
    speech = Socketcand()
    assert speech.greet() == b"< hi >"
    assert speech.hear(b"< open can0 >") == ([], b"< ok >")
    assert speech.say(STATUS, 12.5) == b""
    assert speech.hear(b"< rawmode >") == ([], b"< ok >")
    assert speech.say(STATUS, 12.5) == b"< frame 60A 12.500000 0203E810 >"
    frames, answer = speech.hear(b"< send 200 8 f8 0 0 0 8 9c 0 0 >")
    assert frames == [bytes.fromhex("0200F8000000089C0000")]
    assert answer == b""
    assert speech.hear(b"< send 200 8 f8 >")[1].startswith(b"< error")
    assert speech.hear(b"< dance >")[1].startswith(b"< error")
    assert speech.greet() == b"< hi >"
    assert speech.say(STATUS, 1.0) == b"", "the next client says rawmode itself"


@given(st.lists(st.integers(0, 70), max_size=6))
def test_commands_to_a_server_survive_any_pieces(cuts: list[int]) -> None:
    speech = Socketcand()
    frames, answers = in_pieces(speech, b"< open can0 >< rawmode >< send 301 2 80 0 >", cuts)
    assert frames == [bytes.fromhex("03018000")]
    assert answers == b"< ok >< ok >"


@given(pieces)
def test_rubbish_costs_neither_speech_its_next_command(rubbish: list[bytes]) -> None:
    adapter, server = Slcan(), Socketcand()
    for piece in rubbish:
        adapter.hear(piece)
        server.hear(piece)
    adapter.hear(b"\rO\r")
    assert adapter.say(STATUS, 1.0)
    server.hear(b">< rawmode >")
    assert server.say(STATUS, 1.0)


@pytest.fixture
def served() -> Iterator[tuple[CanWire, socket.socket]]:
    wire = CanWire(TcpWire(), Socketcand())
    client = socket.create_connection((wire.told["host"], wire.told["tcp_port"]))
    client.settimeout(5.0)
    yield wire, client
    client.close()
    wire.unplug()


def test_over_tcp_a_client_gets_frames_and_sends_them(served: tuple[CanWire, socket.socket]) -> None:
    wire, client = served
    heard: list[bytes] = []

    def serve() -> None:
        readable(wire.files(), 5.0)
        heard.extend(wire.read(1.0))

    serve()
    assert client.recv(100) == b"< hi >"
    client.sendall(b"< open can0 >")
    serve()
    assert client.recv(100) == b"< ok >"
    client.sendall(b"< rawmode >< send 200 2 1 2 >")
    serve()
    assert heard == [bytes.fromhex("02000102")]
    assert client.recv(100) == b"< ok >"
    wire.send(STATUS, 3.0)
    assert client.recv(100) == b"< frame 60A 3.000000 0203E810 >"


def test_over_a_serial_adapter_too(tmp_path: Path) -> None:
    wire = CanWire(PtyWire(tmp_path / "can", 2_000_000), Slcan())
    end = os.open(tmp_path / "can", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(end)
    os.write(end, b"S6\rO\rt30020000\r")
    readable(wire.files(), 5.0)
    assert wire.read(1.0) == [bytes.fromhex("03000000")]
    wire.send(STATUS, 1.0)
    wire.due(2.0)
    assert os.read(end, 100) == b"\r\rz\rt60A40203E810\r"
    os.close(end)
    wire.unplug()
    assert not wire.up


def test_a_server_that_comes_back_has_its_port_again() -> None:
    first = TcpWire()
    number = first.told["tcp_port"]
    first.unplug()
    again = TcpWire(number=number)
    assert again.told["tcp_port"] == number
    again.unplug()
