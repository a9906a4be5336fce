"""The promise to the police: this driver can ask and answer a heartbeat, and nothing else can leave it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from gbt20999_peer import Peer, sent
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers import gbt20999
from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.session import Session
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address
from rsu_agent.ports.trouble import DeviceLost

FOLDER = Path(gbt20999.__path__[0])
QUERY, HEARTBEAT_REPLY = 0x10, 0x80
START, END, ESCAPE = 0x7E, 0x7D, 0x5C
KIND_AT, COUNT_AT = (
    11,
    12,
)  # facts/controllers 1.1: length, version, host, controller, crossing, sequence, type


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(file, enclosing function, call) of every call in the driver."""
    for path in sorted(FOLDER.glob("*.py")):
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for node in ast.walk(outer):
                    if isinstance(node, ast.Call):
                        yield path.name, outer.name, node


def places(text: str) -> set[tuple[str, str]]:
    """Where something of this name is called."""
    return {(file, outer) for file, outer, node in calls() if ast.unparse(node.func) == text}


def test_one_function_frames_bytes_and_only_the_query_and_the_heartbeat_reply_call_it() -> None:
    assert places("HEAD.write") == {("wire.py", "_frame")}
    assert places("_frame") == {("wire.py", "query"), ("wire.py", "heartbeat_reply")}
    kinds = {ast.unparse(node.args[0]) for _, _, node in calls() if ast.unparse(node.func) == "_frame"}
    assert kinds == {"Sendable.QUERY", "Sendable.HEARTBEAT_REPLY"}


def test_nobody_else_takes_those_functions_or_marks_the_start_of_a_frame() -> None:
    assert places("query") == {("link.py", "ask"), ("recognise.py", "question")}
    assert places("heartbeat_reply") == {("link.py", "heartbeat")}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and node.id == "_frame":
                assert path.name == "wire.py", "passed on under another name"
            if isinstance(node, ast.Call) and ast.unparse(node) == "bytes([START])":
                assert path.name == "wire.py"


def unescaped(frame: bytes) -> bytes:
    """What stands between start and end, by hand."""
    assert (frame[0], frame[-1]) == (START, END)
    out, inner = bytearray(), iter(frame[1:-1])
    for byte in inner:
        assert byte not in (START, END)
        out.append(next(inner) if byte == ESCAPE else byte)
    return bytes(out)


def judge(frame: bytes) -> None:
    """A query of addresses without any value, or a heartbeat reply."""
    body = unescaped(frame)
    if body[KIND_AT] == HEARTBEAT_REPLY:
        assert len(body) == COUNT_AT + 2
        return
    assert body[KIND_AT] == QUERY
    rest = body[COUNT_AT + 1 : -2]
    assert len(rest) == 6 * body[COUNT_AT]
    for at in range(0, len(rest), 6):
        assert rest[at + 1] == 4, "a value of no bytes: only its address"
        assert rest[at + 2] not in (17, 18), "classes that command"


FRAMES = st.tuples(
    st.sampled_from([0x10, 0x11, 0x20, 0x21, 0x30, 0x31, 0x40, 0x60, 0x70, 0x71, 0x80]),
    st.lists(
        st.tuples(
            st.builds(Address, st.sampled_from([1, 3, 4, 6, 9, 13, 16, 17, 18]), *[st.integers(0, 9)] * 3),
            st.binary(max_size=20),
        ),
        max_size=6,
    ),
)


@settings(max_examples=120)
@given(st.lists(FRAMES, max_size=12), st.sampled_from(["answer", "ignore"]))
def test_whatever_is_said_to_it_only_queries_without_values_and_heartbeat_replies_leave(
    frames: list[tuple[int, list[tuple[Address, bytes]]]], heartbeat: str
) -> None:
    chosen = Settings(port="x", listen_first_s=0.0, heartbeat=heartbeat)
    session, peer, now_s, left = Session(chosen, 0.0, Memory(Shelf())), Peer(), 0.0, 0
    for turn in range(40 + len(frames)):
        now_s += 0.05
        answers = []
        while data := session.next_bytes(now_s):
            judge(data)
            left += 1
            answers.append(peer.hears(data, now_s))
        if turn >= 40:
            answers.append(sent(*frames[turn - 40]))
        try:
            for answer in answers:
                list(session.receive(answer, now_s))
        except DeviceLost:
            break
    assert left > 10
