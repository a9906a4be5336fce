"""Rows: the annotation is the layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.wire.rows import F32, I16, U8, U16, U32, Layout, TooShort


@dataclass(frozen=True, slots=True)
class Sample:
    kind: U8
    offset: I16
    count: U32
    tail: Annotated[bytes, "3s"]


@dataclass(frozen=True, slots=True)
class Unlaid:
    number: int


def test_fields_stand_without_gaps_in_the_order_of_the_class() -> None:
    assert Layout(Sample, ">").read(bytes.fromhex("01fffe00000010616263")) == Sample(1, -2, 16, b"abc")
    assert Layout(Sample, "<").write(Sample(1, -2, 16, b"abc")).hex() == "01feff10000000616263"
    assert Layout(Sample, "<").size == 10


@given(
    st.integers(0, 255),
    st.integers(-32768, 32767),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=3, max_size=3),
)
def test_what_is_written_is_read_back(kind: int, offset: int, count: int, tail: bytes) -> None:
    layout, row = Layout(Sample, ">"), Sample(kind, offset, count, tail)
    assert layout.read(b"xx" + layout.write(row), 2) == row


def test_too_few_bytes_name_the_row_the_offset_and_the_size() -> None:
    with pytest.raises(TooShort, match="Sample at byte 4 needs 10, has 2"):
        Layout(Sample, ">").read(bytes(6), 4)


def test_a_table_is_read_only_when_its_rows_are_whole() -> None:
    layout = Layout(Sample, "<")
    assert len(layout.read_all(bytes(30))) == 3
    with pytest.raises(TooShort, match="31 bytes"):
        layout.read_all(bytes(31))


def test_a_value_out_of_range_is_refused_and_so_is_a_field_without_a_layout() -> None:
    with pytest.raises(struct.error):
        Layout(Sample, ">").write(Sample(256, 0, 0, b"abc"))
    with pytest.raises(TypeError, match=r"Unlaid\.number"):
        Layout(Unlaid, ">")


def test_floats_and_shorts_have_the_sizes_of_the_wire() -> None:
    @dataclass(frozen=True, slots=True)
    class Pair:
        value: F32
        unit: U16

    Pair.__annotations__ = {"value": F32, "unit": U16}
    assert Layout(Pair, "<").size == 6
