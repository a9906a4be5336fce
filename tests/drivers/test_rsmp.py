"""RSMP: the supervisor's handshake, subscriptions and what statuses mean; hostile JSON."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rsmp import codes, wire
from drivers.rsmp.session import SUBSCRIBE_ANYWAY_S, VERSIONS, Session
from drivers.rsmp.settings import Settings
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, GroupTimes, Lamp, Programme, SignalReport

SITE = "RN+SI0001"
UTC_S = 1_700_000_000.0  # 2023-11-14T22:13:20Z
STAMP = "2023-11-14T22:13:20.000Z"


class Site:
    """The other end: packs what a controller says, reads what it is answered."""

    def __init__(self, **more: object) -> None:
        numbers = itertools.count()
        self.own = Session(Settings(**more), 0.0, UTC_S, lambda: f"our-{next(numbers)}")  # type: ignore[arg-type]
        self._numbers = itertools.count()
        self.got: list[SignalReport | Programme] = []

    def say(self, kind: str, now_s: float = 0.0, **fields: Any) -> list[dict[str, Any]]:
        """Send one message and give the answers."""
        message = {"mType": "rSMsg", "type": kind, "mId": f"site-{next(self._numbers)}", **fields}
        self.got += self.own.receive(json.dumps(message).encode() + b"\x0c", now_s)
        return self.answers(now_s)

    def answers(self, now_s: float) -> list[dict[str, Any]]:
        """What the supervisor has to say now."""
        said = []
        while data := self.own.next_bytes(now_s):
            assert data.endswith(wire.END)
            said.append(json.loads(data[:-1]))
        return said

    def meet(self, *versions: str, sxl: str = "1.1") -> list[dict[str, Any]]:
        """The version message."""
        return self.say("Version", RSMP=[{"vers": v} for v in versions], siteId=[{"sId": SITE}], SXL=sxl)

    def connect(self, version: str = "3.2.2") -> list[dict[str, Any]]:
        """The whole handshake; gives the subscriptions."""
        self.meet(version)
        self.say("Watchdog", wTs=STAMP)
        aggregated = {"cId": "TC", "aSTS": STAMP, "fP": None, "fS": None, "se": [False] * 8}
        return self.say("AggregatedStatus", ntsOId="", xNId="", **aggregated)[1:]

    def status(self, component: str = "TC", now_s: float = 1.0, **values: str) -> None:
        """A status update; keys are written S0001_signalgroupstatus."""
        rows = [
            {"sCI": key.split("_")[0], "n": key.split("_")[1], "s": value, "q": "recent"}
            for key, value in values.items()
        ]
        self.say("StatusUpdate", now_s, ntsOId="", xNId="", cId=component, sTs=STAMP, sS=rows)

    def newest(self) -> SignalReport:
        """The last report."""
        return [item for item in self.got if isinstance(item, SignalReport)][-1]


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


# Handshake (the order that the public validator checks for every version)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_handshake_is_version_watchdog_aggregated_status_each_acknowledged(version: str) -> None:
    site = Site()
    acknowledged, ours = site.meet(version)
    assert acknowledged == {"mType": "rSMsg", "type": "MessageAck", "oMId": "site-0"}
    assert ours["type"] == "Version"
    assert ours["RSMP"] == [{"vers": version}]
    assert ours["siteId"] == [{"sId": SITE}]
    assert not site.say("MessageAck", oMId=ours["mId"])
    answers = site.say("Watchdog", wTs=STAMP)
    assert kinds(answers) == ["MessageAck", "Watchdog"]
    assert answers[1]["wTs"] == "2023-11-14T22:13:20.000Z"
    aggregated = {"cId": "TC", "aSTS": STAMP, "se": [False] * 8}
    first, *rest = site.say("AggregatedStatus", **aggregated)
    assert first["type"] == "MessageAck"
    assert set(kinds(rest)) == {"StatusSubscribe"}


def test_the_newest_common_version_is_chosen_and_a_site_without_one_is_refused_with_a_reason() -> None:
    assert Site().meet("3.1.2", "3.2.0", "9.9")[1]["RSMP"] == [{"vers": "3.2.0"}]
    site = Site()
    (refusal,) = site.meet("9.9")
    assert refusal["type"] == "MessageNotAck"
    assert "9.9" in refusal["rea"]
    with pytest.raises(DeviceLost, match=r"the site speaks RSMP 9.9"):
        site.own.check(0.0)


def test_another_site_is_refused() -> None:
    site = Site(site_id="RN+SI0002")
    assert kinds(site.meet("3.2.2")) == ["MessageNotAck"]
    with pytest.raises(DeviceLost, match=r"RN\+SI0001 dials in"):
        site.own.check(0.0)


def test_before_the_version_nothing_else_is_taken() -> None:
    (answer,) = Site().say("Watchdog", wTs=STAMP)
    assert (answer["type"], answer["rea"]) == ("MessageNotAck", "Version comes first")


def test_a_subscription_asks_for_changes_at_once_where_the_version_knows_them() -> None:
    new, old = Site().connect("3.1.5"), Site().connect("3.1.4")
    assert {row["sOc"] for message in new for row in message["sS"]} == {True}
    assert not [row for message in old for row in message["sS"] if "sOc" in row]
    assert {message["cId"] for message in new} == {"TC"}
    assert {len({row["sCI"] for row in message["sS"]}) for message in new} == {1}


def test_a_site_that_sends_no_aggregated_status_is_subscribed_to_all_the_same() -> None:
    site = Site()
    site.meet("3.1.1")
    site.say("Watchdog", wTs=STAMP)
    assert not site.answers(SUBSCRIBE_ANYWAY_S - 0.1)
    assert {message["cId"] for message in site.answers(SUBSCRIBE_ANYWAY_S)} == {SITE}


def test_components_named_in_the_site_file_are_asked_for_their_times() -> None:
    site = Site(components={1: "SG1", 2: "SG2"})
    times = [message for message in site.connect() if message["sS"][0]["sCI"] == "S0025"]
    assert [message["cId"] for message in times] == ["SG1", "SG2"]


def test_we_say_that_we_are_alive_once_a_minute() -> None:
    site = Site()
    site.connect()
    assert not site.answers(59.0)
    assert kinds(site.answers(60.0)) == ["Watchdog"]


def test_no_message_that_commands_can_be_built() -> None:
    built = {name for name in vars(wire) if not name.startswith("_") and callable(getattr(wire, name))}
    assert built & {"acknowledged", "not_acknowledged", "version", "watchdog", "subscription"}
    source = Path(wire.__file__).read_text()
    assert "Command" not in source
    assert source.count('"type":') == 5


# Meaning

# The signal exchange list's table of signal group status, by output
TABLE = {
    "ab": Colour.DARK, "c": Colour.YELLOW_FLASH, "d": Colour.RED_FLASH, "ef": Colour.UNKNOWN,
    "ghABCDEFGP": Colour.RED, "0": Colour.RED_YELLOW, "12345678": Colour.GREEN, "9": Colour.GREEN_FLASH,
    "NO": Colour.YELLOW,
}  # fmt: skip


def test_every_character_shows_the_colour_of_the_list_and_capital_letters_are_red() -> None:
    told = {character: colour for characters, colour in TABLE.items() for character in characters}
    assert told == codes.COLOURS
    site = Site()
    site.connect()
    site.status(S0001_signalgroupstatus="".join(told) + "?")
    assert [lamp.colour for lamp in site.newest().lamps] == [*told.values(), Colour.UNKNOWN]


def test_groups_are_places_in_the_text_or_those_that_the_site_file_names() -> None:
    site = Site()
    site.connect()
    site.status(S0001_signalgroupstatus="A1N", S0001_stage="2")
    programme = next(item for item in site.got if isinstance(item, Programme))
    assert programme.groups == (1, 2, 3)
    report = site.newest()
    assert report.complete
    assert report.stage is not None
    assert report.stage.stage == 2
    named = Site(groups={11: 3, 12: 9})
    named.connect()
    named.status(S0001_signalgroupstatus="A1N")
    assert named.newest().lamps == (Lamp(11, Colour.YELLOW),)


@pytest.mark.parametrize(
    ("values", "control"),
    [
        ({"S0020_controlmode": "control", "S0009_status": "True"}, Control.FIXED_TIME),
        ({"S0020_controlmode": "control", "S0009_status": "False"}, Control.ACTUATED),
        ({"S0020_controlmode": "startup"}, Control.UNKNOWN),
        ({"S0020_controlmode": "failure"}, Control.UNKNOWN),
        ({"S0007_status": "False", "S0020_controlmode": "control"}, Control.OFF),
        ({"S0007_status": "True", "S0011_status": "True"}, Control.FLASH),
        ({"S0007_status": "True", "S0012_status": "True"}, Control.ALL_RED),
        ({"S0007_status": "True", "S0008_status": "True"}, Control.MANUAL),
        ({"S0007_status": "True,False", "S0008_status": "False"}, Control.ACTUATED),
        ({"S0014_status": "3"}, Control.UNKNOWN),
    ],
)
def test_modes(values: dict[str, str], control: Control) -> None:
    site = Site()
    site.connect()
    site.status(S0001_signalgroupstatus="A1", **values)
    assert site.newest().control is control


def test_the_plan_is_told_and_a_value_that_is_not_recent_is_none() -> None:
    site = Site()
    site.connect()
    row = {"sCI": "S0001", "n": "signalgroupstatus", "s": "11", "q": "old"}
    site.say("StatusUpdate", 1.0, cId="TC", sTs=STAMP, sS=[row])
    assert not site.newest().lamps
    site.status(S0001_signalgroupstatus="A1", S0014_status="3")
    assert site.newest().plan == 3


def test_estimates_count_from_the_sites_own_stamp_towards_green_or_red() -> None:
    site = Site(components={1: "SG1", 2: "SG2", 3: "SG3"})
    site.connect()
    green = {"S0025_minToGEstimate": "2023-11-14T22:13:25.000Z",
             "S0025_likelyToGEstimate": "2023-11-14T22:13:30.500Z",
             "S0025_maxToGEstimate": "2023-11-14T22:13:40.000Z", "S0025_ToGConfidence": "80"}  # fmt: skip
    red = {"S0025_maxToREstimate": "2023-11-14T22:13:29.000Z"}
    past = {"S0025_minToGEstimate": "2023-11-14T22:13:19.000Z"}
    site.status("SG1", **green)
    site.status("SG2", **red)
    site.status("SG3", **past)
    site.status(S0001_signalgroupstatus="B1B")
    assert site.newest().times == (
        GroupTimes(1, 5.0, 10.5, 20.0, 0.8),
        GroupTimes(2, most_s=9.0),
    )


def test_alarms_come_and_go() -> None:
    site = Site()
    site.connect()
    (answer,) = site.say("Alarm", cId="SG1", aCId="A0008", aS="Active")
    assert answer["type"] == "MessageAck", "receipt only: acknowledging the alarm itself is a person's act"
    assert site.newest().alarms == ("A0008@SG1",)
    site.say("Alarm", cId="SG1", aCId="A0008", aS="inActive")
    assert site.newest().alarms == ()


# Hostile


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"mType": "x", "type": "Watchdog", "wTs": STAMP}, "mType must be rSMsg"),
        ({"mType": "rSMsg", "type": "CommandRequest"}, "type CommandRequest is not taken by this supervisor"),
        ({"mType": "rSMsg", "type": ["a"]}, "type ['a'] is not taken by this supervisor"),
        ({"mType": "rSMsg", "type": "Watchdog"}, "wTs: Field required"),
        (
            {"mType": "rSMsg", "type": "AggregatedStatus", "cId": "a", "aSTS": "b", "se": []},
            "se: List should",
        ),
        ({"mType": "rSMsg", "type": "StatusUpdate", "cId": 7}, "cId: Input should be a valid string"),
    ],
)
def test_a_message_against_the_schema_is_refused_by_its_field(message: dict[str, Any], reason: str) -> None:
    site = Site()
    site.connect()
    site.own.receive(b"", 0.0)
    list(site.own.receive(json.dumps({"mId": "m", **message}).encode() + b"\x0c", 0.0))
    (answer,) = site.answers(0.0)
    assert (answer["type"], answer["oMId"]) == ("MessageNotAck", "m")
    assert answer["rea"].startswith(reason)


@given(st.lists(st.integers(0, 400), max_size=6))
def test_messages_survive_any_split(cuts: list[int]) -> None:
    stream = b"".join(wire.watchdog(f"m{n}", STAMP) for n in range(4)) + b"  \x0c\x0c"
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    reader = wire.Reader()
    got = [m for a, b in itertools.pairwise(places) for m in reader.receive(stream[a:b])]
    assert [message["mId"] for message in got if isinstance(message, dict)] == ["m0", "m1", "m2", "m3"]


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_no_bytes_can_break_the_session(chunks: list[bytes]) -> None:
    site = Site()
    site.connect()
    for chunk in [*chunks, b"[" * 100_000, b"\x0c{}\x0c", b'{"a":' * 20_000 + b"\x0c"]:
        list(site.own.receive(chunk, 0.0))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from(["Version", "Watchdog", "AggregatedStatus", "StatusUpdate", "Alarm", "MessageAck"]),
    st.dictionaries(st.sampled_from(["mId", "RSMP", "siteId", "SXL", "wTs", "cId", "se", "sTs", "sS"]), JSON),
)
def test_no_json_can_break_the_session(kind: str, fields: dict[str, Any]) -> None:
    site = Site()
    site.connect()
    list(site.own.receive(json.dumps({"mType": "rSMsg", "type": kind, **fields}).encode() + b"\x0c", 0.0))


def test_a_message_without_end_is_dropped_and_the_next_is_read() -> None:
    reader = wire.Reader()
    assert list(reader.receive(b"x" * (wire.LARGEST_BYTES + 1))) == ["long"]
    assert next(iter(reader.receive(b"x" * 1000 + b"\x0c" + wire.watchdog("m", STAMP))))["mId"] == "m"  # type: ignore[index]


def test_silence_is_silent_and_other_programs_are_garbled() -> None:
    site = Site()
    with pytest.raises(DeviceLost, match="silent"):
        site.own.check(31.0)
    list(site.own.receive(b"GET / HTTP/1.1\r\n\r\n\x0c", 32.0))
    with pytest.raises(DeviceLost, match="garbled"):
        site.own.check(99.0)
