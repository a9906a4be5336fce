"""From what a technician pastes to what he reads: finding the bytes, the set, the meaning."""

from __future__ import annotations

import base64

import pytest

from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.csae53.schema import SCHEMA
from rsu_agent.messages.dsrc import codec as dsrc
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.generator.model import Reference
from rsu_agent.messages.j2735 import frame
from rsu_agent.messages.pasted import candidates
from rsu_agent.messages.recognise import recognise
from rsu_agent.messages.show import lines, plain
from rsu_agent.wire.uper import Malformed

SPAT = {
    "msgCnt": 5,
    "moy": 300_000,
    "intersections": [
        {
            "intersectionId": {"id": 12},
            "status": (b"\x04\x01", 16),
            "phases": [
                {
                    "id": 1,
                    "phaseStates": [
                        {"light": "red", "timing": ("counting", {"startTime": 0, "likelyEndTime": 125})}
                    ],
                }
            ],
        }
    ],
}
RAW = csae53.encode(("spatFrame", SPAT))
ROAD = {
    "intersections": [
        {
            "id": {"id": 12},
            "revision": 1,
            "status": (b"\0\0", 16),
            "states": [
                {
                    "signalGroup": 1,
                    "state-time-speed": [{"eventState": "dark", "timing": {"minEndTime": 36_005}}],
                }
            ],
        }
    ]
}


@pytest.mark.parametrize(
    "text",
    [
        RAW.hex(),
        RAW.hex().upper(),
        RAW.hex(" "),
        RAW.hex(":"),
        "0x" + RAW.hex(),
        ", ".join(f"0x{byte:02x}" for byte in RAW),
        f"2026-11-25 20:03:09.123 INFO rsu.tx[4021] SPAT len={len(RAW)} data={RAW.hex()} ok",
        f"[20:03:09] tx {base64.b64encode(RAW).decode()}",
        f"Version=0.7\nType=SPAT\nPSID=0x8002\nPriority=7\nPayload={RAW.hex().upper()}\n",
    ],
)
def test_the_bytes_are_found_in_whatever_is_pasted(text: str) -> None:
    assert RAW in candidates(text)


def test_a_time_of_day_right_before_the_bytes_is_no_part_of_them() -> None:
    assert candidates(f"20:03:09 {RAW.hex()}")[0] == RAW
    groups = RAW.hex(" ", 4)
    assert candidates(groups)[0] == RAW


def test_a_line_without_a_message_holds_none() -> None:
    assert candidates("no bytes at all here") == []


@pytest.mark.parametrize(
    ("raw", "standard", "name"),
    [
        (RAW, "csae53", "SPAT"),
        (frame.encode(("SPAT", ROAD), Edition.J2735_2024), "j2735", "SPAT"),
        (bytes.fromhex("020400000001") + dsrc.encode(ROAD, "SPAT"), "etsi", "SPATEM"),
        (bytes.fromhex("001402aabb"), "j2735", "BasicSafetyMessage"),
        (bytes.fromhex("8004000b0155"), "csae53", "phase 2, id 11 (RSC)"),
    ],
)
def test_the_set_is_guessed_from_the_bytes(raw: bytes, standard: str, name: str) -> None:
    read = recognise(raw)
    assert (read.standard, read.name) == (standard, name)


def test_a_time_mark_beyond_the_edition_is_told_and_not_refused() -> None:
    read = recognise(frame.encode(("SPAT", ROAD), Edition.J2735_2024))
    assert any("minEndTime: 36005 not in 0..36001" in note for note in read.notes)


def test_the_version_of_2017_is_refused_by_name_and_yd_t_3709_is_another_name() -> None:
    with pytest.raises(Malformed, match="53-2017 has other bits"):
        recognise(RAW, "csae53-2017")
    assert recognise(RAW, "ydt3709").value == SPAT


def test_bytes_after_a_message_are_another_thing_and_bits_are_told() -> None:
    with pytest.raises(Malformed, match="ends 2 bytes before"):
        recognise(RAW + b"\0\0", "csae53")
    dirty = RAW[:-1] + bytes([RAW[-1] | 1])
    assert recognise(dirty, "csae53").notes == ("the last 5 bits are padding and not zero",)


def test_bytes_of_no_set_say_what_was_tried() -> None:
    with pytest.raises(Malformed, match=r"etsi: .*j2735: .*csae53: "):
        recognise(b"\xff\xff\xff\xff")


def test_json_names_bits_and_people_read_units() -> None:
    shown = plain(Reference("SPAT"), SPAT, SCHEMA)
    assert shown["intersections"][0]["status"] == ["fixedTimeOperation", "15"]
    assert shown["intersections"][0]["phases"][0]["phaseStates"][0]["timing"] == {
        "counting": {"startTime": 0, "likelyEndTime": 125}
    }
    tree = [f"{name}: {text}" for _, name, text in lines("SPAT", Reference("SPAT"), SPAT, SCHEMA)]
    assert "moy: 300000  (day 209 of the year, 08:00 UTC)" in tree
    assert "likelyEndTime: 125  (12.5 s)" in tree
    assert "status: fixedTimeOperation, 15" in tree


def test_what_a_later_version_added_is_shown_as_such() -> None:
    value = {**SPAT, "...": [b"\x01\x02", None]}
    assert csae53.decode(csae53.encode(("spatFrame", value))) == ("spatFrame", value)
    assert plain(Reference("SPAT"), value, SCHEMA)["..."] == ["0102", None]
    tree = list(lines("SPAT", Reference("SPAT"), value, SCHEMA))
    assert (1, "...", "2 additions of a later version") in tree
