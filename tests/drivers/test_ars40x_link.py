"""ARS40x cycles: opened by a status, joined by number, closed by count, the next status or a deadline."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from ars40x_peer import BYTES, cycle, frame, state, text
from hypothesis import given
from hypothesis import strategies as st

from drivers.ars40x.codes import DIALECTS
from drivers.ars40x.counting import ENOUGH, MissedCycles
from drivers.ars40x.link import CLOSE_S, Cycle, Event, Garbled, Link
from drivers.ars40x.wire import ObjectGeneral, ObjectQuality, RadarState, Version
from rsu_agent.ports.can_line import CanFrame

PERIOD_S = 0.075


def link(dialect: str = "ars40x") -> Link:
    return Link(DIALECTS[dialect], Counter())


def fed(own: Link, frames: Iterable[CanFrame]) -> list[Event]:
    return [event for one in frames for event in own.receive(one)]


def cycles(events: Iterable[Event]) -> list[Cycle]:
    return [event for event in events if isinstance(event, Cycle)]


def numbers(one: Cycle) -> list[int]:
    return [member.general.number for member in one.members]


def warmed(groups: str = "BCD") -> Link:
    """A link that knows what follows a status, at 0.075 s."""
    own = link()
    fed(own, cycle(2, [{"ID": 9}], groups=groups))
    fed(own, cycle(4, [], PERIOD_S))
    own.counters.clear()
    return own


def test_the_worked_frames_of_the_facts_are_one_object_with_all_that_is_told_of_it() -> None:
    own = warmed()
    lines = ["60A#0103E810", "60B#0754C3ED77A02294", "60C#0773DB0A5240A8", "60D#076E104169001709"]
    (one,) = cycles(fed(own, [text(line, 1.0) for line in lines]))
    (member,) = one.members
    assert (one.number, one.begun_s, one.whole) == (1000, 1.0, True)
    assert isinstance(member.general, ObjectGeneral)
    assert isinstance(member.quality, ObjectQuality)
    assert member.extended is not None
    assert member.general.number == member.quality.number == member.extended.number == 7


def test_an_empty_cycle_is_told_at_once() -> None:
    (one,) = cycles(fed(link(), [text("60A#0003E810", 5.0)]))
    assert (one.number, one.members, one.whole, one.begun_s) == (1000, (), True, 5.0)


def test_a_cycle_is_closed_by_its_last_message_once_it_is_known_what_follows() -> None:
    frames = cycle(6, [{"ID": 1}, {"ID": 2}], 1.0)
    own = warmed()
    assert cycles(fed(own, frames[:-1])) == []
    (one,) = cycles(fed(own, frames[-1:]))
    assert (numbers(one), one.whole) == ([1, 2], True)


@pytest.mark.parametrize("groups", ["B", "BC", "BD"])
def test_radars_that_send_less_of_each_object_are_learnt(groups: str) -> None:
    own = warmed(groups)
    (one,) = cycles(fed(own, cycle(6, [{"ID": 1}, {"ID": 2}], 1.0, groups=groups)))
    assert one.whole
    assert [member.quality is not None for member in one.members] == ["C" in groups] * 2
    assert [member.extended is not None for member in one.members] == ["D" in groups] * 2
    assert own.counters["late"] == 0


def test_as_long_as_it_is_not_known_what_follows_the_next_status_closes() -> None:
    own = link()
    assert cycles(fed(own, cycle(2, [{"ID": 1}], 0.0))) == []
    (one,) = cycles(fed(own, [frame(0x60A, PERIOD_S, NofObjects=1, MeasCounter=4)]))
    assert (one.number, numbers(one), one.whole) == (2, [1], True)


def test_a_radar_that_begins_to_send_more_costs_one_cycle_its_additions() -> None:
    own = warmed("B")
    events = fed(own, cycle(6, [{"ID": 1}], 1.0))
    assert [type(event) for event in events] == [Cycle, Garbled, Garbled]
    (one,) = cycles(fed(own, cycle(8, [{"ID": 1}], 1.1)))
    assert one.members[0].quality is not None
    assert one.members[0].extended is not None


def test_a_lost_object_leaves_the_others_and_the_cycle_is_known_to_be_incomplete() -> None:
    own = warmed()
    frames = cycle(6, [{"ID": 1}, {"ID": 2}, {"ID": 3}], 1.0)
    lost = [one for one in frames if not (one.id == 0x60B and one.data[0] == 2)]
    assert cycles(fed(own, lost)) == []
    (one,) = cycles(fed(own, cycle(8, [], 1.0 + PERIOD_S)))[:1]
    assert (numbers(one), one.whole) == ([1, 3], False)
    assert own.counters["incomplete"] == 1


def test_without_a_next_status_the_deadline_closes() -> None:
    own = warmed()
    fed(own, cycle(6, [{"ID": 1}], 1.0)[:2])
    assert own.due_s == pytest.approx(1.0 + CLOSE_S)
    assert list(own.tick(1.0 + 0.9 * CLOSE_S)) == []
    (one,) = own.tick(1.0 + CLOSE_S)
    assert (numbers(one), one.whole, own.due_s) == ([1], False, None)


def test_a_message_after_the_deadline_belongs_to_no_cycle() -> None:
    own = warmed()
    frames = cycle(6, [{"ID": 1}], 1.0)
    late = CanFrame(frames[2].id, frames[2].data, 1.0 + CLOSE_S)
    events = fed(own, [*frames[:2], late])
    assert [type(event) for event in events] == [Cycle, Garbled]
    assert own.counters["late"] == 1


def test_additions_are_joined_by_number_and_not_by_order() -> None:
    own = warmed()
    frames = cycle(6, [{"ID": 1, "Length": 2.0}, {"ID": 2, "Length": 9.0}], 1.0)
    begin, b1, b2, c1, c2, d1, d2 = frames
    (one,) = cycles(fed(own, [begin, b1, b2, c2, c1, d2, d1]))
    assert [(m.general.number, m.extended and m.extended.length_m) for m in one.members] == [
        (1, pytest.approx(2.0)),
        (2, pytest.approx(9.0)),
    ]


def test_a_number_told_twice_is_one_object_and_counted() -> None:
    own = warmed()
    begin, b1, *_ = cycle(6, [{"ID": 1}, {"ID": 2}], 1.0)
    fed(own, [begin, b1, b1])
    (one,) = cycles(fed(own, cycle(8, [], 1.1)))[:1]
    assert (numbers(one), one.whole, own.counters["repeated"]) == ([1], False, 1)


@pytest.mark.parametrize("message", [0x201, 0x60A, 0x60B, 0x60C, 0x60D, 0x600, 0x701, 0x702, 0x700])
@pytest.mark.parametrize("more", [-1, 1])
def test_a_message_of_another_length_is_garbled_and_costs_no_other(message: int, more: int) -> None:
    own = warmed()
    begin, *rest = cycle(6, [{"ID": 1}], 1.0)
    wrong = CanFrame(message, bytes(BYTES[message] + more), 1.0)
    events = fed(own, [begin, wrong, *rest])
    assert [type(event) for event in events] == [Garbled, Cycle]
    assert cycles(events)[0].whole
    assert own.counters["bad_length"] == 1


def test_all_messages_of_nanoradar_have_eight_bytes() -> None:
    own = link("nanoradar")
    sizes = [frame(0x60A, 0.0, size=8, NofObjects=0, MeasCounter=5), frame(0x60A, 0.1, NofObjects=0)]
    assert [type(event) for event in fed(own, sizes)] == [Cycle, Garbled]


def test_clusters_are_joined_like_objects_and_counted_near_and_far() -> None:
    own = link()
    for number in (2, 4):
        frames = [
            frame(0x600, 1.0 + number, Near=1, Far=1, MeasCounter=number),
            frame(0x701, 1.0 + number, ID=0, DistLong=10.0, DistLat=0.1, VrelLong=0.0, VrelLat=0.0, RCS=0.0),
            frame(0x701, 1.0 + number, ID=1, DistLong=90.0, DistLat=0.1, VrelLong=0.0, VrelLat=0.0, RCS=0.0),
            frame(0x702, 1.0 + number, ID=0, AmbigState=3),
            frame(0x702, 1.0 + number, ID=1, AmbigState=2),
        ]
        events = fed(own, frames)
    (one,) = [event for event in cycles(events) if event.number == 4]
    assert (one.status, numbers(one), one.whole) == (0x600, [0, 1], True)
    assert all(member.quality is not None and member.extended is None for member in one.members)


def test_state_and_version_pass_a_cycle_without_closing_it() -> None:
    own = warmed()
    begin, *rest = cycle(6, [{"ID": 1}], 1.0)
    version = frame(0x700, 1.0, Major=4, Minor=30, Patch=1, ExtendedRange=1)
    events = fed(own, [begin, state(1.0), version, *rest])
    assert [type(event) for event in events] == [RadarState, Version, Cycle]


@given(
    ids=st.lists(st.lists(st.integers(0, 255), unique=True, max_size=12), min_size=2, max_size=6),
    noise=st.lists(st.tuples(st.integers(0, 0x7FF), st.binary(max_size=8)), max_size=40),
    seed=st.integers(0, 1 << 30),
)
def test_noise_of_other_nodes_never_costs_a_cycle(
    ids: list[list[int]], noise: list[tuple[int, bytes]], seed: int
) -> None:
    own, dice = warmed(), random.Random(seed)
    foreign = [(number, data) for number, data in noise if (number & 0x78F) not in BYTES]
    sent = [
        one
        for index, group in enumerate(ids)
        for one in cycle(2 * index, [{"ID": n} for n in group], 1.0 + PERIOD_S * index)
    ]
    for number, data in foreign:
        at = dice.randrange(len(sent) + 1)
        sent.insert(at, CanFrame(number, data, sent[at - 1].arrived_s if at else 1.0))
    assert [sorted(numbers(one)) for one in cycles(fed(own, sent))] == [sorted(group) for group in ids]
    assert own.counters["incomplete"] == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(BYTES)), st.binary(max_size=8), st.floats(0, 0.2)), max_size=300
    )
)
def test_any_messages_end_in_events_and_bounded_memory(drawn: list[tuple[int, bytes, float]]) -> None:
    own, now_s = link(), 0.0
    for message, data, later_s in drawn:
        now_s += later_s
        for event in own.receive(CanFrame(message, data, now_s)):
            assert isinstance(event, (Cycle, RadarState, Version, Garbled))
    (*_, last) = (*fed(own, [text("60A#0003E810", now_s + 1.0)]),)
    assert isinstance(last, Cycle)
    assert last.number == 1000


def missed_of(counts: Iterable[int]) -> tuple[list[int], Counter[str]]:
    counters: Counter[str] = Counter()
    own = MissedCycles(counters)
    return [own.before(number % (1 << 16)) for number in counts], counters


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_count_with_any_steady_step_has_no_losses_and_a_gap_is_measured_in_it(step: int) -> None:
    steady = [step * n for n in range(65_500, 65_600)]  # over the end of sixteen bits
    assert set(missed_of(steady)[0]) == {0}
    missed, counters = missed_of([*steady[:50], *steady[53:]])
    assert (sum(missed), missed[50], counters["missed"]) == (3, 3, 3)


def test_the_step_is_learnt_although_cycles_are_lost_meanwhile() -> None:
    missed, _ = missed_of([0, 2, 4, 8, 10, 12, 14, 20])
    assert missed[-1] == 2
    assert missed[:ENOUGH] == [0] * ENOUGH  # nothing is claimed before


def test_a_restarted_count_and_one_that_stands_are_no_losses() -> None:
    counts = [*range(1000, 1100, 2), 0, 2, 4, 4]
    missed, counters = missed_of(counts)
    assert sum(missed) == 0
    assert (counters["count_jumps"], counters["count_stands"]) == (1, 1)
