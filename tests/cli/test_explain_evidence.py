"""`rsu explain` and `rsu evidence` over a black box and an air record that the real speaker filled."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.air_record import AirRecord, Keeping
from rsu_agent.outlets.air_store import all_lines
from rsu_agent.outlets.message_sets import MESSAGE_SETS, speech_of
from rsu_agent.outlets.site_key import public_pem
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.recording import Recording
from rsu_agent.runtime.air_witness import AirWitness
from rsu_agent.runtime.beginning import speaker_of
from rsu_agent.settings.moments import instant_of, shown, span_of
from tests.runtime.spoken import BEGINNING, Life

ROOT = Path(__file__).parents[2]
BEGAN_S = 1_790_000_000.0  # UTC of the fake clock


def rsu(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    result = rsu(*arguments, "--json")
    assert result.exit_code == exit_code, result.output
    (line,) = result.stdout.splitlines()
    value: dict[str, Any] = json.loads(line)
    return value


async def lived(state: Path, seconds: float) -> None:
    """An agent that speaks, doubts for a while, speaks again, with its black box and its air record."""
    clock = FakeClock()
    life = Life(state / "recordings", clock, BEGINNING)
    rules = MESSAGE_SETS["csae53-2020"].rules(speech_of(BEGINNING))
    keeping = Keeping(state / "air", 8, 180, "t")
    record = AirRecord(keeping, rules, {"site": "t", "version": "test"}, clock.utc_s())
    witness = AirWitness(record, life.speaking.speaker, clock, life.trust)
    life.air.ears.append(witness)
    life.speaking.spoke = witness.spoke
    async with anyio.create_task_group() as tasks:
        for each in (life.controller, life.radio, life.speaking.run):
            tasks.start_soon(each)
        for second in range(round(seconds * 10)):
            if second % 100 == 0:
                life.synchronise()
            life.silent = 600 <= second < 640
            await clock.advance(0.1)
        tasks.cancel_scope.cancel()
    record.close()
    life.recorder.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    anyio.run(lived, folder, 100.0)
    return folder


def test_an_instant_is_explained_by_report_end_and_guard(state: Path) -> None:
    value = told("explain", BEGAN_S + 50.05, "--state", state)
    assert (value["valid"], value["why"], value["site"]) == (True, None, "t")
    assert value["on_air"]["kind"] == "SPAT"
    assert value["on_air"]["age_s"] <= 0.1
    for row in value["groups"]:
        (controller,) = row["controller"]
        assert row["told"] == controller["colour"]
        assert controller["age_s"] < 0.15
        assert (controller["plan"], controller["mode"]) == (1, "fixed_time")
        assert row["ends_utc_s"] == pytest.approx(BEGAN_S + 50.05 + row["ends_in_s"], abs=0.2)


def test_in_words_no_line_is_wider_than_a_small_terminal(state: Path) -> None:
    done = rsu("explain", BEGAN_S + 50.05, "--state", state)
    assert done.exit_code == 0
    assert all(len(line) <= 40 for line in done.stdout.splitlines())
    assert "it was valid" in done.stdout
    assert "the end rests on plan 1" in re.sub(r"\s+", " ", done.stdout)
    assert "+00:00" in done.stdout.splitlines()[0] or re.search(r"[+-]\d\d:\d\d", done.stdout)


def test_a_doubt_is_explained_and_a_group_can_be_chosen(state: Path) -> None:
    value = told("explain", BEGAN_S + 61.0, "--state", state, "--group", "5")
    assert (value["valid"], value["why"]) == (False, "stale")
    assert [row["lamps"] for row in value["groups"]] == [[5]]
    assert value["groups"][0]["told"] in (None, "unavailable")
    assert told("explain", BEGAN_S + 61.0, "--state", state, "--group", "77", exit_code=2)["error"]


def test_the_picture_is_svg_with_a_row_a_group_and_letters_beside_colours(
    state: Path, tmp_path: Path
) -> None:
    path = tmp_path / "why.svg"
    assert rsu("explain", BEGAN_S + 61.0, "--state", state, "--picture", path).exit_code == 0
    root = ET.fromstring(path.read_text())
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1 (1)", "3 (5)", "on air", "controller", "camera", "held back"} <= set(texts)
    assert {"R", "G", "Y"} <= set(texts), "colours can be read without colour"
    marks = [e for e in root.iter("{http://www.w3.org/2000/svg}line") if e.get("class") == "at"]
    assert len(marks) == 1
    assert any("none" in (e.get("class") or "") for e in root.iter("{http://www.w3.org/2000/svg}rect"))


def test_another_time_than_the_recording_has_says_what_it_has(state: Path) -> None:
    value = told("explain", "2020-01-01 00:00:00Z", "--state", state, exit_code=1)
    assert value["reason"] == "not_recorded"
    assert shown(BEGAN_S)[:10] in value["error"]
    assert told("explain", "yesterday", "--state", state, exit_code=2)["reason"] == "usage"
    assert "is --state right" in told("explain", "now", "--state", state / "x", exit_code=1)["error"]
    assert told("explain", BEGAN_S + 50, "--state", state, "--message", "map", exit_code=1)["error"]


EAST8 = timezone(timedelta(hours=8))
NOW_S = datetime(2026, 11, 27, 14, 0, tzinfo=EAST8).timestamp()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now", "2026-11-27T14:00:00+08:00"),
        ("-5m", "2026-11-27T13:55:00+08:00"),
        ("-90s", "2026-11-27T13:58:30+08:00"),
        ("13:03:22", "2026-11-27T13:03:22+08:00"),
        ("14:03:22", "2026-11-26T14:03:22+08:00"),
        ("9:03", "2026-11-27T09:03:00+08:00"),
        ("13:03:22.5", "2026-11-27T13:03:22.500+08:00"),
        ("2026-11-27 13:03:22", "2026-11-27T13:03:22+08:00"),
        ("2026-11-27T05:03:22Z", "2026-11-27T13:03:22+08:00"),
        ("2026-11-27T05:03:22+00:00", "2026-11-27T13:03:22+08:00"),
        (str(int(NOW_S)), "2026-11-27T14:00:00+08:00"),
    ],
)
def test_times_are_read_as_people_type_them(text: str, at: str) -> None:
    assert instant_of(text, NOW_S, EAST8) == pytest.approx(datetime.fromisoformat(at).timestamp())


@pytest.mark.parametrize("text", ["", "soon", "25:00", "-5", "5m", "2026-13-01", "12", "14:03:99"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of Python
        instant_of(text, NOW_S, UTC)
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of Python
        span_of("-" + text)


@pytest.fixture(scope="module")
def sealed(state: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sealed") / "accident.tar"
    site = out.parent / "site.yaml"
    site.write_text("crossing:\n  file: crossing.geojson\n")
    (out.parent / "crossing.geojson").write_text("{}")
    arguments = ["--at", BEGAN_S + 60, "--before", "20s", "--after", "20s", "--site", site]
    value = told("evidence", *arguments, "--state", state, "--out", out)
    assert value["missing"] == {}
    assert value["lines"] > 5
    return out


def test_a_sealed_file_is_good_by_its_own_key_and_by_the_sites(sealed: Path, state: Path) -> None:
    own = told("evidence", "verify", sealed)
    assert (own["good"], own["own_key"], own["faults"]) == (True, True, [])
    assert own["signed_to"]
    assert any("the key came with the file" in text for text in own["does_not_prove"])
    key = told("evidence", "verify", sealed, "--key", state / "air" / "site.pub")
    assert (key["good"], key["own_key"]) == (True, False)
    words = rsu("evidence", "verify", sealed, "--key", state / "air" / "site.pub").stdout
    assert words.startswith("GOOD")
    assert "It does not prove:" in words
    assert sealed.stat().st_mode & 0o077 == 0


def parts_of(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {entry.name: tar.extractfile(entry).read() for entry in tar}  # type: ignore[union-attr]


def rebuilt(path: Path, parts: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_changed_byte_of_any_part_is_found(
    sealed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    parts = parts_of(sealed)
    name = data.draw(st.sampled_from(sorted(parts)))
    changed = bytearray(parts[name])
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    path = rebuilt(tmp_path_factory.mktemp("changed") / "x.tar", parts | {name: bytes(changed)})
    assert told("evidence", "verify", path, exit_code=Exit.CHECK_FAILED)["faults"]


def without(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda parts: {each: data for each, data in parts.items() if not each.endswith(name)}


@pytest.mark.parametrize(
    "harm",
    [
        without("air.jsonl"),
        without("SHA256SUMS.sig"),
        without("ring.mcap"),
        without("about.json"),
        lambda parts: parts | {"evidence/more.txt": b"x"},
        lambda parts: parts | {"../../etc/passwd": b"x"},
        lambda _parts: {},
    ],
)
def test_a_part_that_is_missing_or_too_many_is_found(
    sealed: Path, tmp_path: Path, harm: Callable[[dict[str, bytes]], dict[str, bytes]]
) -> None:
    path = rebuilt(tmp_path / "x.tar", harm(parts_of(sealed)))
    value = told("evidence", "verify", path, exit_code=Exit.CHECK_FAILED)
    assert value["faults"]
    assert value["proves"] == []


def test_another_key_is_found(sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pub"
    other.write_bytes(public_pem(Ed25519PrivateKey.generate().public_key()))
    value = told("evidence", "verify", sealed, "--key", other, exit_code=Exit.CHECK_FAILED)
    assert any("another key" in fault for fault in value["faults"])
    other.write_text("no key")
    assert "no Ed25519 key" in told("evidence", "verify", sealed, "--key", other, exit_code=1)["error"]


def test_a_cut_file_or_another_one_is_no_evidence(sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    for data in (b"", b"junk" * 1000, sealed.read_bytes()[:3000]):
        path.write_bytes(data)
        assert told("evidence", "verify", path, exit_code=Exit.CHECK_FAILED)["faults"]
    assert rsu("evidence", "verify", tmp_path / "none.tar").exit_code == Exit.FAILED


def test_the_very_commands_of_the_page_check_it(sealed: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "evidence.md").read_text()
    (script,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "accident.tar").write_bytes(sealed.read_bytes())
    good = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert good.returncode == 0, good.stdout + good.stderr
    assert good.stdout.count("Signature Verified Successfully") == 2
    assert "the chain is whole" in good.stdout
    air = tmp_path / "evidence" / "air.jsonl"
    air.write_text(air.read_text().replace("green", "yellow", 1))
    rest = script.split("\n", 2)[2]
    bad = subprocess.run(
        ["bash", "-c", rest],
        cwd=tmp_path / "evidence",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "air.jsonl: FAILED" in bad.stdout
    assert "the chain is whole" not in bad.stdout


def test_it_holds_the_ring_of_these_minutes_that_explain_reads_again(sealed: Path, tmp_path: Path) -> None:
    ring = tmp_path / "ring.mcap"
    ring.write_bytes(parts_of(sealed)["evidence/ring.mcap"])
    value = told("explain", BEGAN_S + 55, ring)
    assert value["valid"] is True
    assert value["groups"]
    with Recording(ring) as opened:
        assert {entry.topic for entry in opened.entries()} >= {"/report", "/air", "/spat", "/begun"}


def test_minutes_that_nobody_recorded_cannot_be_sealed(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.tar"
    arguments = ["--at", "2020-01-01 00:00:00Z", "--state", state, "--out", out]
    assert told("evidence", *arguments, exit_code=1)["reason"] == "not_recorded"
    assert not out.exists()
    assert told("evidence", exit_code=2)["reason"] == "usage"
    no_key = told("evidence", "--at", "now", "--state", tmp_path, "--out", out, exit_code=1)
    assert "--signing-key" in no_key["error"]


def test_the_air_record_tells_changes_and_no_more(state: Path) -> None:
    air = [json.loads(line) for line in all_lines(state / "air")]
    changes = [each for each in air if each["k"] == "air"]
    assert 10 < len(changes) < 60, "100 s of two groups in a cycle of 20 s"
    assert any(each.get("why") == "stale" and not each["valid"] for each in changes)
    for each in changes:
        if each["valid"]:
            assert each["guard"] == "pass"
            assert set(each["told"].values()) <= {"green", "green_flash", "yellow", "red"}
            assert each["report_age_s"] < 0.35
    assert any(each["k"] == "clock" and each["trusted"] for each in air)
    assert speaker_of(BEGINNING, Counts()).frames.kind == "SPAT"
