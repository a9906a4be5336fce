"""The guard, the reader under it, the doubts and the speaker that they serve."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.spat import spat_value, unavailable_value
from rsu_agent.messages.moment import Instant, utc_stamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.doubts import Doubts, Voice
from rsu_agent.outlets.guard import Guard, Ruling
from rsu_agent.outlets.guard_table import CAUSES, LIGHT_OF, TABLE
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.phases.signals import DOUBTS
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupOutlook,
    Lamp,
    SignalOutlook,
    SignalReport,
)
from tests.outlets.made import IDENTITY, PROGRAMME, count_of, spat_speaker
from tests.outlets.made import guard as made_guard

PHASES = {1: [1], 3: [5]}
ARROWS = [5]
TABLE_OF_PHASES = PhaseTable(PHASES, ARROWS)


def report(at: float, one: Colour, five: Colour, **more: object) -> SignalReport:
    lamps = (Lamp(1, one), Lamp(5, five))
    fields = {"control": Control.FIXED_TIME, "plan": 1, **more}
    return SignalReport(at, at + 0.01, lamps, True, **fields)  # type: ignore[arg-type]


def guard(one: Colour = Colour.GREEN, five: Colour = Colour.RED, *, test_ids: bool = True) -> Guard:
    made = made_guard(PHASES, ARROWS, test_ids=test_ids)
    made.saw(PROGRAMME)
    made.saw(report(10.0, one, five))
    return made


def frame(one: Colour, five: Colour, *, likely: float | None = None, utc: float | None = None) -> bytes:
    ends = (105.0, 105.0, 105.0) if likely is None else (likely, likely, likely)
    groups = tuple(GroupOutlook(g, c, 90.0, *ends) for g, c in ((1, one), (5, five)))
    outlook = SignalOutlook(100.0, groups, Control.FIXED_TIME, 1, 1)
    stamp = None if utc is None else utc_stamp(utc)
    value = spat_value(outlook, TABLE_OF_PHASES, IDENTITY, stamp, 5, now_s=100.0)
    return codec.encode(("spatFrame", value))


@pytest.mark.parametrize(("shows", "says"), list(product(Colour, Colour)))
def test_a_frame_passes_exactly_when_its_colours_are_those_of_the_lamps(shows: Colour, says: Colour) -> None:
    verdict = guard(shows, Colour.RED).judge(frame(says, Colour.RED), None)
    same = LIGHT_OF[shows][0] == LIGHT_OF[says][0] or says is Colour.UNKNOWN
    assert (verdict.ruling is Ruling.PASS) == same
    assert same or verdict.cause == "colour"


@pytest.mark.parametrize("colour", [c for c in Colour if c is not Colour.UNKNOWN])
def test_an_arrow_is_held_to_its_own_lights(colour: Colour) -> None:
    assert guard(Colour.RED, colour).judge(frame(Colour.RED, colour), None).ruling is Ruling.PASS


def test_a_message_time_off_by_more_than_twenty_milliseconds_is_blocked() -> None:
    sent = frame(Colour.GREEN, Colour.RED, utc=1_790_000_000.5)
    for apart_s, cause in ((0.0, None), (0.02, None), (-0.02, None), (0.022, "time"), (-0.022, "time")):
        assert guard().judge(sent, utc_stamp(1_790_000_000.5 + apart_s)).cause == cause
    for apart_s in (60.0, -60.0, 3600.0, 28_800.0):  # the right millisecond of another minute
        assert guard().judge(sent, utc_stamp(1_790_000_000.5 + apart_s)).cause == "time"
    assert guard().judge(sent, None).cause == "time"


def test_another_crossing_or_the_other_kind_of_ids_is_blocked() -> None:
    value = unavailable_value(TABLE_OF_PHASES, (13, 0))
    assert guard().judge(codec.encode(("spatFrame", value)), None).cause == "identity"
    assert guard(test_ids=False).judge(frame(Colour.GREEN, Colour.RED), None).cause == "identity"


def test_phases_that_are_not_the_sites_are_blocked() -> None:
    value = unavailable_value(PhaseTable({1: [1]}), IDENTITY)
    assert guard().judge(codec.encode(("spatFrame", value)), None).cause == "phases"


def test_ends_out_of_order_are_blocked() -> None:
    value = codec.decode(frame(Colour.GREEN, Colour.RED))[1]
    timing = value["intersections"][0]["phases"][0]["phaseStates"][0]["timing"][1]
    timing["minEndTime"], timing["likelyEndTime"] = 60, 50
    assert guard().judge(codec.encode(("spatFrame", value)), None).cause == "order"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=120))
def test_noise_is_blocked_and_never_raises(data: bytes) -> None:
    assert guard().judge(data, None).ruling is Ruling.BLOCK


def test_two_groups_that_must_never_be_green_together_are_a_doubt() -> None:
    assert guard(Colour.GREEN, Colour.RED).doubt() is None
    assert guard(Colour.GREEN, Colour.GREEN_FLASH).doubt() == "conflict"


def test_the_reader_agrees_with_the_codec_on_every_field_it_reads() -> None:
    dice = random.Random(3)
    for _ in range(300):
        one, five = dice.choice(list(Colour)), dice.choice(list(Colour))
        data = frame(one, five, likely=100 + dice.uniform(0.2, 90), utc=dice.choice([None, 1.79e9]))
        value = codec.decode(data)[1]
        read = read_spat(data)
        state = value["intersections"][0]
        assert (count_of(data), read.minute, read.millisecond) == (
            value["msgCnt"],
            value.get("moy"),
            value.get("timeStamp"),
        )
        assert (read.region, read.node) == (0, 12)
        assert read.status == int.from_bytes(state["status"][0], "big")
        for phase, known in zip(read.phases, state["phases"], strict=True):
            timing = known["phaseStates"][0].get("timing", (None, {}))[1]
            assert phase.phase == known["id"]
            assert phase.likely == timing.get("likelyEndTime")
            assert (phase.least, phase.most) == (timing.get("minEndTime"), timing.get("maxEndTime"))


def test_a_frame_with_a_byte_too_many_or_too_few_is_no_spat() -> None:
    data = frame(Colour.GREEN, Colour.RED)
    for wrong in (data + b"\0", data[:-1], b"", b"\x10" + data[1:]):
        with pytest.raises(NotSpat):
            read_spat(wrong)


def test_every_cause_that_can_arise_has_its_row() -> None:
    assert set(DOUBTS) <= CAUSES
    assert len(CAUSES) == len(TABLE)


def run(doubts: Doubts, pattern: list[tuple[float, str | None]], start: float) -> tuple[list[Voice], float]:
    """Ticks every 100 ms through (seconds, doubt) stretches."""
    voices, now = [], start
    for seconds, doubt in pattern:
        for _ in range(round(seconds * 10)):
            voices.append(doubts.tick(doubt, now, 60.0))
            now = round(now + 0.1, 3)
    return voices, now


def test_a_doubt_is_told_at_once_for_five_seconds_and_then_there_is_silence() -> None:
    doubts = Doubts()
    assert doubts.tick(None, 0.0, 60.0) is Voice.SPEAKING
    voices, _ = run(doubts, [(7.0, "stale")], 1.0)
    assert voices[0] is Voice.TELLING
    assert voices.count(Voice.TELLING) == 50
    assert voices[-1] is Voice.SILENT


def test_coming_back_needs_two_clean_seconds() -> None:
    doubts = Doubts()
    doubts.tick(None, 0.0, 60.0)
    voices, _ = run(doubts, [(1.0, "stale"), (2.5, None)], 1.0)
    assert voices.index(Voice.SPEAKING) == 10 + 20


def test_a_second_doubt_within_a_minute_lasts_until_the_minute_is_over() -> None:
    doubts = Doubts()
    doubts.tick(None, 0.0, 60.0)
    voices, now = run(doubts, [(0.5, "stale"), (2.1, None)], 1.0)
    assert voices[-1] is Voice.SPEAKING
    returned = 1.0 + 0.1 * voices.index(Voice.SPEAKING)
    voices, _ = run(doubts, [(0.5, "stale"), (70.0, None)], now)
    back = now + 0.1 * voices.index(Voice.SPEAKING)
    assert back == pytest.approx(returned + 60.0, abs=0.2)


def test_the_third_doubt_in_ten_minutes_lasts_one_whole_clean_cycle() -> None:
    doubts = Doubts()
    doubts.tick(None, 0.0, 60.0)
    _, now = run(doubts, [(0.3, "stale"), (70.0, None), (0.3, "stale"), (70.0, None)], 1.0)
    voices, _ = run(doubts, [(0.3, "stale"), (70.0, None)], now)
    assert voices.index(Voice.SPEAKING) == 3 + 600


def speaker() -> SpatSpeaker:
    made = spat_speaker(PHASES, ARROWS)
    made.saw(PROGRAMME)
    return made


def lights(data: bytes | None) -> list[int]:
    assert data is not None
    return [phase.light for phase in read_spat(data).phases]


def test_nothing_is_said_before_the_first_complete_report_and_then_at_once() -> None:
    made = speaker()
    first = made.speak(Instant(0.0, None))
    assert (first.frame, first.valid, first.reason) == (None, False, "no_report")
    made.saw(report(1.0, Colour.GREEN, Colour.RED))
    said = made.speak(Instant(1.05, 1.79e9))
    assert said.valid
    assert lights(said.frame) == [5, 3]


def test_stale_evidence_is_told_as_unavailable_within_300_ms_and_counts_go_on() -> None:
    made = speaker()
    counts = []
    for step in range(20):
        now = 1.0 + step / 10
        if step < 10:
            made.saw(report(now, Colour.GREEN, Colour.RED))
        said = made.speak(Instant(now + 0.01, None))
        counts.append(count_of(said.frame) if said.frame else None)
        if step == 13:
            assert (said.valid, said.reason) == (False, "stale")
            assert lights(said.frame) == [0, 0]
    assert counts == list(range(20))


def test_a_conflict_makes_the_crossing_unavailable_whatever_the_prediction_says() -> None:
    made = speaker()
    made.saw(report(1.0, Colour.GREEN, Colour.RED))
    assert made.speak(Instant(1.01, None)).valid
    made.saw(report(1.1, Colour.GREEN, Colour.GREEN))
    said = made.speak(Instant(1.11, None))
    assert (said.valid, said.reason, lights(said.frame)) == (False, "conflict", [0, 0])


def test_after_a_long_doubt_times_wait_for_the_next_confirmed_change() -> None:
    made = speaker()
    now = 1.0
    for step in range(700):
        now = 1.0 + step / 10
        made.saw(report(now, Colour.GREEN if int(now / 30) % 2 else Colour.RED, Colour.RED))
        made.speak(Instant(now + 0.01, None))
    made.tell_doubt("line_lost")
    assert not made.speak(Instant(now + 0.05, None)).valid
    for step in range(40):
        now += 0.1
        made.speak(Instant(now, None)) if step < 12 else made.saw(report(now, Colour.GREEN, Colour.RED))
        said = made.speak(Instant(now + 0.01, None))
    assert said.valid
    assert all(phase.likely is None for phase in read_spat(said.frame or b"").phases)


def test_an_unusual_change_is_said_but_its_times_are_held_for_a_cycle() -> None:
    made = guard(Colour.GREEN, Colour.RED)
    made.saw(report(11.0, Colour.RED, Colour.RED))
    assert made.evidence.held(12.0) == {1}
    assert made.evidence.held(11.0 + 61.0) == frozenset()
    assert made.evidence.counters["unusual_green_red"] == 1
