"""Records told to other platforms: golden files, and what the facts say of topics, units and logins."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rsu_agent.outlets.profiles.dris import LONGEST_SEQ, dris, dris_login
from rsu_agent.outlets.profiles.openv2x import openv2x
from rsu_agent.outlets.profiles.table import PROFILES
from rsu_agent.outlets.profiles.tits import tits0117, tits0180
from rsu_agent.outlets.profiles.told import NO_HEADING, NO_SPEED, iso_ms, minute_of_year
from tests.outlets.make_profile_golden import FOLDER, TELLER, records, told
from tests.outlets.record_makers import ROOT

OF_KIND = {record["k"]: record for record in records()}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_tells_what_its_golden_file_holds(profile: str) -> None:
    golden = json.loads((FOLDER / f"{profile}.json").read_text())
    assert json.loads(json.dumps(told(profile))) == golden


@pytest.mark.parametrize("profile", PROFILES)
def test_topics_are_whole_and_bodies_are_json(profile: str) -> None:
    for case in told(profile):
        for topic, body in case["told"]:
            assert not set("+#{} ") & set(topic)
            json.dumps(body, allow_nan=False)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_nothing_to_say_of_books_losses_and_kinds_to_come(profile: str) -> None:
    for kind in ("audit", "gap", "birth", "still", "cfg"):
        assert PROFILES[profile](OF_KIND[kind], TELLER) == []
    assert PROFILES[profile]({"k": "tea"}, TELLER) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_the_page_says_of_each_what_it_cannot_guarantee(profile: str) -> None:
    page = (ROOT / "docs" / "protocol" / "profiles.md").read_text()
    assert f"| `{profile}` |" in page
    assert "at least once to\nthe broker only" in page


def test_an_openv2x_heartbeat_and_running_info_are_where_the_platform_looks() -> None:
    assert openv2x(OF_KIND["hb"], TELLER)[0][0] == "V2X/RSU/HB/UP"
    ((topic, body),) = openv2x(OF_KIND["run"], TELLER)
    assert topic == "V2X/RSU/RunningInfo/UP"
    assert (body["cpu"], body["mem"], body["disk"]) == (41.0, 27.0, 12.0)
    ((_, base),) = openv2x(OF_KIND["base"], TELLER)
    wanted = "rsuEsn rsuId protocolVersion rsuStatus location imei iccid communicationType softwareVersion"
    assert set(base) == {*wanted.split(), "hardwareVersion", "depart"}


def test_a_dris_rsi_has_the_body_of_the_facts() -> None:
    ((topic, body),) = dris(OF_KIND["event"] | {"s": "on"}, TELLER)
    assert topic == "v2x/v1/rsu/SN-0042/rsi/up"
    assert set(body) == {"rsiSourceId", "ack", "seqNum", "rsiDatas"}
    assert len(body["seqNum"]) <= LONGEST_SEQ
    (data,) = body["rsiDatas"]
    assert data["rtes"][0]["eventSource"] == "detection"
    assert 0 <= data["timeStamp"] <= 527_040


def test_dris_is_told_of_no_end_and_of_no_hazard_without_a_code() -> None:
    event = OF_KIND["event"]
    assert dris(event | {"s": "off", "te": event["t"]}, TELLER) == []
    assert dris(event | {"s": "on", "h": "red_light_running"}, TELLER) == []
    assert tits0117(event | {"s": "on", "h": "red_light_running"}, TELLER) == []


def test_a_dris_login_is_made_of_number_hour_and_secret() -> None:
    client, user, password = dris_login("SN-0042", "secret", 1_790_000_040.0)
    assert (client, user) == ("SN-0042_0_0_2026092114", "SN-0042")
    assert len(password) == 64
    assert password != dris_login("SN-0042", "other", 1_790_000_040.0)[2]
    assert password != dris_login("SN-0042", "secret", 1_790_003_640.0)[2]


def test_an_event_of_tits_0117_begins_and_ends_under_one_number() -> None:
    event = OF_KIND["event"] | {"s": "on"}
    ((name, began),) = tits0117(event, TELLER)
    ((_, over),) = tits0117(event | {"s": "off", "te": event["t"] + 4_000_000}, TELLER)
    assert name == "V2X.RSU.RSI.UP"
    assert (began["rsi"]["eventStatus"], over["rsi"]["eventStatus"]) == (True, False)
    assert began["rsi"]["alertID"] == over["rsi"]["alertID"]
    assert began["rsi"]["timeStamp"] != over["rsi"]["timeStamp"]
    assert began["rsi"]["eventPosition"][0]["lat"] == round(event["lat"] * 1e7)


def test_road_users_are_in_the_units_of_tcsae_53() -> None:
    ((_, body),) = tits0117(OF_KIND["objs"], TELLER)
    (user,) = body["rsms"][0]["participants"]
    assert (user["ptcType"], user["speed"], user["heading"]) == (1, 400, 14_480)
    assert user["size"] == {"length": 450, "width": 180}
    unknown: dict[str, Any] = {**OF_KIND["objs"]["ob"][0], "v": None, "hd": None, "c": "unknown", "ln": None}
    ((_, body),) = tits0117({**OF_KIND["objs"], "ob": [unknown]}, TELLER)
    (user,) = body["rsms"][0]["participants"]
    assert (user["ptcType"], user["speed"], user["heading"]) == (0, NO_SPEED, NO_HEADING)


def test_ends_of_phases_are_tenths_from_the_instant_and_absent_where_nothing_is_foretold() -> None:
    spat = OF_KIND["spat"]
    ((_, body),) = tits0117(spat, TELLER)
    (phase,) = body["intersections"][0]["phases"]
    assert phase["phaseStates"][0]["timing"] == {"startTime": 0, "likelyEndTime": 90}
    silent = {**spat["ph"][0], "e": None}
    ((_, body),) = tits0117({**spat, "ph": [silent]}, TELLER)
    assert body["intersections"][0]["phases"][0]["phaseStates"][0]["timing"] is None


@pytest.mark.parametrize("kind", ["flow", "move", "queue", "walk"])
def test_figures_of_traffic_go_up_as_a_roadside_computing_unit(kind: str) -> None:
    ((topic, body),) = tits0180(OF_KIND[kind], TELLER)
    assert topic == "rscu/R328328/traffic/up"
    assert body["type"] == kind
    assert ("queueCount" if kind == "queue" else "counts") in body["data"]


def test_instants_are_written_as_the_standards_write_them() -> None:
    assert iso_ms(1_790_000_040_123_456) == "2026-09-21T14:14:00.123Z"
    assert minute_of_year(1_790_000_040_000_000) == 379_574
    assert minute_of_year(1_767_225_600_000_000) == 0
