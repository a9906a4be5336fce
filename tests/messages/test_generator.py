"""The schema compiler on a schema that has every kind of type, judged by asn1tools on the same text."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import asn1tools
import pytest

from rsu_agent.messages.generator import model as m
from rsu_agent.messages.generator.emit import emit, emit_data
from rsu_agent.messages.generator.from_pycrate import schema_text
from rsu_agent.messages.generator.parse import SchemaError, parse
from rsu_agent.messages.generator.widths import inlined, leaves, most_bits, windows
from rsu_agent.wire.uper import Malformed
from rsu_agent.wire.uper_fault import explain
from tests.messages.values import draw

ALONE = "A DEFINITIONS AUTOMATIC TAGS ::= BEGIN {} END"
EVERYTHING = """
Every DEFINITIONS AUTOMATIC TAGS ::= BEGIN

Top ::= SEQUENCE {
    flag BOOLEAN,
    small Small,
    wide INTEGER (-4398046511104..4398046511103),
    one INTEGER (7..7),
    kind Kind,
    open Open OPTIONAL,
    lamps BIT STRING { a(0), b(1), c(2) } (SIZE(3)),
    lanes BIT STRING (SIZE(1..13)) OPTIONAL,
    more BIT STRING (SIZE(5, ...)),
    key OCTET STRING (SIZE(4)),
    blob OCTET STRING (SIZE(1..20)),
    raw OCTET STRING,
    name IA5String (SIZE(1..24)),
    phone NumericString (SIZE(1..16)),
    label UTF8String (SIZE(1..24)),
    list List,
    longer Longer OPTIONAL,
    way Way,
    other Other,
    later INTEGER (0..3) DEFAULT 2,
    nested Nested,
    ...
}

Small ::= INTEGER (-3..9)

Kind ::= ENUMERATED { x(0), y(1), z(2) }

Open ::= ENUMERATED { red(0), green(1), blue(2), ... }

List ::= SEQUENCE (SIZE(0..5)) OF Pair

Longer ::= SEQUENCE (SIZE(1..3, ...)) OF Small

Pair ::= SEQUENCE {
    left Small,
    right Kind OPTIONAL
}

Way ::= CHOICE {
    number Small,
    pair Pair,
    list List
}

Other ::= CHOICE {
    number Small,
    flag BOOLEAN,
    ...
}

Nested ::= SEQUENCE {
    first Pair,
    second Pair OPTIONAL,
    ...
}

