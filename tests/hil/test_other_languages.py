"""The rig's ears and scorer in the sets of Europe and America: bits put together by hand, by the facts."""

from __future__ import annotations

from typing import Any

import pytest

from hil.devices.vehicle_codec import about, decode
from hil.devices.vehicle_dsrc import unwrapped
from hil.score.bounds import BOUNDS, exempted, figure, missed, put
from hil.score.hazards import OnAir, hazards_told
from hil.score.timeline import Language, Said, lamp_truth, spats
from tests.hil.test_vehicle_codec import Bits

T0 = 1000.0
HALF_PAST = 30 * 600  # tenths
SPATEM_FACTS = bytes.fromhex(  # facts/radio.md 2.1: a whole frame that another tool has read
    "ffffffffffff020000000001894711001a0120500200002901003c000200000000013497b1380d8638204426e640800000000000"
    "000007d4000002040001e2400018800001f48100003d0903039010010467177017a21789500102180bb800"
)


def movement(bits: Bits, group: int, state: int, likely: int | None) -> None:
    """MovementState with one event (facts/messages.md 3, ISO/TS 19091): no name, no assistance, no speeds."""
    bits.put((0, 1), (0b000, 3), (group, 8), (0, 4))
    bits.put((0, 1), (likely is not None, 1), (0b00, 2), (state, 4))
    if likely is not None:
        bits.put((0b00100, 5), (likely, 16), (likely, 16))  # minEndTime is always there, then likelyTime


def spat(movements: list[tuple[int, int, int | None]], stamp: tuple[int, int] | None) -> bytes:
    """SPAT of one intersection, region 0 node 12."""
    bits = Bits().put((0, 1), (stamp is not None, 1), (0b00, 2))
    if stamp:
        bits.put((stamp[0], 20))
    bits.put((0, 5), (0, 1), (0b0, 1), (stamp is not None, 1), (stamp is not None, 1), (0b000, 3))
    bits.put((1, 1), (0, 16), (12, 16), (5, 7), (0, 16))
    if stamp:
        bits.put((stamp[0], 20), (stamp[1], 16))
    bits.put((len(movements) - 1, 8))
    for group, state, likely in movements:
        movement(bits, group, state, likely)
    return bits.data


def framed(body: bytes) -> bytes:
    """In a MessageFrame of J2735."""
    length = bytes([len(body)]) if len(body) < 128 else (0x8000 | len(body)).to_bytes(2, "big")
    return b"\x00\x13" + length + body


