"""The chain of the air record: any change, cut, reorder or forged signature is found."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.outlets.air_chain import Chain, walk

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()


def chain(size: int = 12, every: int = 5) -> list[bytes]:
    made, lines = Chain(), []
    for number in range(size):
        lines.append(made.add("air", 1_800_000_000.0 + number, told={"1": "green" if number % 2 else "red"}))
        if number % every == every - 1:
            lines.append(made.head(1_800_000_000.0 + number, "t", KEY))
    lines.append(made.head(1_800_000_100.0, "t", KEY))
    return lines


LINES = chain()


def test_a_whole_chain_is_good_and_signed_to_its_end() -> None:
    found = walk(LINES, PUBLIC)
    assert (found.faults, found.lines, found.first, found.last) == ([], len(LINES), 1, len(LINES))
    assert (found.signed_to, found.unsigned, found.site) == (len(LINES) - 1, 0, "t")


@given(st.integers(0, len(LINES) - 1), st.data())
def test_any_changed_byte_is_found(at: int, data: st.DataObject) -> None:
    byte = data.draw(st.integers(0, len(LINES[at]) - 1))
    other = data.draw(st.integers(1, 255))
    changed = bytearray(LINES[at])
    changed[byte] ^= other
    lines = [*LINES[:at], bytes(changed), *LINES[at + 1 :]]
    found = walk(lines, PUBLIC)
    if at < len(LINES) - 1:
        assert found.faults
    else:  # the last signature itself: spoilt it covers nothing; its own time is covered by nobody yet
        assert found.faults or found.signed_to == len(LINES) - 1 or found.unsigned > 0


@given(st.integers(0, len(LINES) - 2), st.integers(1, 5))
def test_a_cut_inside_is_found(at: int, size: int) -> None:
    lines = [*LINES[:at], *LINES[at + size :]]
    found = walk(lines, PUBLIC)
    if at == 0 or at + size >= len(LINES):
        assert found.first == 1 + size * (at == 0) or not lines, "a slice tells where it begins"
        assert found.last == len(LINES) or found.last == at
    else:
        assert found.faults


@given(st.permutations(range(len(LINES))))
def test_another_order_is_found(order: list[int]) -> None:
    found = walk([LINES[at] for at in order], PUBLIC)
    assert bool(found.faults) is (order != sorted(order))


@given(st.integers(0, len(LINES) - 1), st.integers(0, len(LINES) - 1))
def test_a_line_said_twice_is_found(at: int, to: int) -> None:
    assert walk([*LINES[:to], LINES[at], *LINES[to:]], PUBLIC).faults


def test_a_chain_made_anew_by_somebody_without_the_key_is_found() -> None:
    forger = Ed25519PrivateKey.generate()
    forged, lines = Chain(), []
    for line in LINES:
        value = json.loads(line)
        if value["k"] == "head":
            lines.append(forged.head(value["utc_s"], "t", forger))
        else:
            lines.append(forged.add("air", value["utc_s"], told={"1": "green"}))
    assert walk(lines, forger.public_key()).faults == []
    found = walk(lines, PUBLIC)
    assert len(found.faults) == found.heads > 0
    assert found.signed_to is None


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"\xff\xfe", b'{"n":"x","prev":1,"k":2}', b"null"])
def test_junk_is_a_fault_and_never_a_crash(junk: bytes) -> None:
    assert walk([junk, *LINES], PUBLIC).faults
    assert walk([*LINES[:3], junk, *LINES[3:]], PUBLIC).faults


def test_what_no_signature_covers_is_told() -> None:
    made = chain(4, every=2)[:-1]
    more = Chain(len(made), walk(made, PUBLIC).name)
    found = walk([*made, more.add("air", 0.0), more.add("air", 0.0)], PUBLIC)
    assert (found.faults, found.unsigned, found.signed_to) == ([], 2, len(made) - 1)