END
"""


def built(text: str, *tops: str) -> Any:
    """The codec of a schema, made and run without a file."""
    schema = parse(text)
    code = emit(schema, *tops).replace("from .schema import SCHEMA", "SCHEMA = TYPES")
    space: dict[str, Any] = {"TYPES": schema}
    exec(compile(code, "made.py", "exec"), space)
    return SimpleNamespace(**space)


@pytest.fixture(scope="module")
def made() -> Any:
    return built(EVERYTHING, "Top")


def tops(made: Any, count: int, seed: int) -> list[dict[str, Any]]:
    """Random values of the whole schema."""
    dice = random.Random(seed)
    return [draw(m.Reference("Top"), made.TYPES, dice) for _ in range(count)]


def test_every_kind_is_bit_for_bit_that_of_asn1tools(made: Any) -> None:
    referee = asn1tools.compile_string(EVERYTHING, "uper")
    for value in tops(made, 600, 5):
        told = {**value, "later": value.get("later", 2)}
        if told["later"] == 2:
            value.pop("later", None)  # asn1tools leaves a default out, as canonical PER does
        frame = made.encode(value)
        assert frame == referee.encode("Top", told)
        assert made.decode(frame) == value


def test_a_default_that_was_sent_goes_back_as_it_came(made: Any) -> None:
    (value,) = tops(made, 1, 6)
    with_it, without = {**value, "later": 2}, {k: v for k, v in value.items() if k != "later"}
    assert made.decode(made.encode(with_it)) == with_it
    assert made.decode(made.encode(without)) == without
    assert made.encode(with_it) != made.encode(without)


@pytest.mark.parametrize(
    ("field", "beyond"),
    [
        ("open", "ext:5"),
        ("more", (b"\xab\x80", 9)),
        ("longer", [1, 2, 3, 4, 5]),
        ("other", ("ext:3", b"\x01\x02\x03")),
        ("nested", {"first": {"left": 1}, "...": [None, b"\x07", None]}),
    ],
)
def test_what_lies_beyond_a_marker_survives_there_and_back(made: Any, field: str, beyond: Any) -> None:
    for value in tops(made, 20, 7):
        changed = {**value, field: beyond}
        assert made.decode(made.encode(changed)) == changed


@pytest.mark.parametrize("number", [0, 65_536, -1, -129, 127, 128, 1 << 40, -(1 << 40)])
def test_a_number_beyond_an_extensible_range_has_a_length(number: int) -> None:
    codec = built(
        "A DEFINITIONS AUTOMATIC TAGS ::= BEGIN T ::= SEQUENCE { x INTEGER (1..65535, ...) } END", "T"
    )
    assert codec.decode(codec.encode({"x": number})) == {"x": number}
    assert len(codec.encode({"x": 9})) == 3


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"flag": "yes"}, "Top.flag: 'yes' is neither"),
        ({"small": 10}, "Top.small: 10 not in -3..9"),
        ({"kind": "w"}, "Top.kind: 'w' is none of x, y, z"),
        ({"lamps": (b"\0", 4)}, "Top.lamps: must be (bytes, 3)"),
        ({"lanes": (b"", 0)}, "Top.lanes: must be (bytes, 1..13)"),
        ({"key": b"abc"}, "Top.key: 3 bytes not in 4..4"),
        ({"blob": "text"}, "Top.blob: 'text' is no byte string"),
        ({"raw": None}, "Top.raw: None is no byte string"),
        ({"name": ""}, "Top.name: 0 characters not in 1..24"),
        ({"name": "路口"}, "Top.name: '路口' is no ASCII text"),
        ({"phone": "12a"}, "Top.phone: '12a' has other characters"),
        ({"label": 5}, "Top.label: 5 is no text"),
        ({"list": [{"left": 0}, {"left": 99}]}, "Top.list[1].left: 99 not in -3..9"),
        ({"list": "ab"}, "Top.list: is no list"),
        ({"list": [{"left": 0}] * 6}, "Top.list: 6 items not in 0..5"),
        ({"way": ("road", 1)}, "Top.way: 'road' is no alternative"),
        ({"way": 3}, "Top.way: must be (name, value)"),
        ({"nested": {"first": {}}}, "Top.nested.first.left: is missing"),
        ({"nested": []}, "Top.nested: is no mapping"),
        ({"surplus": 1}, "Top.surplus: no such field"),
    ],
)
def test_a_fault_of_any_kind_names_its_field(made: Any, change: dict[str, Any], path: str) -> None:
    (value,) = tops(made, 1, 8)
    with pytest.raises(Malformed) as caught:
        made.encode({**value, **change})
    assert str(caught.value).startswith(path)


def test_a_fault_that_no_field_explains_names_the_type(made: Any) -> None:
    (value,) = tops(made, 1, 8)
    fault = explain(made.TYPES, "Top", value, OverflowError("odd"))
    assert str(fault) == "Top: cannot be encoded (OverflowError: odd)"


def test_bytes_that_end_too_early_or_are_noise_are_a_typed_error(made: Any) -> None:
    dice = random.Random(9)
    for value in tops(made, 60, 10):
        frame = made.encode(value)
        for cut in {0, 1, len(frame) // 2, len(frame) - 1}:
            with pytest.raises(Malformed):
                made.decode(frame[:cut])
        noise = bytes(byte ^ dice.getrandbits(8) for byte in frame)
        try:
            made.decode(noise)
        except Malformed:
            continue


def test_small_structures_are_written_out_and_large_ones_are_functions(made: Any) -> None:
    types = made.TYPES
    assert inlined(m.Reference("Pair"), types)
    assert not inlined(m.Reference("Nested"), types), "an extensible structure may be longer than any window"
    assert not inlined(m.Reference("List"), types)
    assert (most_bits(m.Reference("Pair"), types), leaves(m.Reference("Pair"), types)) == (1 + 4 + 2, 2)
    assert not hasattr(made, "e_Pair")
    assert hasattr(made, "e_Nested")


def test_windows_gather_neighbours_and_leave_out_what_reads_for_itself() -> None:
    number, text = m.Integer(0, (1 << 200) - 1), m.Text("IA5String", 1, 3)
    runs = windows([number, number, number, text, m.Boolean()], m.Schema())
    assert runs == [([0, 1], 400), ([2], 200), ([3], 0), ([4], 1)]


def test_the_schema_as_data_is_python_that_gives_the_schema_back() -> None:
    schema = parse(EVERYTHING)
    space: dict[str, Any] = {}
    exec(emit_data(schema), space)
    assert space["SCHEMA"] == dict(schema)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("T ::= INTEGER (1|2)", "line 2"),
        ("T ::= SET { a BOOLEAN }", "line 2"),
        ("T ::= SEQUENCE { a BOOLEAN", "line 2"),
    ],
)
def test_text_outside_the_subset_is_refused_with_its_line(text: str, line: str) -> None:
    with pytest.raises(SchemaError, match=line):
        parse(f"A DEFINITIONS AUTOMATIC TAGS ::= BEGIN\n{text}\n")


def test_a_kind_that_the_subset_lacks_is_refused_by_name() -> None:
    real = SimpleNamespace(TYPE="REAL", _typeref=None, _name="Height")
    with pytest.raises(ValueError, match="Height: REAL"):
        schema_text("A", [real], "a test")


def test_equal_tables_are_kept_once_and_others_get_another_name() -> None:
    three, two = "ENUMERATED { x(0), y(1), z(2) }", "ENUMERATED { x(0), y(1) }"
    codec = built(ALONE.format(f"T ::= SEQUENCE {{ a {three}, b {three}, c {two} }}"), "T")
    tables = [value for name, value in vars(codec).items() if name.startswith("NUMBER_OF")]
    assert sorted(map(len, tables)) == [2, 3]
    value = {"a": "x", "b": "z", "c": "y"}
    assert codec.decode(codec.encode(value)) == value
