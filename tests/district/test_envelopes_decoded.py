"""What may be stored, what becomes a dead letter and why: whatever the bytes, one of the two."""

from __future__ import annotations

import math
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.district.decode import MOST_KEPT, MOST_SEQ, read, read_state
from rsu_agent.district.facts import as_json, lost_for_ever
from rsu_agent.district.sink import DeadLetter, Taken
from rsu_agent.ports.envelope import LARGEST, pack_envelope
from tests.district.made import dead, envelope, prefix, taken

TOPIC = f"{prefix()}/up/lo"
GOOD = {
    "v": 1,
    "s": "site-1",
    "e": 7,
    "l": "lo",
    "q": 3,
    "t": 5,
    "c": None,
    "n": 1,
    "r": [{"k": "hb", "t": 5}],
}


def packed(**changes: Any) -> bytes:
    return bytes(msgpack.packb(GOOD | changes))


def test_an_envelope_comes_through_with_its_records_as_json() -> None:
    one = taken(envelope(3, {"k": "hb", "t": 5, "word": "行人"}))
    assert one.key == ("site-1", 7, "lo")
    assert one.bodies == ('{"k":"hb","t":5,"word":"行人"}',)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"r": [{"k": "hb", "v": math.nan}]}, "invalid"),
        ({"r": [{"k": "hb", "v": -math.inf}]}, "invalid"),
        ({"c": math.nan}, "invalid"),
        ({"r": [{"k": "hb", "w": "a\0b"}]}, "invalid"),
        ({"r": [{"k": 5}]}, "invalid"),
        ({"r": "hb"}, "invalid"),
        ({"r": [{"k": "hb", "raw": b"\1"}]}, "invalid"),
        ({"r": [{"k": "hb", "deep": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}]}, "invalid"),
        ({"t": "yesterday"}, "invalid"),
        ({"v": 0}, "invalid"),  # never released
        ({"s": "site-2"}, "misdirected"),
        ({"r": [{"k": "hb", "w": "x" * LARGEST}]}, "too_big"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_its_number(changes: dict[str, Any], reason: str) -> None:
    letter = dead(TOPIC, packed(**changes))
    assert (letter.reason, letter.identity, letter.site) == (reason, (7, "lo", 3), "site-1")
    assert len(letter.payload) <= MOST_KEPT


def test_a_text_that_only_looks_like_nul_is_kept() -> None:
    assert isinstance(read(TOPIC, packed(r=[{"k": "hb", "w": "\\u0000"}])), Taken)


def test_a_bomb_is_not_unpacked_and_its_number_is_still_read() -> None:
    bomb = zstandard.ZstdCompressor().compress(packed(r=[{"k": "hb", "w": "x" * (50 << 20)}]))
    assert len(bomb) < LARGEST
    letter = dead(TOPIC, bomb)
    assert (letter.reason, letter.identity) == ("too_big", (7, "lo", 3))


def test_a_bomb_that_hides_its_size_is_not_unpacked_either() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    bomb = stream.compress(packed(r=[{"k": "hb", "w": "x" * (50 << 20)}])) + stream.flush()
    assert dead(TOPIC, bomb).identity == (7, "lo", 3)


def test_an_envelope_that_is_cut_short_is_refused_by_its_number() -> None:
    letter = dead(TOPIC, packed()[:-4])
    assert (letter.reason, letter.identity) == ("unreadable", (7, "lo", 3))


@pytest.mark.parametrize("behind", [b"\0", zstandard.compress(packed())])
def test_what_stands_behind_a_frame_is_not_left_unread(behind: bytes) -> None:
    letter = dead(TOPIC, zstandard.compress(packed()) + behind)
    assert (letter.reason, letter.identity) == ("unreadable", (7, "lo", 3))


def test_a_number_that_leaves_no_room_for_the_next_is_not_answered() -> None:
    letter = dead(TOPIC, packed(q=MOST_SEQ))
    assert (letter.reason, letter.identity) == ("invalid", None)


def test_a_lane_of_another_topic_is_not_answered_there() -> None:
    assert dead(f"{prefix()}/up/hi", packed()).identity is None


def test_a_version_of_tomorrow_is_kept_as_it_came() -> None:
    payload = packed(v=9, r={"something": b"else"})
    one = read(TOPIC, payload)
    assert isinstance(one, Taken)
    assert (one.raw, one.envelope.version, one.envelope.seq, one.bodies) == (payload, 9, 3, ())


@pytest.mark.parametrize(
    "topic", ["rsu/1/pingshan/site-1/up", "", "a/b/c/d/e/f/g", "/" * 4000, "rsu/1/a//up/lo"]
)
def test_a_topic_of_another_shape_is_a_dead_letter_without_a_sender(topic: str) -> None:
    letter = dead(topic, pack_envelope(envelope(1)))
    assert (letter.reason, letter.site, letter.identity) == ("strange_topic", "", None)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from("vseqltcnr"), PLAIN))
def test_any_map_is_stored_or_is_a_dead_letter(changes: dict[str, Any]) -> None:
    one = read(TOPIC, packed(**changes))
    assert isinstance(one, (Taken, DeadLetter))
    if isinstance(one, Taken):
        assert one.key[0] == "site-1"
        assert 0 < one.envelope.seq < MOST_SEQ


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda tail: b"\x28\xb5\x2f\xfd" + tail))
def test_any_bytes_are_a_dead_letter_at_worst(payload: bytes) -> None:
    assert isinstance(read(TOPIC, payload), (Taken, DeadLetter))


@given(st.binary(max_size=60) | PLAIN.map(msgpack.packb) | PLAIN.map(lambda x: repr(x).encode()))
def test_any_state_is_read_or_is_empty(payload: bytes) -> None:
    state = read_state(f"{prefix()}/state", payload)
    assert state is not None
    as_json(state.body)


def test_a_birth_is_read_as_json_and_as_msgpack() -> None:
    for payload in (b'{"on":1,"lat":22.7}', msgpack.packb({"on": 1, "lat": 22.7})):
        state = read_state(f"{prefix()}/state", payload)
        assert state is not None
        assert (state.site, state.body) == ("site-1", {"on": 1, "lat": 22.7})


@pytest.mark.parametrize(
    ("record", "runs"),
    [
        ({"k": "gap", "l": "lo", "from": 4, "to": 9, "n": 6}, [(4, 9)]),
        ({"k": "gap", "l": "lo", "from": 4, "to": 9, "n": 3}, []),  # some between them may still come
        (
            {"k": "gap", "l": "hi", "from": 4, "to": 9, "n": 6},
            [],
        ),  # of another file, whose epoch is not known
        ({"k": "gap", "l": "lo", "from": 9, "to": 4, "n": -4}, []),
        ({"k": "gap", "l": "lo", "from": "4", "to": 9, "n": 6}, []),
        ({"k": "flow", "l": "lo", "from": 4, "to": 9, "n": 6}, []),
        ({"k": "gap", "l": "lo", "from": 4, "to": 10, "n": 7}, []),  # itself among them
        ({"k": "gap", "l": "lo", "from": 11, "to": 12, "n": 2}, []),  # they may yet be given and come
    ],
)
def test_only_a_run_that_is_lost_whole_is_no_longer_waited_for(
    record: dict[str, Any], runs: list[tuple[int, int]]
) -> None:
    assert list(lost_for_ever(envelope(10, record))) == runs
