"""What each set gives the outlets: counted frames, MAPs made once a minute, a DENM's whole life."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.bench.crossing import site
from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.csae53.frames import CsaeMap
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.dsrc import codec as dsrc
from rsu_agent.messages.dsrc import layered
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.etsi.frames import CANCEL_S, EtsiRoad, etsi_map
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.settings.speech import speech
from rsu_agent.wire.counter import counted, place
from rsu_agent.wire.its_time import its_ms
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint

UTC_S = 1_790_000_000.0
ORIGIN = GeoPoint(22.69, 114.34)


@pytest.mark.parametrize("standard", sorted(MESSAGE_SETS))
def test_the_ready_made_frame_is_counted_in_place_and_changes_in_nothing_else(standard: str) -> None:
    said = replace(speech(site().settings, site().crossing), standard=standard)
    spat = MESSAGE_SETS[standard].spat(said, Counts())
    ready = spat.ready
    first, second = spat.unavailable(), spat.unavailable()
    if ready.bits_behind is None:
        assert first == second == ready.frame
        return
    assert counted(ready.frame, ready.bits_behind, 77) != ready.frame
    assert counted(counted(ready.frame, ready.bits_behind, 77), ready.bits_behind, 0) == ready.frame
    assert (first == second) == (not ready.every_frame)
    assert spat.count == (1 if ready.every_frame else 0)


def test_a_count_that_is_not_alone_in_differing_is_no_count() -> None:
    with pytest.raises(ValueError, match="more than the last bit"):
        place(b"\x00\x01", b"\x01\x02")


def test_a_csae_map_counts_every_second_and_is_what_the_encoder_gives() -> None:
    crossing, table = site().crossing, speech(site().settings, site().crossing).table
    maps = CsaeMap(crossing, table, Counts())
    sent = [maps.frames(Instant(float(n), UTC_S + n))[0] for n in range(130)]
    values = [csae53.decode(frame)[1] for frame in sent]
    assert [value["msgCnt"] for value in values] == [n % 128 for n in range(130)]
    assert [csae53.encode(("mapFrame", value)) for value in values] == sent
    minutes = [value["timeStamp"] for value in values]
    assert minutes == sorted(minutes)
    assert 3 <= len(set(minutes)) <= 4
    assert "timeStamp" not in csae53.decode(maps.frames(Instant(0.0, None))[0])[1]


def test_a_mapem_beyond_the_limit_goes_out_in_layers_with_one_revision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = etsi_map(site().crossing, 9, 7).frames(Instant(0.0, UTC_S))
    assert len(whole) == 1
    real = layered.layers
    monkeypatch.setattr(layered, "layers", lambda value, _most: real(value, 300))
    parts = [
        pdu.decode(frame)[1]["map"] for frame in etsi_map(site().crossing, 9, 7).frames(Instant(0.0, UTC_S))
    ]
    assert [part["layerID"] for part in parts] == list(range(1, len(parts) + 1))
    assert {part["msgIssueRevision"] for part in parts} == {9}
    lanes = [lane["laneID"] for part in parts for lane in part["intersections"][0]["laneSet"]]
    alone = pdu.decode(whole[0])[1]["map"]["intersections"][0]["laneSet"]
    assert sorted(lanes) == sorted(lane["laneID"] for lane in alone)
    assert all(len(dsrc.encode(part, "MapData")) <= 300 for part in parts)


def hazard(number: int = 3, x: float = 5.0) -> Hazard:
    return Hazard(number, HazardKind.WRONG_WAY, 98.0, None, x, -7.0, 1, 4, 90.0, "seen")


def denms(road: EtsiRoad, hazards: list[Hazard], now_s: float, utc_s: float | None = UTC_S) -> list[dict]:
    instant = Instant(now_s, None if utc_s is None else utc_s + now_s - 100.0)
    return [pdu.decode(frame)[1]["denm"] for _, frame in road.hazards(hazards, instant)]


def test_a_denm_is_repeated_while_its_hazard_lasts_and_updated_when_it_moves() -> None:
    road = EtsiRoad(ORIGIN, 7)
    (first,) = denms(road, [hazard()], 100.0)
    (again,) = denms(road, [hazard()], 101.0)
    assert again == first, "a repetition has the reference time of what it repeats"
    (moved,) = denms(road, [hazard(x=8.0)], 102.0)
    assert moved["management"]["actionID"] == first["management"]["actionID"]
    assert moved["management"]["detectionTime"] == first["management"]["detectionTime"] == its_ms(UTC_S - 2.0)
    assert moved["management"]["referenceTime"] == its_ms(UTC_S + 2.0)


def test_the_end_of_a_hazard_cancels_it_for_some_seconds_and_is_then_forgotten() -> None:
    road = EtsiRoad(ORIGIN, 7)
    denms(road, [hazard()], 100.0)
    (over,) = denms(road, [], 101.0)
    assert over["management"]["termination"] == "isCancellation"
    assert "situation" not in over
    assert denms(road, [], 101.0 + CANCEL_S) == [over]
    assert denms(road, [], 101.1 + CANCEL_S) == []
    assert denms(road, [], 110.0) == []


def test_without_a_trusted_clock_no_denm_is_sent_and_the_end_is_told_later() -> None:
    road = EtsiRoad(ORIGIN, 7)
    denms(road, [hazard()], 100.0)
    assert denms(road, [hazard()], 101.0, utc_s=None) == []
    assert denms(road, [], 102.0, utc_s=None) == []
    (over,) = denms(road, [], 103.0)
    assert "termination" in over["management"]
