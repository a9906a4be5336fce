"""Field-rules 2, 3 and 5 in the mappers: phase table, greens, units, limits, RSM, RSI, budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.rsi import rsi_value
from rsu_agent.messages.csae53.rsm import REUSE_S, USERS_A_PART, PtcIds, rsm_values
from rsu_agent.messages.csae53.spat import light, spat_value
from rsu_agent.messages.frames import Sent
from rsu_agent.messages.moment import Instant, UtcStamp, utc_stamp
from rsu_agent.outlets.road_speaker import RoadSpeaker
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import NON_MOTOR, RoadUser, Scene, SensorHealth, UserClass
from rsu_agent.world.signal import Colour, Control, GroupOutlook, SignalOutlook
from tests.outlets.made import road_speaker

NOW = Instant(5.0, 1.79e9)

ORIGIN = GeoPoint(22.69, 114.34, 45.0)
RSU = b"rsu-0001"


def timing(group: GroupOutlook, now_s: float = 100.0) -> dict | None:
    outlook = SignalOutlook(now_s, (group,), Control.FIXED_TIME, 1, 1)
    value = spat_value(outlook, PhaseTable({3: [5]}), (12, 0), None, 0, now_s=now_s)
    value = codec.decode(codec.encode(("spatFrame", value)))[1]
    found = value["intersections"][0]["phases"][0]["phaseStates"][0].get("timing")
    return found[1] if found else None


def test_more_than_sixteen_phases_are_refused_naming_every_group() -> None:
    with pytest.raises(ValueError, match="PhaseList holds 16") as refused:
        PhaseTable({phase: [100 + phase, 200 + phase] for phase in range(1, 18)})
    for phase in range(1, 18):
        assert f"{phase}: groups [{100 + phase}, {200 + phase}]" in str(refused.value)
    assert len(PhaseTable({phase: [phase] for phase in range(1, 17)}).phases) == 16


@pytest.mark.parametrize("phase", [0, 255, 256, -1, 280])
def test_numbers_that_phase_id_cannot_hold_or_that_are_reserved_are_refused(phase: int) -> None:
    with pytest.raises(ValueError, match=f"phaseId {phase} may not be used"):
        PhaseTable({phase: [1]})


@pytest.mark.parametrize("colour", list(Colour))
def test_only_a_steady_green_differs_between_arrow_and_round(colour: Colour) -> None:
    differs = light(colour, arrow=True) != light(colour, arrow=False)
    assert differs == (colour is Colour.GREEN)


def test_a_phase_of_an_arrow_and_a_round_lamp_promises_no_protection() -> None:
    assert not PhaseTable({3: [5, 6]}, arrows=[5]).is_arrow(3)
    assert PhaseTable({3: [5, 6]}, arrows=[5, 6]).is_arrow(3)


@pytest.mark.parametrize("colour", [Colour.DARK, Colour.UNKNOWN])
def test_what_does_not_shine_has_no_times(colour: Colour) -> None:
    assert timing(GroupOutlook(5, colour, 90.0, 105.0, 106.0, 107.0, 0.9)) is None


ENDS = st.lists(st.floats(-50.0, 9000.0), min_size=3, max_size=3).map(sorted)


@settings(max_examples=300)
@given(ENDS, st.sets(st.integers(0, 2)), st.one_of(st.none(), st.floats(0.0, 1.0)))
def test_times_are_in_range_in_order_and_never_now(
    ends: list[float], absent: set[int], confidence: float | None
) -> None:
    least, likely, most = (None if i in absent else 100.0 + end for i, end in enumerate(ends))
    said = timing(GroupOutlook(5, Colour.RED, 90.0, least, likely, most, confidence))
    if likely is None and (least is None or most is None):
        assert said is None
        return
    assert said is not None
    known = [
        said[name] for name in ("minEndTime", "likelyEndTime", "maxEndTime") if said.get(name, 36001) < 36001
    ]
    assert known == sorted(known)
    assert all(0 <= value <= 36000 for value in known)
    assert (said["likelyEndTime"] == 36001) == (likely is None)
    assert said["likelyEndTime"] >= 1
    assert said.get("minEndTime") != 36001
    assert said.get("maxEndTime") != 36001


def test_countdowns_count_from_the_instant_of_encoding_not_of_the_report() -> None:
    group = GroupOutlook(5, Colour.GREEN, 90.0, 105.0, 105.0, 105.0, None, 150.0, 30.0)
    for now_s, likely, following in ((100.0, 50, 500), (101.2, 38, 488), (104.9, 1, 451)):
        said = timing(group, now_s)
        assert said is not None
        assert (said["likelyEndTime"], said["nextStartTime"], said["nextDuration"]) == (
            likely,
            following,
            300,
        )
        assert said["startTime"] == 0


@pytest.mark.parametrize("confidence", [0.0, 0.004, 0.98, 1.0])
def test_confidence_comes_in_steps_of_half_a_percent(confidence: float) -> None:
    said = timing(GroupOutlook(5, Colour.RED, 90.0, 105.0, 105.0, 105.0, confidence))
    assert said is not None
    assert abs(said["timeConfidence"] * 0.005 - confidence) <= 0.0025


def test_the_year_turns_at_eight_in_the_morning_in_beijing() -> None:
    last = datetime(2026, 12, 31, 23, 59, 59, 999_000, UTC).timestamp()
    assert utc_stamp(last) == UtcStamp(525_599, 59_999)
    assert utc_stamp(last + 0.001) == UtcStamp(0, 0)
    leap = datetime(2028, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    assert utc_stamp(leap).minute_after(2) == 1


def user(track: int, kind: UserClass = UserClass.CAR, x: float = 10.0, speed: float = 5.0) -> RoadUser:
    return RoadUser(track, kind, x, 0.0, speed, 0.0, speed, 90.0, 4.5, 1.8, 1.5, 0.3, ("cam",), 0.0)


@settings(max_examples=40)
@given(st.integers(0, 70), st.integers(0, 59_999))
def test_every_part_holds_the_rsu_first_and_nobody_is_left_out(count: int, mark: int) -> None:
    users = [user(track) for track in range(1, count + 1)]
    parts = list(rsm_values(users, {"cam": "camera"}, PtcIds(), ORIGIN, RSU, mark, 5.0))
    assert len(parts) == max(1, -(-count // USERS_A_PART))
    seen = []
    for part in parts:
        rsu, *others = codec.decode(codec.encode(("rsmFrame", part)))[1]["participants"]
        assert (rsu["ptcType"], rsu["ptcId"], rsu["source"], rsu["speed"]) == ("rsu", 0, "selfinfo", 0)
        assert len(others) <= USERS_A_PART
        assert {entry["secMark"] for entry in (rsu, *others)} == {mark}
        assert not any("id" in entry for entry in others)  # only when matched to a verified BSM
        seen += [entry["ptcId"] for entry in others]
    assert len(seen) == count == len(set(seen))


@pytest.mark.parametrize(
    ("sources", "v2x_id", "told", "told_id"),
    [
        (("cam",), None, "video", None),
        (("cam", "v2x"), "0102030405060708", "integrated", bytes(range(1, 9))),
        (("v2x",), "0102030405060708", "v2x", bytes(range(1, 9))),
        (("v2x",), "0a0b0c0d", "v2x", b"\0\0\0\0\x0a\x0b\x0c\x0d"),  # a station of another set
    ],
)
def test_who_tells_of_itself_has_its_own_id_and_source(
    sources: tuple[str, ...], v2x_id: str | None, told: str, told_id: bytes | None
) -> None:
    own = replace(user(1), sources=sources, v2x_id=v2x_id)
    (part,) = rsm_values([own], {"cam": "camera"}, PtcIds(), ORIGIN, RSU, 0, 5.0)
    entry = codec.decode(codec.encode(("rsmFrame", part)))[1]["participants"][1]
    assert (entry["source"], entry.get("id")) == (told, told_id)


def test_who_is_known_by_its_own_word_alone_is_in_no_scene_of_what_was_seen() -> None:
    alone, both = replace(user(1), sources=("v2x",)), replace(user(2), sources=("cam", "v2x"))
    assert Scene(0.0, 1, (alone, both), ()).seen().users == (both,)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 400), st.floats(0.0, 3.0)), max_size=300))
def test_no_participant_id_comes_to_another_track_within_thirty_seconds(
    steps: list[tuple[int, float]],
) -> None:
    ids, now_s = PtcIds(), 0.0
    last: dict[int, tuple[int, float]] = {}
    for track, pause_s in steps:
        now_s += pause_s
        number = ids.of(track, now_s)
        if number is None:
            assert len(last) == 255
            continue
        assert 1 <= number <= 255
        owner, used_s = last.get(number, (track, now_s))
        assert owner == track or now_s - used_s >= REUSE_S
        last[number] = (track, now_s)


def test_with_all_ids_fresh_the_next_track_waits() -> None:
    ids = PtcIds()
    assert [ids.of(track, 10.0) for track in range(255)] == list(range(1, 256))
    assert ids.of(999, 10.0 + REUSE_S - 0.1) is None
    assert ids.of(999, 10.0 + REUSE_S) == 1


def speaker(budget: float = 30_000.0, must_cover: tuple[str, ...] = ("n",)) -> RoadSpeaker:
    return road_speaker(ORIGIN, RSU, must_cover, budget)


def scene(
    users: list[RoadUser], *, healthy: bool = True, covers: tuple[str, ...] = ("n",), tick: int = 50
) -> Scene:
    return Scene(5.0, tick, tuple(users), (SensorHealth("cam", healthy, "", 0.0, covers),))


def told(sent: list[Sent]) -> list[dict]:
    return [entry for _, frame in sent for entry in codec.decode(frame)[1]["participants"] if entry["ptcId"]]


def test_sec_mark_is_the_instant_that_the_states_are_for() -> None:
    ((_, frame),) = speaker().users(scene([user(1)]), 1_790_000_012.25)
    assert {entry["secMark"] for entry in codec.decode(frame)[1]["participants"]} == {
        utc_stamp(1_790_000_012.25).millisecond
    }


@pytest.mark.parametrize(
    ("utc_s", "healthy", "covers"),
    [(None, True, ("n",)), (1.79e9, False, ("n",)), (1.79e9, True, ("s",)), (1.79e9, True, ())],
)
def test_without_clock_or_cover_there_is_no_rsm_at_all(
    utc_s: float | None, healthy: bool, covers: tuple[str, ...]
) -> None:
    assert speaker().users(scene([user(1)], healthy=healthy, covers=covers), utc_s) == []


def test_an_empty_road_that_is_covered_is_told_as_empty() -> None:
    (sent,) = speaker().users(scene([]), 1.79e9)
    assert told([sent]) == []


@pytest.mark.parametrize(
    ("people", "cycles", "told_of"), [(70, 10, 70), (130, 5, 130), (200, 2, 200), (254, 2, 254)]
)
def test_the_default_budget_holds_every_second_by_rate_before_anybody_that_matters_is_left_out(
    people: int, cycles: int, told_of: int
) -> None:
    road = speaker()
    users = [user(track, x=10.0 + track / 10) for track in range(1, people + 1)]
    sent = [road.users(scene(users, tick=tick), 1.79e9 + tick / 10) for tick in range(10)]
    assert [bool(frames) for frames in sent] == [tick % (10 // cycles) == 0 for tick in range(10)]
    assert sum(len(frame) for frames in sent for frame in frames) <= 30_000
    assert {len(told(frames)) for frames in sent if frames} == {told_of}


def test_who_is_parked_and_far_does_not_slow_down_the_others() -> None:
    parked = [user(track, x=90.0, speed=0.0) for track in range(1, 101)]
    movers = [user(track) for track in range(101, 121)]
    road = speaker()
    sent = [told(road.users(scene([*parked, *movers], tick=tick), 1.79e9)) for tick in range(10)]
    assert all(sent)
    assert road.counters["shed"] > 0


def test_parked_and_far_is_shed_first_and_vulnerable_and_conflicting_last() -> None:
    ranks = [
        [user(1, x=90.0, speed=0.0), user(2, x=60.0, speed=0.0)],  # parked and far
        [user(3, x=80.0), user(4, x=5.0, speed=0.0)],  # far movers, standing near
        [
            user(5, x=5.0),
            *(
                user(10 + n, kind, x=70.0, speed=0.0)
                for n, kind in enumerate([*sorted(NON_MOTOR), UserClass.PEDESTRIAN])
            ),
        ],
    ]
    everybody = [one for rank in ranks for one in rank]
    sizes = {one.track: one for one in everybody}
    for room in range(1, len(everybody) + 1):
        road = speaker(budget=room * 72.0)  # at 2 Hz: the rate has gone as far as it goes
        every, kept_users = road._within_budget(everybody)
        kept = {one.track for one in kept_users}
        if every != 5:
            continue
        assert len(kept) == room
        lost = [[one.track not in kept for one in rank] for rank in ranks]
        for lesser, greater in pairwise(lost):
            assert not any(greater) or all(lesser), "someone of more account was shed first"
        assert road.counters["shed"] == len(sizes) - room


def hazard(number: int, kind: HazardKind) -> Hazard:
    return Hazard(number, kind, 1.0, None, 3.0, 4.0, 7, None, 90.0, "seen")


@settings(max_examples=60)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
    st.integers(1, 1000),
)
@example(datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), 1)
@example(datetime(2028, 12, 31, 23, 59, 59, tzinfo=UTC), 1)
def test_an_rsi_ends_with_the_next_minute_at_the_earliest(at: datetime, number: int) -> None:
    stamp = utc_stamp(at.timestamp())
    value = rsi_value([hazard(number, HazardKind.WRONG_WAY)], {"wrong_way": 904}, ORIGIN, RSU, stamp, 3)
    assert value is not None
    (event,) = codec.decode(codec.encode(("rsiFrame", value)))[1]["rtes"]
    details = event["timeDetails"]
    assert details["endTime"] == utc_stamp(at.timestamp() + 60.0).minute_of_year
    assert details["startTime"] == stamp.minute_of_year
    assert (event["eventType"], event["rteId"]) == (904, number % 256)


def test_moving_offenders_have_no_code_and_are_never_in_an_rsi() -> None:
    movers = [hazard(1, HazardKind.RED_LIGHT_RUNNING), hazard(2, HazardKind.PEDESTRIAN_ON_RED)]
    assert speaker().hazards(movers, NOW) == []
    ((_, both),) = speaker().hazards([*movers, hazard(3, HazardKind.WRONG_WAY)], NOW)
    assert [event["rteId"] for event in codec.decode(both)[1]["rtes"]] == [3]
    assert speaker().hazards([hazard(3, HazardKind.WRONG_WAY)], Instant(5.0, None)) == []


def test_counts_go_on_across_the_parts_of_a_cycle_and_from_cycle_to_cycle() -> None:
    road, counts = speaker(), Counter()
    numbers = [
        codec.decode(frame)[1]["msgCnt"]
        for _ in range(60)
        for _, frame in road.users(scene([user(track) for track in range(1, 21)]), 1.79e9)
    ]
    counts.update(numbers)
    assert numbers == [n % 128 for n in range(120)]
    assert max(counts.values()) == 1
