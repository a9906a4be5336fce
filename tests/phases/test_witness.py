"""The witness: what cameras see can take away, and gives back what agrees again."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.phases.witness import FRESH_S, LETS_GO_S, LIT, Witness
from rsu_agent.world.signal import Colour, Lamp, SignalReport
from rsu_agent.world.witness import HeadSeen, HeadsSeen

PERIOD_S = 0.1
G, R, Y, DARK, NONE = Colour.GREEN, Colour.RED, Colour.YELLOW, Colour.DARK, Colour.UNKNOWN
Says = Callable[[float], Mapping[int, Colour]]


class Bench:
    """Reports and pictures ten times a second, each telling what it is told to tell."""

    def __init__(self) -> None:
        self.witness = Witness()
        self.now_s = 100.0
        self._seen: dict[int, tuple[Colour, float]] = {}

    def run(self, seconds: float, told: Mapping[int, Colour], seen: Mapping[int, Colour]) -> Bench:
        for _ in range(round(seconds / PERIOD_S)):
            self.now_s += PERIOD_S
            self.report(told)
            self.picture(seen)
        return self

    def report(self, told: Mapping[int, Colour]) -> None:
        lamps = tuple(Lamp(group, colour) for group, colour in told.items())
        self.witness.saw_report(SignalReport(self.now_s, self.now_s + 0.01, lamps, True))

    def picture(self, seen: Mapping[int, Colour]) -> None:
        for group, colour in seen.items():
            if self._seen.get(group, (None,))[0] is not colour:
                self._seen[group] = colour, self.now_s
        heads = tuple(HeadSeen(g, c, self._seen[g][1], self.now_s) for g, c in seen.items())
        self.witness.saw_heads(HeadsSeen("cam", self.now_s, heads), PERIOD_S)

    @property
    def lost(self) -> frozenset[int]:
        return self.witness.contradicted(self.now_s)


def test_lamps_that_are_as_told_take_nothing_away() -> None:
    bench = Bench()
    for colour in (R, G, Y, R, G):
        bench.run(5.0, {1: colour}, {1: colour})
        assert bench.lost == bench.witness.timeless() == frozenset()
    assert bench.witness.agreement(bench.now_s)[1].agrees is True


@pytest.mark.parametrize("late_s", [-0.3, -0.1, 0.1, 0.3, 0.5])
def test_a_lamp_may_change_a_little_before_or_after_its_report(late_s: float) -> None:
    bench = Bench().run(5.0, {1: R}, {1: R})
    early, late = ({1: R}, {1: G}), ({1: G}, {1: R})
    bench.run(abs(late_s), *(late if late_s > 0 else early)).run(5.0, {1: G}, {1: G})
    assert bench.witness.counters["disagreements"] == 0


def test_a_contradiction_takes_times_at_once_and_the_colour_when_it_is_confirmed() -> None:
    bench = Bench().run(5.0, {1: R, 2: R}, {1: R, 2: R}).run(0.8, {1: G, 2: R}, {1: R, 2: R})
    assert bench.witness.timeless() == {1}
    assert bench.lost == frozenset()
    bench.run(1.2, {1: G, 2: R}, {1: R, 2: R})
    assert bench.lost == {1}
    assert bench.witness.agreement(bench.now_s)[1].contradicted


def test_a_burnt_out_green_is_not_believed_again_because_red_is_right() -> None:
    bench = Bench().run(5.0, {1: R}, {1: R}).run(5.0, {1: G}, {1: DARK}).run(30.0, {1: R}, {1: R})
    assert bench.lost == {1}
    bench.run(5.0, {1: G}, {1: G})  # the lamp was changed
    assert bench.lost == {1}, "not before it has been right for a whole green"
    bench.run(3.0, {1: Y}, {1: Y})
    assert bench.lost == bench.witness.timeless() == frozenset()


def test_two_swapped_groups_are_both_lost_and_a_third_is_not() -> None:
    bench = Bench()
    for one, two in ((G, R), (R, G)):
        told, seen = {1: one, 2: two, 3: R, 4: R, 5: R}, {1: two, 2: one, 3: R, 4: R, 5: R}
        bench.run(4.0, told, seen)
    assert bench.lost == {1, 2}
    assert bench.witness.doubt(bench.now_s) is None


def test_a_frozen_controller_is_doubted_as_a_whole() -> None:
    frozen = {1: G, 2: R, 3: G, 4: R}
    bench = Bench().run(5.0, frozen, frozen).run(4.0, frozen, {1: R, 2: G, 3: R, 4: R})
    assert bench.lost == {1, 2, 3}
    assert bench.witness.doubt(bench.now_s) == "witness"
    for one, two in ((R, G), (G, R), (R, G)):  # it runs again
        colours = {1: one, 2: two, 3: one, 4: two}
        bench.run(5.0, colours, colours)
    assert bench.witness.doubt(bench.now_s) is None
    assert bench.lost == frozenset()


def test_two_swapped_groups_that_are_red_together_for_a_while_are_not_believed_for_it() -> None:
    bench = Bench()
    for _ in range(3):
        bench.run(6.0, {1: G, 2: R}, {1: R, 2: G}).run(3.0, {1: R, 2: R}, {1: R, 2: R})
        assert bench.lost == {1, 2}
        bench.run(6.0, {1: R, 2: G}, {1: G, 2: R}).run(3.0, {1: R, 2: R}, {1: R, 2: R})
        assert bench.lost == {1, 2}


def test_no_opinion_is_not_disagreement() -> None:
    bench = Bench().run(5.0, {1: R}, {1: R}).run(60.0, {1: G}, {1: NONE})
    assert bench.lost == bench.witness.timeless() == frozenset()
    assert bench.witness.agreement(bench.now_s)[1].agrees is None


def test_a_camera_that_falls_silent_has_no_opinion_any_more() -> None:
    bench = Bench().run(5.0, {1: R}, {1: R})
    for _ in range(30):
        bench.now_s += PERIOD_S
        bench.report({1: G})
    stands = bench.witness.agreement(bench.now_s)[1]
    assert stands.agrees is None
    assert bench.now_s - (stands.seen_s or 0.0) > FRESH_S


def test_what_a_camera_saw_long_ago_holds_nothing_back_for_ever() -> None:
    bench = Bench().run(5.0, {1: G}, {1: R})
    assert bench.lost == {1}
    bench.now_s += LETS_GO_S + 1.0
    assert bench.lost == frozenset()


def test_a_controller_that_says_nothing_is_not_contradicted() -> None:
    bench = Bench().run(5.0, {1: R}, {1: R})
    for _ in range(100):
        bench.now_s += PERIOD_S
        bench.picture({1: G})
    assert bench.lost == frozenset()


def test_a_group_that_a_bad_line_tells_nothing_of_is_not_contradicted_by_reports_of_others() -> None:
    """Its change was lost; what a trap says of another group is no word on it."""
    bench = Bench().run(5.0, {1: R, 2: R}, {1: R, 2: R})
    bench.run(6.0, {2: R}, {1: G, 2: R})
    assert bench.lost == frozenset()
    assert bench.witness.agreement(bench.now_s)[1].agrees is None
    assert bench.run(3.0, {1: R, 2: R}, {1: G, 2: R}).lost == {1}


def test_a_second_head_of_the_group_that_shines_speaks_for_a_dark_one_and_not_against_a_wrong_one() -> None:
    for other, lost in ((DARK, False), (R, True)):
        witness, now_s = Witness(), 100.0
        for _ in range(50):
            now_s += PERIOD_S
            witness.saw_report(SignalReport(now_s, now_s, (Lamp(1, G),), True))
            heads = (HeadSeen(1, G, None, now_s), HeadSeen(1, other, None, now_s))
            witness.saw_heads(HeadsSeen("cam", now_s, heads), PERIOD_S)
        assert bool(witness.contradicted(now_s)) is lost


def test_a_flash_where_steady_is_told_is_a_contradiction_of_a_controller_that_tells_flashes() -> None:
    for tells, lost in ((True, True), (False, False)):
        bench = Bench()
        bench.run(4.0, {1: Colour.GREEN_FLASH if tells else G}, {1: Colour.GREEN_FLASH if tells else G})
        bench.run(4.0, {1: Y}, {1: Y}).run(8.0, {1: Y}, {1: Colour.YELLOW_FLASH})
        assert bool(bench.lost) is lost


def test_red_with_yellow_and_colours_that_nobody_knows() -> None:
    bench = Bench().run(3.0, {1: R}, {1: R}).run(3.0, {1: Colour.RED_YELLOW}, {1: Colour.RED_YELLOW})
    bench.run(3.0, {1: NONE}, {1: G})
    assert bench.lost == bench.witness.timeless() == frozenset()
    assert bench.run(3.0, {1: Colour.RED_YELLOW}, {1: R}).lost == {1}


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Colour)), st.sampled_from(list(Colour)), st.integers(1, 40)),
        max_size=12,
    )
)
def test_nothing_that_is_seen_or_told_breaks_it_and_only_contradicted_groups_are_without_colour(
    steps: list[tuple[Colour, Colour, int]],
) -> None:
    bench = Bench()
    for told, seen, looks in steps:
        bench.run(looks * PERIOD_S, {1: told}, {1: seen})
        assert bench.lost <= bench.witness.timeless() <= {1}
    if all(NONE in (told, seen) or LIT[told] == LIT[seen] for told, seen, _ in steps):
        assert bench.lost == frozenset()