def test_the_frame_of_the_facts_is_heard_as_the_spat_that_it_is() -> None:
    kind, value = decode(SPATEM_FACTS, "etsi")
    assert kind == "SPAT"
    assert value["intersections"][0]["id"] == {"region": 0, "id": 1001}
    assert unwrapped(SPATEM_FACTS)[0] == about(SPATEM_FACTS, "etsi") == 2004


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:20],
        lambda data: data[:-1],
        lambda data: data[:12] + b"\x08\x00" + data[14:],
        lambda data: data[:14] + b"\x12" + data[15:],
        lambda data: data[:19] + b"\x51" + data[20:],
        lambda data: data[:-37] + b"\x02\x06" + data[-35:],
        lambda _data: b"",
    ],
)
def test_what_is_no_frame_of_europe_is_not_understood(change: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(change(SPATEM_FACTS), "etsi")


def test_a_frame_of_america_is_heard_with_marks_beyond_the_european_ones() -> None:
    kind, value = decode(framed(spat([(1, 3, 36_111)], None)), "j2735")
    event = value["intersections"][0]["states"][0]["state-time-speed"][0]
    assert (kind, event) == (
        "SPAT",
        {"eventState": "stop-And-Remain", "timing": {"minEndTime": 36_111, "likelyTime": 36_111}},
    )
    long = framed(spat([(group, 3, 5) for group in range(1, 40)], (7, 8)))
    assert len(decode(long, "j2735")[1]["intersections"][0]["states"]) == 39
    for broken in (b"", b"\x00\x14\x01\x00", long[:-1], framed(b"\xff" * 4)):
        with pytest.raises(ValueError, match=r"."):
            decode(broken, "j2735")
    assert {about(long, "j2735"), about(b"\x00\x12\x00", "j2735")} == {0x13, 0x12}


LANGUAGE = Language({}, "j2735", walks=frozenset({9}), ways=frozenset({1, 2}))


def heard(movements: list[tuple[int, int, int | None]], stamp: tuple[int, int] | None) -> dict[int, Said]:
    language = Language({n: [n] for n in (1, 2, 9, 30)}, "j2735", LANGUAGE.walks, LANGUAGE.ways)
    (only,) = spats([(T0, *decode(framed(spat(movements, stamp)), "j2735"))], language)
    return only.groups


def test_states_become_the_scorers_words_and_a_walk_has_its_own_clearance() -> None:
    said = heard([(1, 6, None), (2, 8, None), (9, 8, None)], None)
    assert said == {
        1: Said("protected-green", None),
        2: Said("yellow", None),
        9: Said("flashing-green", None),
        30: Said("unavailable", None),
    }


def test_a_mark_is_reckoned_from_the_messages_own_time_and_over_the_hour() -> None:
    moy = 5 * 60 + 30
    assert heard([(1, 3, HALF_PAST + 55)], (moy, 250))[1].likely_s == pytest.approx(5.25)
    late = 5 * 60 + 59
    assert heard([(1, 3, 20)], (late, 59_500))[1].likely_s == pytest.approx(2.5)
    assert heard([(1, 3, 36_111)], (moy, 0))[1].likely_s is None
    assert heard([(1, 3, HALF_PAST)], None)[1].likely_s is None, (
        "without a time of its own a mark says nothing"
    )


def test_of_a_vehicles_lamp_green_and_its_flash_are_one_and_groups_outside_the_map_are_left_out() -> None:
    lamps = [
        {"t": T0 + n, "group": group, "colour": colour}
        for group in (1, 9, 30)
        for n, colour in enumerate(("green", "green_flash", "yellow"))
    ]
    truth = lamp_truth(lamps, LANGUAGE)
    assert truth[1].colours == ["green", "yellow"]
    assert truth[9].colours == ["green", "green_flash", "yellow"]
    assert 30 not in truth
    assert lamp_truth(lamps)[30].colours == ["green", "green_flash", "yellow"]


def denm(code: int, *, over: bool = False) -> dict[str, Any]:
    management: dict[str, Any] = {"termination": "isCancellation"} if over else {}
    return {"management": management, "situation": {"eventType": {"causeCode": code, "subCauseCode": 0}}}


def test_a_hazard_is_on_air_by_its_denm_and_a_cancellation_is_no_warning() -> None:
    told = hazards_told([(T0 + 1, "DENM", denm(14)), (T0 + 2, "DENM", denm(94, over=True)), (T0, "SPAT", {})])
    assert told == [(T0 + 1, {14})]
    on_air = OnAir("etsi", [], told)
    assert on_air.has({"kind": "wrong_way", "t": T0})
    assert not on_air.has({"kind": "wrong_way", "t": T0 + 5})
    assert not on_air.has({"kind": "stopped_vehicle", "t": T0})
    assert OnAir("j2735", [], []).has({"kind": "wrong_way", "t": T0}), "America's set has no message for it"


@pytest.mark.parametrize("messages", ["etsi", "j2735"])
def test_figures_that_a_set_lacks_are_null_and_exempt_and_others_are_not(messages: str) -> None:
    figures: dict[str, Any] = {}
    for bound in BOUNDS:
        put(figures, bound.path, bound.most if bound.least is None else bound.least)
    figures["messages"] = messages
    exempted(figures, 60.0)
    assert figure(figures, "tracks.recall") is None
    assert figure(figures, "latency.camera_to_rsm_p95_ms") is None
    assert figure(figures, "spat.valid_share") is not None
    assert missed(figures, 60.0) == []
    put(figures, "spat.valid_share", None)
    assert missed(figures, 60.0) == ["spat.valid_share could not be measured"]
