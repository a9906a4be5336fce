"""The guard on SPATEM and on J2735's SPAT: the same promises as on T/CSAE 53, by the rules of those sets."""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import pytest

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.dsrc.spat import Right, spat_value
from rsu_agent.messages.dsrc.units import Edition
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.j2735 import frame
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.doubts import TELL_S
from rsu_agent.outlets.guard import Guard
from rsu_agent.outlets.message_sets import MESSAGE_SETS, Speech, guard_of
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupOutlook,
    Lamp,
    Phase,
    Plan,
    Programme,
    SignalOutlook,
    SignalReport,
    Stage,
    StageSlot,
)
from tests.outlets.made import IDENTITY

RIGHTS = {1: Right.PROTECTED, 2: Right.PERMISSIVE, 9: Right.WALK}
HALF_PAST_S = 1_790_001_000.0  # UTC 13:50:00 and some: marks are far from the hour's turn
NOW = Instant(100.0, HALF_PAST_S)
STATES = (  # MovementPhaseState in its order on the wire (ISO/TS 19091)
    "unavailable",
    "dark",
    "stop-Then-Proceed",
    "stop-And-Remain",
    "pre-Movement",
    "permissive-Movement-Allowed",
    "protected-Movement-Allowed",
    "permissive-clearance",
    "protected-clearance",
    "caution-Conflicting-Traffic",
)
# What may be said of a lamp (permissive, protected, pedestrian), typed here from field-rules 2
MEANS: dict[Colour, tuple[str, str, str]] = {
    Colour.UNKNOWN: ("unavailable",) * 3,
    Colour.DARK: ("dark",) * 3,
    Colour.RED: ("stop-And-Remain",) * 3,
    Colour.RED_FLASH: ("stop-Then-Proceed",) * 3,
    Colour.RED_YELLOW: ("pre-Movement",) * 3,
    Colour.GREEN: ("permissive-Movement-Allowed", "protected-Movement-Allowed", "protected-Movement-Allowed"),
    Colour.GREEN_FLASH: ("permissive-Movement-Allowed", "protected-Movement-Allowed", "protected-clearance"),
    Colour.YELLOW: ("permissive-clearance", "protected-clearance", "protected-clearance"),
    Colour.YELLOW_FLASH: ("caution-Conflicting-Traffic",) * 3,
}
COLUMNS = {2: 0, 1: 1, 9: 2}
SETS = ("etsi", "j2735")


def speech(standard: str, **more: Any) -> Speech:
    return Speech(standard, IDENTITY, True, {}, frozenset({1}), RIGHTS, 5, 7, **more)


def encoded(standard: str, value: dict[str, Any], edition: Edition = Edition.J2735_2020) -> bytes:
    if standard == "etsi":
        return pdu.encode(("SPATEM", {"header": pdu.header("SPATEM", 7), "spat": value}))
    return frame.encode(("SPAT", value), edition)


def outlook(colours: dict[int, Colour], **ends: float) -> SignalOutlook:
    groups = tuple(
        GroupOutlook(group, colour, 90.0, flash_s=0.0, **ends) for group, colour in colours.items()
    )
    return SignalOutlook(100.0, groups, Control.FIXED_TIME, 1, 1)


def value(instant: Instant = NOW, edition: Edition = Edition.ISO_19091, **ends: float) -> dict[str, Any]:
    colours = dict.fromkeys(RIGHTS, Colour.RED)
    return spat_value(outlook(colours, **ends), RIGHTS, IDENTITY, 5, instant, edition=edition)


def guard(standard: str, colour: Colour = Colour.RED, **more: Any) -> Guard:
    made = guard_of(speech(standard, **more))
    made.saw(SignalReport(99.9, 99.91, tuple(Lamp(group, colour) for group in RIGHTS), True))
    return made


