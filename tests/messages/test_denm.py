"""DENM: every kind of hazard, its end, and what the referees read in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pycrate_asn1dir import ITS_DENM_3

from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.etsi.denm import CAUSES, denm_value
from rsu_agent.wire.its_time import its_ms
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint
from tests.messages.tshark import TSHARK, USER_0, capture, dissected, fields

ORIGIN = GeoPoint(22.69, 114.34, 30.0)
NOW_S = 1_790_000_000.25
ONSET_S = NOW_S - 1.5


def hazard(kind: HazardKind, heading: float | None = 90.0) -> Hazard:
    return Hazard(70_001, kind, 5.0, None, 10.0, -20.0, 7, 2, heading, "test")


def denm(kind: HazardKind, **more: Any) -> dict[str, Any]:
    return denm_value(hazard(kind), 99, ORIGIN, ONSET_S, NOW_S, **more)


@pytest.mark.parametrize("kind", HazardKind)
def test_every_kind_of_hazard_has_a_cause_and_pycrate_reads_it(kind: HazardKind) -> None:
    value = denm(kind)
    raw = pdu.encode(("DENM", value))
    referee = ITS_DENM_3.DENM_PDU_Descriptions.DENM
    referee.from_uper(raw)
    assert referee.to_uper() == raw
    assert pdu.decode(raw) == ("DENM", value)
    told = value["denm"]["situation"]["eventType"]
    assert (told["causeCode"], told["subCauseCode"]) == (CAUSES[kind].code, CAUSES[kind].sub_code)


def test_the_end_names_the_same_event_and_no_cause() -> None:
    begun, over = denm(HazardKind.WRONG_WAY), denm(HazardKind.WRONG_WAY, over=True)
    assert over["denm"]["management"]["actionID"] == begun["denm"]["management"]["actionID"]
    assert over["denm"]["management"]["termination"] == "isCancellation"
    assert set(over["denm"]) == {"management"}
    assert pdu.decode(pdu.encode(("DENM", over))) == ("DENM", over)


def test_times_are_milliseconds_of_tai_since_2004() -> None:
    assert its_ms(1_072_915_200.0) == 5_000, "five leap seconds were added since"
    management = denm(HazardKind.STOPPED_VEHICLE)["denm"]["management"]
    assert management["referenceTime"] - management["detectionTime"] == 1_500


def test_a_heading_goes_along_when_it_is_known_and_is_never_360() -> None:
    location = denm(HazardKind.WRONG_WAY)["denm"]["location"]
    assert location["eventPositionHeading"]["headingValue"] == 900
    north = denm_value(hazard(HazardKind.WRONG_WAY, 359.99), 99, ORIGIN, ONSET_S, NOW_S)["denm"]["location"]
    assert north["eventPositionHeading"]["headingValue"] == 0
    unknown = denm_value(hazard(HazardKind.WRONG_WAY, None), 99, ORIGIN, ONSET_S, NOW_S)["denm"]["location"]
    assert unknown == {"traces": [[]]}


def test_the_place_is_the_hazards_and_without_a_height_none_is_told() -> None:
    position = denm(HazardKind.WRONG_WAY)["denm"]["management"]["eventPosition"]
    assert position["latitude"] == pytest.approx(226_900_000 - 1_806, abs=3)
    assert position["longitude"] == pytest.approx(1_143_400_000 + 973, abs=3)
    assert position["altitude"] == {"altitudeValue": 800_001, "altitudeConfidence": "unavailable"}


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (make tools)")
def test_tshark_reads_each_as_we_meant_it(tmp_path: Path) -> None:
    kinds = list(HazardKind)
    sent = [pdu.encode(("DENM", denm(kind))) for kind in kinds]
    sent.append(pdu.encode(("DENM", denm(kinds[0], over=True))))
    taken = capture(tmp_path / "denm.pcap", sent, USER_0)
    assert "Malformed" not in dissected(taken, "-V")
    rows = fields(taken, "its.messageID", "its.causeCode", "its.subCauseCode", "denm.termination")
    found = [row[:3] for row in rows[:-1]]
    assert found == [["1", str(CAUSES[kind].code), str(CAUSES[kind].sub_code)] for kind in kinds], rows
    assert rows[-1] == ["1", "", "", "0"]
