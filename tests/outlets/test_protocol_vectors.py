"""The published vectors, read twice: by the program, and by a reader written from the pages alone."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.outlets.command_memory import CommandMemory
from rsu_agent.outlets.commands import Gate, Refused
from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.ports.command import canonical, public_key, read_chunk, unpack_answer
from rsu_agent.ports.envelope import BadEnvelope, Envelope, pack_envelope, unpack_ack, unpack_envelope
from tests.outlets import spec_reader
from tests.outlets.make_vectors import SITE, files
from tests.outlets.record_makers import ROOT

DOCS = ROOT / "docs" / "protocol"


def vectors(name: str) -> Any:
    return json.loads((DOCS / "vectors" / f"{name}.json").read_text())


ENVELOPES, ACKS, COMMANDS = vectors("envelopes"), vectors("acknowledgements"), vectors("commands")


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


def test_the_reader_of_the_pages_knows_nothing_of_the_program() -> None:
    tree = ast.parse(Path(spec_reader.__file__).read_text())
    named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert not [name for name in named if name and name.split(".")[0] in ("rsu_agent", "hil", "drivers")]


@pytest.mark.parametrize("case", ENVELOPES, ids=name_of)
def test_an_envelope_is_read_from_the_pages_as_the_vector_says(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if "refused" in case:
        with pytest.raises(spec_reader.Refused) as caught:
            spec_reader.envelope(data, case["topic"])
        assert caught.value.code == case["refused"]
    else:
        assert spec_reader.envelope(data, case["topic"]) == case["reads"]


@pytest.mark.parametrize("case", ENVELOPES, ids=name_of)
def test_an_envelope_is_read_by_the_program_as_the_vector_says(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if case.get("refused") == "misdirected":
        envelope = unpack_envelope(data)
        assert case["topic"].split("/")[3::2] != [envelope.site, envelope.lane], "the receiver compares"
    elif "refused" in case:
        with pytest.raises(BadEnvelope) as caught:
            unpack_envelope(data)
        assert caught.value.code == case["refused"]
    else:
        told, read = case["reads"], unpack_envelope(data)
        assert list(read.records) == told["r"]
        assert (read.version, read.site, read.epoch, read.lane, read.seq, read.utc_us) == tuple(
            told[key] for key in "vselqt"
        )
        assert read.clock_bound_s == told["c"]


def test_the_program_writes_the_bytes_that_the_page_spells_out() -> None:
    case = ENVELOPES[0]
    told = case["reads"]
    envelope = Envelope(told["s"], told["e"], told["l"], told["q"], told["t"], tuple(told["r"]), told["c"])
    assert pack_envelope(envelope).hex() == case["hex"]
    page = (DOCS / "README.md").read_text()
    block = page[page.index("```\n89 ") :].split("```")[1]
    spelt = "".join(_bytes_of(line) for line in block.splitlines())
    assert spelt == case["hex"]


def _bytes_of(line: str) -> str:
    """The hexadecimal words at the beginning of a line."""
    found = ""
    for word in line.replace("   ", " | ").strip(" |").split("|")[0].split():
        if len(word) != 2:
            break
        found += word
    return found


@pytest.mark.parametrize("case", ACKS["cases"], ids=name_of)
def test_an_acknowledgement_does_what_the_vector_says(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if "refused" in case:
        with pytest.raises(spec_reader.Refused):
            spec_reader.acknowledgement(data)
        with pytest.raises(BadEnvelope):
            unpack_ack(data)
        return
    told = spec_reader.acknowledgement(data)
    assert told == case["reads"]
    lane = spec_reader.Lane(ACKS["epoch"], ACKS["lane"], set(case["queued"]))
    lane.hear(told)
    assert sorted(lane.queued) == case["left"]
    assert {str(number): code for number, code in lane.dead.items()} == case["dead"]
    ack = unpack_ack(data)
    assert [ack.epoch, ack.lane, ack.contiguous, ack.window] == [told[key] for key in "elcw"]
    assert [list(pair) for pair in ack.ranges] == told["r"]
    assert [list(pair) for pair in ack.rejected] == told["x"]


@pytest.mark.parametrize("case", COMMANDS["cases"], ids=name_of)
def test_a_command_is_judged_as_the_vector_says_by_both(case: dict[str, Any], tmp_path: Path) -> None:
    edge, data = COMMANDS["edge"], bytes.fromhex(case["hex"])
    reader = spec_reader.Edge(edge["site"], COMMANDS["district_key"], edge["highest"], edge["since"])
    assert reader.judge(data, case["topic"], edge["now"]) == (case["code"], case["answered"])
    told = gate(tmp_path).judge(data, case["topic"].rsplit("/", 1)[-1], 0.0, edge["now"])
    if isinstance(told, Refused):
        assert (told.code, told.command is not None) == (case["code"], case["answered"])
    else:
        assert case["code"] == "ok"


def gate(tmp_path: Path) -> Gate:
    memory = CommandMemory(tmp_path / "taken.json")
    memory.begin(COMMANDS["edge"]["since"])
    memory.take(COMMANDS["edge"]["highest"])
    return Gate(SITE, public_key(COMMANDS["district_key"]), memory)


def test_a_command_under_an_untrusted_clock_is_judged_as_the_vector_says(tmp_path: Path) -> None:
    case, edge = COMMANDS["untrusted_clock"], COMMANDS["edge"]
    reader = spec_reader.Edge(edge["site"], COMMANDS["district_key"], edge["highest"], edge["since"])
    assert reader.judge(bytes.fromhex(case["hex"]), "x/dn/cmd", None) == (case["code"], case["answered"])
    told = gate(tmp_path).judge(bytes.fromhex(case["hex"]), "cmd", 0.0, None)
    assert isinstance(told, Refused)
    assert told.code == case["code"]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.text(max_size=40)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=20),
    max_leaves=30,
)


@given(st.dictionaries(st.text(max_size=8), PLAIN, max_size=20))
def test_the_canonical_form_is_the_same_written_by_hand(value: dict[str, Any]) -> None:
    try:
        ours = canonical(value)
    except ValueError:
        with pytest.raises(spec_reader.Refused):
            spec_reader.packed(value)
    else:
        assert spec_reader.packed(value) == ours


@pytest.mark.parametrize("count", [31, 32, 255, 256, 65_535, 65_536])
def test_the_canonical_form_is_the_same_at_the_edges_of_sizes(count: int) -> None:
    for value in ("x" * count, b"x" * count, [1] * count, {str(n): n for n in range(count)}):
        assert spec_reader.packed({"a": value}) == canonical({"a": value})


def test_answers_and_chunks_are_read_as_the_vectors_say() -> None:
    for case in COMMANDS["answers"]:
        data, told = bytes.fromhex(case["hex"]), case["reads"]
        assert spec_reader.command_map(data) == told
        answer = unpack_answer(data)
        assert [answer.seq, answer.result, answer.code, answer.utc_us] == [told[key] for key in "qrct"]
    told = COMMANDS["chunk"]
    chunk = read_chunk(bytes.fromhex(told["hex"]))
    assert chunk is not None
    assert (chunk.offer, chunk.index, chunk.data.hex()) == (42, 0, told["data_hex"])


@pytest.mark.parametrize("case", vectors("live"), ids=lambda case: case["topic"].rsplit("/", 1)[-1])
def test_a_live_message_is_as_its_vector_and_its_kind_say(case: dict[str, Any]) -> None:
    read = spec_reader.command_map(bytes.fromhex(case["hex"]))
    assert read == case["reads"]
    assert faults(read) == []


def test_the_vectors_are_those_that_the_program_makes_today() -> None:
    """But for the bytes of zstd, which differ between versions of its library."""
    for path, value in files().items():
        stored = json.loads(path.read_text())
        assert _without_zstd(stored) == _without_zstd(json.loads(json.dumps(value))), path.name


def _without_zstd(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_zstd(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_zstd(inner) for inner in value]
    return "zstd" if isinstance(value, str) and value.startswith("28b52ffd") else value


def test_every_code_of_the_vectors_stands_on_the_pages() -> None:
    pages = "".join((DOCS / f"{name}.md").read_text() for name in ("acknowledgement", "commands"))
    codes = {case["refused"] for case in [*ENVELOPES, *ACKS["cases"]] if "refused" in case}
    codes |= {case["code"] for case in COMMANDS["cases"]} - {"ok"}
    assert {code for code in codes if f"`{code}`" not in pages} == set()