def timing(spat: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = spat["intersections"][0]["states"][0]["state-time-speed"][0]["timing"]
    return found


@pytest.mark.parametrize("standard", SETS)
def test_every_lamp_colour_against_every_state_that_could_be_said_of_it(standard: str) -> None:
    for shows, group, said in product(Colour, RIGHTS, STATES):
        spat = spat_value(outlook({}), RIGHTS, IDENTITY, 5, Instant(100.0, None))
        for movement in spat["intersections"][0]["states"]:
            if movement["signalGroup"] == group:
                movement["state-time-speed"][0]["eventState"] = said
        verdict = guard(standard, shows).judge(encoded(standard, spat), None)
        right = said in ("unavailable", MEANS[shows][COLUMNS[group]])
        assert verdict.cause == (None if right else "colour"), (shows, group, said)


@pytest.mark.parametrize("standard", SETS)
@pytest.mark.parametrize(
    ("name", "mark", "cause"),
    [
        ("likelyTime", None, None),
        ("likelyTime", 0, "order"),  # the likely end is now
        ("minEndTime", -5, "order"),  # half a second ago
        ("maxEndTime", 10, "order"),  # before the likely end
        ("maxEndTime", 34_000, None),
    ],
)
def test_ends_are_judged_from_now(standard: str, name: str, mark: int | None, cause: str | None) -> None:
    spat = value(min_end_s=105.0, likely_end_s=107.0, max_end_s=110.0)
    now_mark = int(HALF_PAST_S % 3600 * 10)
    if mark is not None:
        timing(spat)[name] = (now_mark + mark) % 36_000
    assert guard(standard).judge(encoded(standard, spat), NOW.stamp).cause == cause


@pytest.mark.parametrize("standard", SETS)
def test_a_mark_that_turns_with_the_hour_is_still_ahead(standard: str) -> None:
    late = Instant(100.0, HALF_PAST_S - HALF_PAST_S % 3600 + 3599.2)
    spat = value(late, min_end_s=100.5, likely_end_s=103.0, max_end_s=110.0)
    assert timing(spat)["maxEndTime"] < 200 < 35_990 < timing(spat)["minEndTime"]
    assert guard(standard).judge(encoded(standard, spat), late.stamp).cause is None


@pytest.mark.parametrize("standard", SETS)
def test_without_a_trusted_clock_neither_marks_nor_stamps_pass(standard: str) -> None:
    spat = value(likely_end_s=107.0)
    bare = copy.deepcopy(spat)
    del bare["timeStamp"], bare["intersections"][0]["moy"], bare["intersections"][0]["timeStamp"]
    for frame_of in (spat, bare):
        assert guard(standard).judge(encoded(standard, frame_of), None).cause == "time"
    untimed = value(Instant(100.0, None), likely_end_s=107.0)
    assert guard(standard).judge(encoded(standard, untimed), None).cause is None


@pytest.mark.parametrize(
    ("edition", "mark", "cause"),
    [
        (Edition.J2735_2016, 36_001, None),  # unknown
        (Edition.J2735_2016, 36_000, "order"),
        (Edition.J2735_2024, 36_111, None),
        (Edition.J2735_2024, 36_001, "order"),  # within a leap second that is not now
        (Edition.J2735_2024, 36_050, "order"),
    ],
)
def test_an_unknown_mark_is_the_editions_own(edition: Edition, mark: int, cause: str | None) -> None:
    spat = value(edition=edition, likely_end_s=107.0)
    timing(spat)["minEndTime"] = mark
    sent = encoded("j2735", spat, edition)
    assert guard("j2735", edition=edition).judge(sent, NOW.stamp).cause == cause


def test_a_spatem_has_the_revision_of_its_map_and_no_other() -> None:
    spat = value()
    assert guard("etsi").judge(encoded("etsi", spat), NOW.stamp).cause is None
    spat["intersections"][0]["revision"] = 6
    assert guard("etsi").judge(encoded("etsi", spat), NOW.stamp).cause == "revision"
    assert guard("j2735").judge(encoded("j2735", spat), NOW.stamp).cause is None


@pytest.mark.parametrize("standard", SETS)
def test_groups_and_identity_must_be_the_sites(standard: str) -> None:
    spat = value()
    other = copy.deepcopy(spat)
    other["intersections"][0]["states"].pop()
    assert guard(standard).judge(encoded(standard, other), NOW.stamp).cause == "phases"
    other = copy.deepcopy(spat)
    other["intersections"][0]["id"] = {"region": 0, "id": 13}
    assert guard(standard).judge(encoded(standard, other), NOW.stamp).cause == "identity"


PROGRAMME = Programme(
    "p",
    (1, 2, 9),
    (Phase(1, (1,)), Phase(2, (2, 9))),
    (Stage(1, (1,)), Stage(2, (2,))),
    (Plan(1, 60.0, (StageSlot(1, 30.0), StageSlot(2, 30.0))),),
)


def run(standard: str, silent_from_s: float, seconds: float) -> list[tuple[float, bytes | None, bool]]:
    said = (
        speech(standard)
        if standard in SETS
        else Speech(standard, IDENTITY, True, {1: (1, 2, 9)}, frozenset(), {})
    )
    speaker = SpatSpeaker(MESSAGE_SETS[standard].spat(said, Counts()), guard_of(said))
    speaker.saw(PROGRAMME)
    out = []
    for step in range(round(seconds * 10)):
        now = 1.0 + step / 10
        if now < silent_from_s:
            lamps = tuple(Lamp(group, Colour.RED) for group in RIGHTS)
            speaker.saw(SignalReport(now, now + 0.01, lamps, True, Control.FIXED_TIME, 1))
        spoken = speaker.speak(Instant(now + 0.02, HALF_PAST_S + now))
        out.append((now, spoken.frame, spoken.valid))
    return out


@pytest.mark.parametrize(("standard", "goes_on"), [("csae53-2020", False), ("etsi", True), ("j2735", True)])
def test_after_five_seconds_of_doubt_china_is_silent_and_the_others_go_on(
    standard: str, goes_on: bool
) -> None:
    told = [frame_of for now, frame_of, valid in run(standard, 4.0, 14.0) if not valid]
    in_time = [frame_of for frame_of in told if frame_of is not None]
    assert len(in_time) == pytest.approx(len(told) if goes_on else TELL_S * 10, abs=1)
    assert told[-1] is not None if goes_on else told[-1] is None


def test_the_revision_of_a_j2735_spat_rises_with_its_content_only() -> None:
    revisions = [
        frame.decode(sent)[1]["intersections"][0]["revision"]
        for _, sent, _ in run("j2735", 4.0, 8.0)
        if sent is not None
    ]
    assert revisions == [0] * revisions.count(0) + [1] * revisions.count(1), "unavailable is another content"
    assert min(revisions.count(0), revisions.count(1)) >= 10
