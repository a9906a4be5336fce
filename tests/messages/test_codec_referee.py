"""The generated codec against asn1tools and pycrate, and against hostile bytes."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import asn1tools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices import vehicle_codec
from rsu_agent.cli import generate
from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.schema import SCHEMA as TYPES
from rsu_agent.messages.generator import model as m
from rsu_agent.messages.generator.parse import SchemaError, parse
from rsu_agent.wire.uper import Malformed
from tests.messages.differential import NAMES, compare
from tests.messages.values import draw

SCHEMA = generate.MESSAGES / "csae53" / "schema.asn"


@pytest.fixture(scope="module")
def referee() -> Any:
    return asn1tools.compile_files(str(SCHEMA), "uper")


def frame_value(dice: random.Random) -> Any:
    return draw(m.Reference("MessageFrame"), TYPES, dice)


@pytest.mark.parametrize("name", NAMES)
def test_random_messages_are_bit_for_bit_those_of_the_referees(name: str) -> None:
    """asn1tools with its checks on for China, pycrate for Europe; `make check-messages` takes 10,000 each."""
    assert compare(name, 250, 20, quiet=True)["different"] == 0


def test_the_vehicles_own_schema_understands_every_frame_it_is_for() -> None:
    """Two readings of the facts: the vehicle's schema was typed apart and is run by pycrate."""
    dice = random.Random(21)
    for _ in range(400):
        value = frame_value(dice)
        if value[0] == "bsmFrame":
            continue
        frame = codec.encode(value)
        kind, _ = vehicle_codec.decode(frame)
        assert kind == vehicle_codec.KINDS[value[0]]
        assert vehicle_codec._frame_type().to_uper() == frame


def test_the_committed_codec_is_what_the_generator_makes() -> None:
    for path, text in generate.generated().items():
        assert path.read_text() == text, "run: make generate"


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_give_a_value_or_the_typed_error(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        codec.decode(data)


def test_frames_with_flipped_bits_never_raise_anything_else() -> None:
    dice = random.Random(22)
    for _ in range(1500):
        frame = bytearray(codec.encode(frame_value(dice)))
        for _ in range(dice.randint(1, 4)):
            frame[dice.randrange(len(frame))] ^= 1 << dice.randrange(8)
        with contextlib.suppress(Malformed):
            codec.decode(bytes(frame[: dice.randint(0, len(frame))]))


SPAT: dict[str, Any] = {
    "msgCnt": 5,
    "intersections": [
        {
            "intersectionId": {"id": 12},
            "status": (b"\x00\x04", 16),
            "phases": [{"id": 1, "phaseStates": [{"light": "red"}]}],
        }
    ],
}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            lambda v: v["intersections"][0]["phases"][0].update(id=300),
            "SPAT.intersections[0].phases[0].id: 300 not in 0..255",
        ),
        (
            lambda v: v["intersections"][0]["phases"][0]["phaseStates"][0].update(light="blue"),
            "light: 'blue'",
        ),
        (lambda v: v.update(msgCnt=128), "SPAT.msgCnt: 128 not in 0..127"),
        (lambda v: v.update(moi=3), "moi: no such field"),
        (lambda v: v.pop("msgCnt"), "msgCnt: is missing"),
        (lambda v: v["intersections"].clear(), "intersections: 0 items not in 1..32"),
        (lambda v: v.update(name="路口"), "is no ASCII text"),
    ],
)
def test_a_fault_names_the_path_of_the_field(change: Any, path: str) -> None:
    import copy

    value = copy.deepcopy(SPAT)
    change(value)
    with pytest.raises(Malformed, match=r".*") as caught:
        codec.encode(("spatFrame", value))
    assert path in str(caught.value)


def test_a_frame_of_phase_two_is_handed_over_raw() -> None:
    """Choice addition 0: 0x80, open-type length, then the bytes (facts/csae53: checked with two decoders)."""
    frame = bytes([0x80, 3, 0x00, 0x0B, 0x55])
    name, raw = codec.decode(frame)
    assert (name, raw) == ("ext:0", b"\x00\x0b\x55")
    assert codec.encode((name, raw)) == frame


def test_unknown_additions_of_a_sequence_are_skipped_by_their_length(referee: Any) -> None:
    """A later edition adds a field to PhaseState; asn1tools writes it, we read what we know."""
    text = SCHEMA.read_text().replace(
        "PhaseState ::= SEQUENCE {\n    light LightState,\n    timing TimeChangeDetails OPTIONAL,\n    ...",
        "PhaseState ::= SEQUENCE {\n    light LightState,\n    timing TimeChangeDetails OPTIONAL,\n    ...,\n"
        "    later INTEGER (0..4095) OPTIONAL",
    )
    newer = asn1tools.compile_string(text, "uper")
    import copy

    value = copy.deepcopy(SPAT)
    value["intersections"][0]["phases"][0]["phaseStates"][0]["later"] = 77
    frame = newer.encode("MessageFrame", ("spatFrame", value))
    read = codec.decode(frame)
    assert codec.encode(read) == frame, "what we do not know goes back as it came"
    state = read[1]["intersections"][0]["phases"][0]["phaseStates"][0]
    assert state.pop("...") == [bytes([77 >> 4, 77 << 4 & 0xFF])], (
        "twelve bits in whole bytes, handed over raw"
    )
    assert state == {"light": "red"}


def test_a_schema_outside_the_subset_is_refused_with_its_line() -> None:
    with pytest.raises(SchemaError, match="line 2"):
        parse("A DEFINITIONS AUTOMATIC TAGS ::= BEGIN\nB ::= INTEGER (1|2)\nEND")
