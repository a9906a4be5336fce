"""Replay gives the bytes that left, finds one that did not, and says what it cannot know."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import pytest

from rsu_agent.messages.csae53 import codec
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.recording import Entry, read_recording, segments
from rsu_agent.runtime.recorded import summary
from rsu_agent.runtime.replay import KINDS, Replay, check, first_difference
from tests.runtime.spoken import IN_AMERICA, IN_EUROPE, live

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    folder = tmp_path_factory.mktemp("ring")
    return folder, await live(folder, FakeClock(), 160.0)


@pytest.fixture
def entries(lived: tuple[Path, list[bytes]]) -> list[Entry]:
    return list(read_recording(lived[0]))


def spats(entries: list[Entry]) -> list[int]:
    return [n for n, e in enumerate(entries) if e.topic == "/air" and e.value["kind"] == "SPAT"]


def tampered(entry: Entry) -> Entry:
    """The same datagram with one announced end a tenth later."""
    name, value = codec.decode(base64.b64decode(entry.value["data"]))
    timing = value["intersections"][0]["phases"][0]["phaseStates"][0]["timing"][1]
    timing["likelyEndTime"] += 1
    timing["maxEndTime"] = max(timing["maxEndTime"], timing["likelyEndTime"])
    data = base64.b64encode(codec.encode((name, value))).decode()
    return dataclasses.replace(entry, value={**entry.value, "data": data})


def timed(entries: list[Entry]) -> int:
    """A datagram late in the recording that announces an end, with others after it."""
    for n in reversed(spats(entries)[:-20]):
        value = codec.decode(base64.b64decode(entries[n].value["data"]))[1]
        if "timing" in value["intersections"][0]["phases"][0]["phaseStates"][0]:
            return n
    raise AssertionError("no end was announced")


@pytest.mark.parametrize("beginning", [IN_EUROPE, IN_AMERICA])
async def test_replay_gives_the_bytes_of_the_other_sets_too(beginning: dict, tmp_path: Path) -> None:
    sent = await live(tmp_path, FakeClock(), 100.0, beginning)
    entries = list(read_recording(tmp_path))
    checked = check(entries)
    assert checked.different == 0, checked.differences[:3]
    assert checked.equal == checked.compared
    assert checked.compared >= len(sent) > 500
    broken = next(
        n for n, e in enumerate(entries) if n > 2000 and e.topic == "/air" and e.value["kind"] in KINDS
    )
    data = bytearray(base64.b64decode(entries[broken].value["data"]))
    data[-1] ^= 0x40
    told = {**entries[broken].value, "data": base64.b64encode(bytes(data)).decode()}
    entries[broken] = dataclasses.replace(entries[broken], value=told)
    (difference,) = check(entries).differences
    assert difference.recorded != difference.replayed


async def test_every_datagram_is_given_again_byte_for_byte_through_every_kind_of_doubt(
    lived: tuple[Path, list[bytes]], entries: list[Entry]
) -> None:
    checked = check(entries)
    assert checked.different == 0, checked.differences[:3]
    assert checked.equal == checked.compared == len(spats(entries))
    sent = [e for e in entries if e.topic == "/air" and e.value["sent"]]
    assert [base64.b64decode(e.value["data"]) for e in sent] == lived[1]
    assert not checked.not_compared
    reasons = {e.value["reason"] for e in entries if e.topic == "/spat"}
    assert {None, "no_report", "last_word", "line_lost"} <= reasons, "else this recording proves little"
    assert {True, False} == {e.value["utc_s"] is None for e in entries if e.topic == "/spat"}
    held = summary(entries)["held"]["SPAT"]
    assert held["refused"] == 1
    assert held["no_radio"] >= 1


async def test_one_datagram_tampered_with_is_found_and_its_field_named(entries: list[Entry]) -> None:
    at = timed(entries)
    entries[at] = tampered(entries[at])
    checked = check(entries)
    assert (checked.different, checked.equal) == (1, len(spats(entries)) - 1)
    found = checked.differences[0]
    assert found.where.startswith("intersections[0].phases[0].phaseStates[0].timing.counting.")
    assert found.recorded != found.replayed
    assert found.at_s == pytest.approx(entries[at].at_s)


async def test_a_datagram_left_out_or_added_is_found(entries: list[Entry]) -> None:
    at = timed(entries)
    missing = check(entries[:at] + entries[at + 1 :])
    assert [(d.where, d.recorded, d.replayed) for d in missing.differences] == [("sent", "nothing", "sent")]
    twice = check([*entries[: at + 1], entries[at], *entries[at + 1 :]])
    assert [(d.where, d.recorded, d.replayed) for d in twice.differences] == [("sent", "sent", "nothing")]


async def test_an_evidence_left_out_is_not_passed_over(entries: list[Entry]) -> None:
    at = next(n for n, e in enumerate(entries) if e.topic == "/doubt")
    assert check(entries[:at] + entries[at + 1 :]).different > 0


async def test_what_was_said_before_a_forgotten_beginning_is_not_compared(entries: list[Entry]) -> None:
    checked = check(entries[1:])
    assert (checked.compared, checked.starts) == (0, 0)
    assert checked.not_compared == {"beginning_forgotten": len(spats(entries))}


async def test_after_missing_entries_nothing_is_compared_until_the_agents_next_start(
    entries: list[Entry],
) -> None:
    half = spats(entries)[len(spats(entries)) // 2] + 1
    gap = Entry("/dropped", entries[half].at_s, {"count": 3})
    checked = check([*entries[:half], gap, *entries[half:], *entries])
    everything = len(spats(entries))
    assert checked.different == 0
    assert checked.starts == 2
    assert checked.not_compared["entries_missing"] > 0
    assert checked.compared + checked.not_compared.total() == 2 * everything
    assert checked.compared > everything


async def test_a_recording_of_another_version_is_not_compared(entries: list[Entry]) -> None:
    start = dataclasses.replace(entries[0], value={**entries[0].value, "nouns": "Scene(x)"})
    assert check([start, *entries[1:]]).not_compared == {"other_version": len(spats(entries))}


@pytest.mark.parametrize("topic", ["/spat", "/report", "/programme", "/doubt", "/start", "/air", "/copy"])
async def test_entries_that_make_no_sense_never_raise_and_never_count_as_equal(
    entries: list[Entry], topic: str
) -> None:
    replay = Replay()
    for entry in entries[:40]:
        replay.feed(entry)
    replay.feed(Entry(topic, 0.0, {"noun": "////", "kind": "SPAT", "sent": True, "data": "é"}))
    for entry in entries[40:]:
        replay.feed(entry)
    checked = replay.end()
    assert checked.not_compared["not_understood"] > 0
    assert checked.different == 0


async def test_a_torn_ring_is_checked_to_its_tear(lived: tuple[Path, list[bytes]], tmp_path: Path) -> None:
    whole = segments(lived[0])[0].read_bytes()
    torn = tmp_path / "torn.mcap"
    torn.write_bytes(whole[: len(whole) // 2])
    told = list(read_recording(torn))
    assert told[-1].topic == "/torn"
    checked = check(told)
    assert checked.equal > 100
    assert checked.different == 0
    assert [tear["file"] for tear in checked.torn] == ["torn.mcap"]


async def test_two_lives_in_one_ring_are_both_compared(tmp_path: Path) -> None:
    clock = FakeClock()
    heard = await live(tmp_path, clock, 24.0) + await live(tmp_path, clock, 24.0)
    checked = check(read_recording(tmp_path))
    assert (checked.starts, checked.different) == (2, 0), checked.differences[:2]
    assert checked.equal >= len(heard)


def test_bytes_that_are_no_frame_are_told_as_digits() -> None:
    where, ours, theirs = first_difference((True, b"\xff\xff"), (True, b"\x00"))
    assert where.startswith("bytes")
    assert (ours, theirs) == ("ffff", "00")
