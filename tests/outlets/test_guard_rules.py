"""Field-rules 4, rule by rule: what the guard lets out, over the whole space where the space is small."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.spat import UNDEFINED, unavailable_value
from rsu_agent.messages.moment import Instant, UtcStamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.doubts import AGAIN_S, CLEAN_S, OFTEN_S, TELL_S, Doubts, Voice
from rsu_agent.outlets.evidence import Evidence
from rsu_agent.outlets.guard import Guard, Ruling
from rsu_agent.outlets.guard_table import LIGHT_OF
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.outlets.spat_speaker import SpatSpeaker
from rsu_agent.wire.counter import counted
from rsu_agent.world.signal import (
    GO,
    Colour,
    Control,
    Lamp,
    Phase,
    Plan,
    Programme,
    SignalReport,
    Stage,
    StageReport,
    StageSlot,
    StageState,
)
from tests.outlets.made import IDENTITY, spat_speaker
from tests.outlets.made import guard as made_guard

# T/CSAE 53 LightState in its order on the wire (facts/csae53), typed here apart from the product
LIGHTS = (
    "unavailable",
    "dark",
    "flashing-red",
    "red",
    "flashing-green",
    "permissive-green",
    "protected-green",
    "yellow",
    "flashing-yellow",
)
STOP = {"red", "flashing-red"}
MEANS = {  # what may be said of a lamp: (round, arrow), from field-rules 2
    Colour.RED: ("red", "red"),
    Colour.RED_FLASH: ("flashing-red", "flashing-red"),
    Colour.RED_YELLOW: ("red", "red"),
    Colour.GREEN: ("permissive-green", "protected-green"),
    Colour.GREEN_FLASH: ("flashing-green", "flashing-green"),
    Colour.YELLOW: ("yellow", "yellow"),
    Colour.YELLOW_FLASH: ("flashing-yellow", "flashing-yellow"),
    Colour.DARK: ("dark", "dark"),
    Colour.UNKNOWN: ("unavailable", "unavailable"),
}


def report(at: float, colours: dict[int, Colour], **more: object) -> SignalReport:
    fields = {"control": Control.FIXED_TIME, "plan": 1, **more}
    lamps = tuple(Lamp(group, colour) for group, colour in colours.items())
    return SignalReport(at, at + 0.01, lamps, True, **fields)  # type: ignore[arg-type]


def said(phases: dict[int, str], **timing: int) -> bytes:
    """A frame with these lights; timing goes to every phase."""
    value = unavailable_value(PhaseTable({phase: [phase] for phase in phases}), IDENTITY)
    for phase in value["intersections"][0]["phases"]:
        state: dict = {"light": phases[phase["id"]]}
        if timing:
            state["timing"] = ("counting", {"startTime": 0, **timing})
        phase["phaseStates"] = [state]
    return codec.encode(("spatFrame", value))


def made(phases: dict[int, list[int]], arrows: set[int], colours: dict[int, Colour]) -> Guard:
    guard = made_guard(phases, arrows)
    guard.saw(report(1.0, colours))
    return guard


def test_every_lamp_colour_against_every_light_that_could_be_said_of_it() -> None:
    passed = 0
    for arrow, shows, light in product((False, True), Colour, LIGHTS):
        verdict = made({7: [1]}, {1} if arrow else set(), {1: shows}).judge(said({7: light}), None)
        right = light in ("unavailable", MEANS[shows][arrow])
        assert (verdict.ruling is Ruling.PASS) == right, (arrow, shows, light)
        assert verdict.cause == (None if right else "colour")
        passed += right
    assert passed == 2 * (2 * len(Colour) - 1)


def test_two_groups_of_one_phase_pass_only_when_what_is_said_is_true_of_both() -> None:
    for first, second, light in product(Colour, Colour, LIGHTS):
        verdict = made({7: [1, 2]}, set(), {1: first, 2: second}).judge(said({7: light}), None)
        true_of_both = light == MEANS[first][0] == MEANS[second][0]
        assert (verdict.ruling is Ruling.PASS) == (true_of_both or light == "unavailable")
        if verdict.ruling is Ruling.PASS and light not in STOP:
            assert light in ("unavailable", "dark") or not {first, second} & {Colour.RED, Colour.RED_FLASH}


def test_of_a_group_never_reported_only_unavailable_may_be_said() -> None:
    for light in LIGHTS:
        verdict = made({7: [1, 2]}, set(), {1: Colour.RED}).judge(said({7: light}), None)
        assert (verdict.ruling is Ruling.PASS) == (light == "unavailable")


def test_the_table_of_lights_covers_every_colour() -> None:
    numbers = {name: number for number, name in enumerate(LIGHTS)}
    assert {colour: tuple(numbers[name] for name in names) for colour, names in MEANS.items()} == LIGHT_OF


@pytest.mark.parametrize(
    ("light", "timing", "cause"),
    [
        ("red", {"likelyEndTime": 36000}, None),
        ("red", {"likelyEndTime": UNDEFINED, "minEndTime": 5, "maxEndTime": 90}, None),
        ("red", {"likelyEndTime": 1}, None),
        ("red", {"likelyEndTime": 0}, "order"),  # never "now" for ever
        ("red", {"likelyEndTime": 9, "minEndTime": 10}, "order"),
        ("red", {"likelyEndTime": 9, "maxEndTime": 8}, "order"),
        ("red", {"likelyEndTime": UNDEFINED, "minEndTime": 9, "maxEndTime": 8}, "order"),
        ("red", {"likelyEndTime": 9, "maxEndTime": UNDEFINED}, "order"),
        ("dark", {"likelyEndTime": 50}, "order"),
        ("unavailable", {"likelyEndTime": 50}, "order"),
    ],
)
def test_ends_are_in_order_in_range_and_absent_where_nothing_shines(
    light: str, timing: dict[str, int], cause: str | None
) -> None:
    shows = Colour.DARK if light == "dark" else Colour.RED
    assert made({7: [1]}, {1}, {1: shows}).judge(said({7: light}, **timing), None).cause == cause


def test_half_a_message_time_or_two_that_differ_are_blocked() -> None:
    value = unavailable_value(PhaseTable({7: [1]}), IDENTITY)
    guard, now = made({7: [1]}, set(), {1: Colour.RED}), UtcStamp(500, 30_000)
    assert guard.judge(codec.encode(("spatFrame", value | {"moy": 500})), now).cause == "time"
    assert guard.judge(codec.encode(("spatFrame", value | {"timeStamp": 30_000})), now).cause == "time"
    value |= {"moy": 500, "timeStamp": 30_000}
    assert guard.judge(codec.encode(("spatFrame", value)), now).ruling is Ruling.PASS
    value["intersections"][0] |= {"moy": 500, "timeStamp": 31_000}
    with pytest.raises(NotSpat, match="two times"):
        read_spat(codec.encode(("spatFrame", value)))


def test_the_minute_turns_without_a_blocked_frame() -> None:
    guard = made({7: [1]}, set(), {1: Colour.RED})
    value = unavailable_value(PhaseTable({7: [1]}), IDENTITY) | {"moy": 499, "timeStamp": 59_990}
    frame = codec.encode(("spatFrame", value))
    assert guard.judge(frame, UtcStamp(500, 5)).ruling is Ruling.PASS
    assert guard.judge(frame, UtcStamp(500, 15)).cause == "time"


@pytest.mark.parametrize(
    ("identity", "test_ids", "passes"),
    [
        ((12, 0), True, True),
        ((12, None), True, True),
        ((4000, 0), True, True),
        ((12, 0), False, False),
        ((4000, 0), False, False),
        ((4000, 7), False, True),
        ((4000, 7), True, False),
    ],
)
def test_test_ids_and_assigned_ids_never_meet(
    identity: tuple[int, int | None], test_ids: bool, passes: bool
) -> None:
    guard = made_guard({7: [1]}, (), identity, test_ids=test_ids)
    guard.saw(report(1.0, {1: Colour.RED}))
    value = unavailable_value(PhaseTable({7: [1]}), identity)
    assert (guard.judge(codec.encode(("spatFrame", value)), None).cause is None) == passes


@settings(max_examples=300)
@given(st.data())
def test_any_frame_that_passes_says_of_every_lamp_what_it_shows(draw: st.DataObject) -> None:
    groups = [1, 2, 3, 4]
    shows = {group: draw.draw(st.sampled_from(list(Colour)), label="shows") for group in groups}
    arrows = draw.draw(st.sets(st.sampled_from(groups)))
    lights = {group: draw.draw(st.sampled_from([*LIGHTS[:1], *MEANS[shows[group]]])) for group in groups}
    frame = bytearray(said(lights))
    for bit in draw.draw(st.lists(st.integers(0, 8 * len(frame) - 1), max_size=2)):
        frame[bit // 8] ^= 0x80 >> bit % 8
    if made({g: [g] for g in groups}, arrows, shows).judge(bytes(frame), None).ruling is Ruling.PASS:
        for phase in codec.decode(bytes(frame))[1]["intersections"][0]["phases"]:
            light, group = phase["phaseStates"][0]["light"], phase["id"]
            assert light in ("unavailable", MEANS[shows[group]][group in arrows])


# Usual or not: told, never blocked; conflict alone silences


def crossing(conflicts: set[tuple[int, int]], groups: dict[int, list[int]]) -> Programme:
    return Programme(
        "p",
        tuple(sorted({g for own in groups.values() for g in own})),
        tuple(Phase(phase, tuple(own)) for phase, own in groups.items()),
        (Stage(1, (1,)), Stage(2, (2,))),
        (Plan(1, 60.0, (StageSlot(1, 30.0), StageSlot(2, 30.0))),),
        tuple(sorted(conflicts)),
    )


def test_only_two_greens_that_the_matrix_calls_never_together_are_a_conflict() -> None:
    evidence = Evidence()
    evidence.programme(crossing({(1, 2), (2, 3)}, {1: [1], 2: [2], 3: [3]}))
    for one, two, three in product(Colour, repeat=3):
        evidence.saw(report(1.0, {1: one, 2: two, 3: three}), 60.0)
        green = {group for group, colour in ((1, one), (2, two), (3, three)) if colour in GO}
        hostile = [pair for pair in combinations(sorted(green), 2) if pair in {(1, 2), (2, 3)}]
        assert evidence.conflict() == (hostile[0] if hostile else None)


def test_a_group_of_two_phases_is_free_where_either_phase_may_run_with_the_other() -> None:
    evidence = Evidence()
    evidence.programme(crossing({(1, 2)}, {1: [1, 9], 2: [2], 3: [9]}))  # 9 is an overlap of 1 and 3
    evidence.saw(report(1.0, {9: Colour.GREEN, 2: Colour.GREEN}), 60.0)
    assert evidence.conflict() is None
    evidence.saw(report(1.1, {1: Colour.GREEN, 2: Colour.GREEN}), 60.0)
    assert evidence.conflict() == (1, 2)


@pytest.mark.parametrize(("before", "after"), list(product(Colour, Colour)))
def test_no_change_of_colour_is_ever_blocked_for_being_odd(before: Colour, after: Colour) -> None:
    guard = made({7: [1]}, set(), {1: before})
    guard.saw(report(1.1, {1: after}))
    assert guard.doubt() is None
    assert guard.judge(said({7: MEANS[after][0]}), None).ruling is Ruling.PASS


def test_a_short_yellow_is_told_as_it_is() -> None:
    guard = made({7: [1]}, set(), {1: Colour.GREEN})
    for step, colour in enumerate((Colour.YELLOW, Colour.YELLOW, Colour.RED), 1):
        guard.saw(report(1.0 + step / 10, {1: colour}))
        assert guard.judge(said({7: MEANS[colour][0]}), None).ruling is Ruling.PASS


def test_an_arrow_may_go_dark_in_the_plan_and_a_round_head_that_does_is_counted() -> None:
    guard = made({7: [1], 8: [2]}, {2}, {1: Colour.GREEN, 2: Colour.GREEN})
    guard.saw(report(2.0, {1: Colour.GREEN, 2: Colour.DARK}))
    guard.saw(report(3.0, {1: Colour.GREEN, 2: Colour.GREEN}))
    assert guard.evidence.held(3.1) == frozenset()
    assert guard.evidence.counters["dark_head"] == 0
    guard.saw(report(4.0, {1: Colour.DARK, 2: Colour.GREEN}))
    guard.saw(report(4.1, {1: Colour.DARK, 2: Colour.GREEN}))
    assert guard.evidence.held(4.2) == {1}
    assert guard.evidence.counters["dark_head"] == 1
    assert guard.judge(said({7: "dark", 8: "protected-green"}), None).ruling is Ruling.PASS


# Doubts in time


def spoken(doubts: Doubts, doubted: set[int], ticks: int, cycle_s: float = 90.0) -> list[Voice]:
    return [doubts.tick("stale" if n in doubted else None, n / 10, cycle_s) for n in range(ticks)]


def degradations(voices: list[Voice]) -> list[tuple[float, float]]:
    """(begin, return) of each, seconds."""
    speaking = [voice is Voice.SPEAKING for voice in voices]
    begun = [n / 10 for n in range(1, len(voices)) if speaking[n - 1] and not speaking[n]]
    ended = [n / 10 for n in range(1, len(voices)) if not speaking[n - 1] and speaking[n]]
    return list(zip(begun, [*ended, float("inf")], strict=False))


def test_one_blip_is_told_at_once_and_over_two_clean_seconds_later() -> None:
    ((begin, end),) = degradations(spoken(Doubts(), {100}, 300))
    assert (begin, end) == (10.0, pytest.approx(10.1 + CLEAN_S))


def test_a_second_within_sixty_seconds_of_a_return_lasts_until_they_are_over() -> None:
    (_, first_end), (begin, end) = degradations(spoken(Doubts(), {100, 500}, 2000))
    assert begin == 50.0
    assert end == pytest.approx(first_end + AGAIN_S, abs=0.11)


def test_a_second_after_sixty_seconds_is_a_first_again() -> None:
    *_, (begin, end) = degradations(spoken(Doubts(), {100, 800}, 2000))
    assert end - begin == pytest.approx(0.1 + CLEAN_S, abs=0.01)


@pytest.mark.parametrize(("third", "waits_a_cycle"), [(5900, True), (6300, False)])
def test_the_third_in_ten_minutes_waits_for_one_whole_cycle_without_doubt(
    third: int, waits_a_cycle: bool
) -> None:
    voices = spoken(Doubts(), {100, 2000, third}, third + 1500)
    *_, (begin, end) = degradations(voices)
    assert begin == third / 10
    assert (third / 10 - 10.0 <= OFTEN_S) == waits_a_cycle
    assert end - begin == pytest.approx(0.1 + (90.0 if waits_a_cycle else CLEAN_S), abs=0.01)


def test_a_doubt_in_that_cycle_begins_it_anew() -> None:
    *_, (begin, end) = degradations(spoken(Doubts(), {100, 2000, 4000, 4500}, 7000))
    assert (begin, end) == (400.0, pytest.approx(450.1 + 90.0, abs=0.01))


@settings(max_examples=60)
@given(st.sets(st.integers(0, 3000), max_size=40))
def test_whatever_is_doubted_nothing_is_said_for_two_seconds_and_nothing_needs_a_hand(
    doubted: set[int],
) -> None:
    voices = spoken(Doubts(), doubted, 3000 + 1000)
    for n in range(1, len(voices)):
        if voices[n] is Voice.SPEAKING:
            assert n not in doubted
            if voices[n - 1] in (Voice.TELLING, Voice.SILENT):
                assert not doubted & set(range(n - int(CLEAN_S * 10) + 1, n))
    assert voices[-1] is Voice.SPEAKING
    tellings = "".join("t" if voice is Voice.TELLING else "." for voice in voices).split(".")
    assert max(map(len, tellings)) <= TELL_S * 10 + 1  # a tick at either end


# The speaker


def speaker(**groups: object) -> SpatSpeaker:
    made_speaker = spat_speaker({1: [1], 3: [5]}, [5])
    made_speaker.saw(crossing({(1, 2)}, {1: [1], 2: [5]}))
    return made_speaker


def drive(
    one: SpatSpeaker, seconds: tuple[float, float], silent: tuple[float, float], **more: object
) -> list[tuple[float, bytes | None]]:
    """A 60 s plan of two groups, reports at 10 Hz but for the silence; what was sent when."""
    out = []
    for step in range(round(seconds[0] * 10), round(seconds[1] * 10)):
        now = step / 10
        into = now % 60
        colours = {1: Colour.RED, 5: Colour.RED}
        colours[1 if into < 30 else 5] = Colour.GREEN if into % 30 < 27 else Colour.YELLOW
        stage = StageReport(1 if into < 30 else 2, StageState.RUNNING)
        if not silent[0] <= now < silent[1]:
            one.saw(report(now, colours, stage=stage, **more))
        out.append((now, one.speak(Instant(now + 0.01, None)).frame))
    return out


def timed(frame: bytes | None) -> list[bool]:
    return [phase.likely is not None for phase in read_spat(frame or b"").phases]


def test_times_come_back_with_the_colours_after_a_short_doubt() -> None:
    one = speaker()
    *_, (_, last) = drive(one, (0, 190), (0, 0))
    assert timed(last) == [True, True]
    after = drive(one, (190, 200), (190.0, 190.8))
    back = next(frame for now, frame in after if now > 191 and frame and any(timed(frame)))
    assert timed(back) == [True, True]


def test_times_wait_when_the_stage_changed_within_a_short_doubt() -> None:
    one = speaker()
    drive(one, (0, 209), (0, 0))
    after = drive(one, (209, 214), (209.5, 210.3))  # the stage changes at 210
    said_again = [frame for now, frame in after if now > 212.7]
    assert said_again
    assert not any(any(timed(frame)) for frame in said_again if frame)


@settings(max_examples=50)
@given(st.integers(0, 127), st.sampled_from([frozenset({1}), frozenset(range(1, 17))]))
def test_only_the_count_changes_when_the_ready_made_frame_is_patched(count: int, phases: frozenset) -> None:
    frame = codec.encode(("spatFrame", unavailable_value(PhaseTable({p: [p] for p in phases}), IDENTITY)))
    other = counted(frame, 8 * len(frame) - 15, count)
    before, after = codec.decode(frame)[1], codec.decode(other)[1]
    assert after == before | {"msgCnt": count}
    assert (frame[1] ^ other[1]) & 1 == 0
    assert frame[2:] == other[2:]


def test_the_unavailable_frame_says_of_every_phase_that_nothing_is_known() -> None:
    read = read_spat(speaker().frames.ready.frame)
    assert [(phase.light, phase.likely, phase.least, phase.most) for phase in read.phases] == [
        (0, None, None, None)
    ] * 2
    assert (read.minute, read.millisecond) == (None, None)
    assert read.status == 1 << 15 - 13  # noValidSPATisAvailable
