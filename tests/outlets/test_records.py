"""The table of kinds against what the program makes, the published schemas, and earlier releases."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rsu_agent.cli.protocol_pages import file_name, manifest, records_page
from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.summary_kinds import BY_NAME, KINDS, LANE_OF, LIVE, Field, Kind, faults
from rsu_agent.ports.envelope import LANES, unpack_envelope
from tests.outlets.make_golden import GOLDEN, OF_OTHERS, one_of_each
from tests.outlets.record_makers import ROOT, Record, made_by_the_summary, made_of_the_air

SCHEMAS = ROOT / "docs" / "protocol" / "schemas"
PROGRAM = ROOT / "rsu_agent"
RELEASES = sorted(path.name for path in GOLDEN.iterdir())
BY_THE_OUTBOX = {"gap", "birth"}  # written where a file is full or begins: tests of the outbox


@pytest.fixture(scope="module")
def made() -> list[Record]:
    return [*made_by_the_summary(), *made_of_the_air()]


def schema(kind: str) -> Any:
    return json.loads((SCHEMAS / f"{kind}.json").read_text())


def test_every_record_of_a_simulated_crossing_is_as_its_published_schema_says(made: list[Record]) -> None:
    checks = {kind.kind: jsonschema.Draft202012Validator(schema(kind.kind)) for kind in KINDS}
    for record in made:
        checks[record["k"]].validate(record)
        assert faults(record) == []


def test_the_summary_makes_every_kind_that_is_its_own(made: list[Record]) -> None:
    own = {kind.kind for kind in KINDS if kind.writer.startswith("outlets/summary")}
    assert {record["k"] for record in made} == own


def test_a_movement_has_speed_delay_and_stops_of_its_own(made: list[Record]) -> None:
    (move,) = [record for record in made if record["k"] == "move"]
    assert (move["to"], move["n"], move["dn"], move["st"]) == ("through", {"car": 1}, 1, 0.0)
    assert move["v"] == pytest.approx(8.0, abs=0.1)
    assert 0.0 <= move["dl"] < 4.0


@pytest.mark.parametrize("kind", [k for k in KINDS if k.kind not in BY_THE_OUTBOX], ids=lambda k: k.kind)
def test_a_kind_has_a_lane_that_exists_and_a_writer_that_writes_it(kind: Kind) -> None:
    assert kind.lane in LANES
    assert f'"k": "{kind.kind}"' in (PROGRAM / f"{kind.writer}.py").read_text()


@pytest.mark.parametrize("kind", [*KINDS, *LIVE], ids=file_name)
def test_a_kind_says_in_both_languages_what_it_is_for_and_how_long_it_is_kept(kind: Kind) -> None:
    published = schema(file_name(kind))
    jsonschema.Draft202012Validator.check_schema(published)
    assert published["x-retention-days"] == {"edge": kind.edge_days, "district": kind.district_days}
    assert (kind.edge_days == kind.district_days == 0) is (kind.lane == "live")
    rows = [row for row in manifest() if (row["kind"], row["lane"]) == (kind.kind, kind.lane)]
    assert {row["field"] for row in rows} >= {field.key for field in kind.fields}
    assert all(row["purpose"] and row["meaning"] and re.search(r"[\u4e00-\u9fff]", row["zh"]) for row in rows)
    assert f"## `{kind.kind}`" in records_page()


def test_no_field_of_any_kind_could_hold_a_picture_a_plate_or_a_face() -> None:
    words = re.compile(r"plate|face|picture|image|photo|vin\b|licen[cs]e", re.IGNORECASE)
    told = {(row["kind"], row["field"]) for row in manifest() if words.search(row["meaning"])}
    assert told == {("still", "p")}, "a count of pictures; its meaning names them"
    assert BY_NAME["still"].fields[4].holds == "int"


SPOILT: dict[str, tuple[Record, str]] = {
    "unknown field": ({"plate": "x"}, "plate: not declared"),
    "wrong type": ({"up": "1"}, "up: '1' is no int"),
    "true is no number": ({"up": True}, "up: True is no int"),
    "below its bound": ({"ok": -1}, "ok: -1 is out of bounds"),
    "null where a number must be": ({"ok": None}, "ok: None is no int"),
    "beyond what SQLite holds": ({"t": 1 << 63}, f"t: {1 << 63} is no int"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_not_as_declared_is_told_and_the_schema_refuses_it_too(case: str) -> None:
    change, fault = SPOILT[case]
    record = {"k": "hb", "t": 1, "up": 3, "ok": 2} | change
    assert faults(record) == [fault]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema("hb")).validate(record)


def test_an_absent_field_and_an_unknown_kind_are_told() -> None:
    assert faults({"k": "hb", "t": 1, "up": 3}) == ["ok: missing"]
    assert faults({"k": "tea", "t": 1}) == ["an unknown kind"]


def test_the_gap_record_of_a_full_outbox_has_the_fields_of_its_kind(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1 << 17)
    for n in range(4000):
        assert outbox.append({"k": "phase", "g": n, "c": "red" * 20, "t": n}, "lo")
    outbox.close()
    assert read_numbers(tmp_path)["lo"]["dropped"] > 0
    outbox = Outbox(tmp_path, 1 << 20)
    rows = outbox.after("lo", 0, 10_000)
    outbox.close()
    gaps = [record for _, records in rows for record in records if record["k"] == "gap"]
    assert gaps
    assert [fault for gap in gaps for fault in faults(gap)] == []


def golden_records(release: str) -> list[Record]:
    return [json.loads(line) for line in (GOLDEN / release / "records.jsonl").read_text().splitlines()]


def test_the_samples_of_a_release_are_made_of_every_kind_and_as_declared() -> None:
    samples = list(one_of_each())
    assert {record["k"] for record in samples} == set(LANE_OF)
    assert [(r["k"], fault) for r in [*samples, *OF_OTHERS] for fault in faults(r)] == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("form", ["plain", "zstd"])
def test_the_bytes_of_every_release_are_read_today(release: str, form: str) -> None:
    data = bytes.fromhex((GOLDEN / release / f"envelope-{form}.hex").read_text())
    assert (data[:4] == b"\x28\xb5\x2f\xfd") is (form == "zstd")
    envelope = unpack_envelope(data)
    records = golden_records(release)
    assert list(envelope.records) == (records if form == "zstd" else records[-1:])
    assert (envelope.site, envelope.epoch, envelope.lane) == ("szps-001", 0x1122334455667788, "lo")


@pytest.mark.parametrize("release", RELEASES)
def test_a_record_of_every_release_is_as_todays_schema_says(release: str) -> None:
    assert [(r["k"], fault) for r in golden_records(release) for fault in faults(r)] == []


@pytest.mark.parametrize("release", RELEASES)
def test_todays_record_without_new_fields_is_as_every_releases_schema_says(release: str) -> None:
    for record in one_of_each():
        path = GOLDEN / release / f"{record['k']}.schema.json"
        if not path.exists():
            continue  # a kind that came later: an old reader stores it raw
        old = json.loads(path.read_text())
        known = {key: value for key, value in record.items() if key in old["properties"]}
        jsonschema.Draft202012Validator(old).validate(known)


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_that_a_release_had_is_gone_or_means_something_else(release: str) -> None:
    for path in (GOLDEN / release).glob("*.schema.json"):
        old = json.loads(path.read_text())
        now = schema(old["title"])
        assert old["x-version"] <= now["x-version"]
        for key, told in old["properties"].items():
            assert now["properties"][key].get("type") == told.get("type"), f"{old['title']}.{key}"
            assert now["properties"][key].get("x-unit") == told.get("x-unit"), f"{old['title']}.{key}"
        assert set(now["required"]) == set(old["required"]), f"{old['title']}: new fields may be absent"


def test_fields_of_a_kind_have_names_of_their_own() -> None:
    def doubled(fields: tuple[Field, ...]) -> bool:
        return len({field.key for field in fields}) < len(fields)

    for kind in (*KINDS, *LIVE):
        assert not doubled(kind.fields), kind.kind
        assert not any(doubled(field.of) for field in kind.fields), kind.kind
