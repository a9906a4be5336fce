"""Parquet: one line of pandas or pyarrow reads it, nothing is dropped, a file appears when it is whole."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.district.export import columns_of, export, table_of_facts
from rsu_agent.district.facts import utc
from rsu_agent.district.reading import Fact, open_reader
from rsu_agent.outlets.summary_kinds import KINDS
from tests.district.made import NOW_US
from tests.district.stored import MINUTE_US, content, sink_at

pytestmark = pytest.mark.anyio
TODAY = utc(NOW_US).date()
SPAN = TODAY - timedelta(days=1), TODAY


async def test_what_is_written_is_read_back_in_one_line(database: str, tmp_path: Path) -> None:
    async with sink_at(database) as sink:
        await sink.take(content(), NOW_US)
    reader = open_reader(database)
    steps = [step async for step in export(reader, tmp_path / "out", *SPAN)]
    await reader.aclose()
    assert steps[-1][0] == steps[-1][1], "the bar ends at its end"
    flow = pq.read_table(tmp_path / "out" / "flow")
    assert flow.num_rows == 30
    assert flow.schema.field("t").type.tz == "UTC"
    row = flow.sort_by("seq").to_pylist()[0]
    assert (row["site"], row["ln"], row["o"], row["v"]) == ("site-1", 3, 0.25, None)
    assert row["t"] == utc(NOW_US - MINUTE_US)
    assert json.loads(row["n"]) == {"car": 4}
    assert json.loads(row["more"]) == {"odd": [1]}
    assert pq.read_table(tmp_path / "out" / "event").num_rows == 2
    assert steps[-1][2] == sum(pq.read_table(folder).num_rows for folder in (tmp_path / "out").iterdir())
    assert not list((tmp_path / "out").rglob("*.half"))


async def test_only_the_kinds_and_days_asked_for_are_written(tmp_path: Path) -> None:
    address = str(tmp_path / "district.sqlite")
    async with sink_at(address) as sink:
        await sink.take(content(), NOW_US)
    reader = open_reader(address)
    long_ago = TODAY - timedelta(days=9)
    assert [rows async for _, _, rows in export(reader, tmp_path / "none", long_ago, long_ago)] == [0]
    async for _ in export(reader, tmp_path / "out", *SPAN, ["health"]):
        pass
    await reader.aclose()
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == ["health"]


def test_every_field_of_the_manifest_has_a_column_but_those_that_all_have() -> None:
    for kind in KINDS:
        fields = {field.key for field in kind.fields} - {"t"}
        assert {key for key, _, _ in columns_of(kind.kind)} == fields, kind.kind


VALUE = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64))
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


@given(st.dictionaries(st.sampled_from(["t", "d", "ln", "n", "v", "o", "mv", "zz"]), VALUE | st.lists(VALUE)))
def test_no_value_is_dropped_whatever_its_type(body: dict[str, object]) -> None:
    fact = Fact("a", 1, "lo", 1, 0, "flow", 5, 6, {"k": "flow"} | body)
    [row] = table_of_facts("flow", [fact]).to_pylist()
    more = json.loads(row["more"] or "{}")
    for key, value in body.items():
        if key == "t":
            assert value == 5 or more["t"] == value
        elif value is not None:
            kept = more[key] if key in more else row[key]
            assert kept == value
