"""The virtual controller's plans: sums, lawful sequences, no conflicting greens, equal histories."""

from __future__ import annotations

import bisect
from itertools import pairwise

import pytest
from ruamel.yaml import YAML

from hil.devices.signal_plan import (
    GROUPS,
    KINDS,
    PHASES,
    PLANS,
    STAGES,
    SignalPlan,
    conflicts,
    cycle_changes,
)
from rsu_agent.ports.assets import asset

MAY_GO = {"green", "green_flash"}
# What may follow what; dark is legal for arrows only, between red and yellow
FOLLOWS = {
    "red": {"green", "dark"},
    "green": {"green_flash"},
    "green_flash": {"yellow", "red"},
    "yellow": {"red"},
    "dark": {"yellow"},
}
ARROWS = {5, 6, 7, 8, 9, 10, 11, 12, 21}
PEDESTRIANS = {17, 18, 19, 20}

plans = pytest.mark.parametrize("plan", PLANS.values(), ids=lambda plan: f"plan {plan.number}")


def turned(changes: list[tuple[float, str]], cycle_s: int) -> list[tuple[float, str]]:
    return sorted((at % cycle_s, colour) for at, colour in changes)


def history(plan: SignalPlan, group: int) -> list[str]:
    """Colours in tenths of a second around one cycle."""
    changes = turned(cycle_changes(plan)[group], plan.cycle_s)
    times = [at for at, _ in changes]
    colours = []
    for tenth in range(plan.cycle_s * 10):
        i = bisect.bisect_right(times, tenth / 10) - 1
        colours.append(changes[i][1] if changes else "red")
    return colours


def test_there_are_a_sixty_second_plan_of_four_stages_a_second_one_and_a_short_one() -> None:
    assert PLANS[1].cycle_s == 60
    assert [stage for stage, _ in PLANS[1].chain] == [1, 2, 3, 4]
    assert PLANS[2].cycle_s != 60
    assert PLANS[3].cycle_s <= 30


@plans
def test_every_colour_follows_lawfully(plan: SignalPlan) -> None:
    for group, changes in cycle_changes(plan).items():
        colours = [colour for _, colour in changes]
        for before, after in pairwise([*colours, *colours[:1]]):
            assert after in FOLLOWS[before], (group, before, after)
        assert group in ARROWS or "dark" not in colours
        assert ("yellow" in colours) == (bool(colours) and group not in PEDESTRIANS)


@plans
def test_flash_and_yellow_last_three_seconds_and_pedestrians_flash_longer_and_end_earlier(
    plan: SignalPlan,
) -> None:
    lasts: dict[tuple[int, str], set[float]] = {}
    for group, changes in cycle_changes(plan).items():
        for (at, colour), (until, _) in pairwise(changes):
            lasts.setdefault((group, colour), set()).add(until - at)
    for (group, colour), seconds in lasts.items():
        if colour == "yellow":
            assert seconds == {3}
        if colour == "green_flash":
            assert seconds == ({5} if group in PEDESTRIANS else {3})
    ends = {
        group: max(at for at, colour in cycle_changes(plan)[group] if colour == "red") for group in (1, 18)
    }
    assert ends[18] < ends[1]


@plans
def test_no_two_conflicting_phases_ever_go_together_and_two_seconds_of_red_lie_between(
    plan: SignalPlan,
) -> None:
    said = {phase: history(plan, groups[0]) for phase, groups in PHASES.items()}
    for phase in PHASES:
        for other in conflicts(phase):
            assert not any(
                a in MAY_GO and b in MAY_GO for a, b in zip(said[phase], said[other], strict=True)
            ), (phase, other)
            for tenth in range(plan.cycle_s * 10):
                if said[phase][tenth] in MAY_GO and said[phase][tenth - 1] not in MAY_GO:
                    before = [said[other][tenth - k] for k in range(1, 21)]
                    assert not MAY_GO & set(before), (phase, other)


def test_the_conflict_matrix_is_symmetric_and_calls_nothing_a_conflict_that_a_stage_serves_together() -> None:
    for phase in PHASES:
        assert all(phase in conflicts(other) for other in conflicts(phase))
        for phases in STAGES.values():
            if phase in phases:
                assert not set(phases) & set(conflicts(phase))


def test_crossing_streams_are_conflicts() -> None:
    assert {3, 4, 12} <= set(conflicts(1))  # through north-south: through and left east-west, its crosswalks
    assert {13, 2} <= set(conflicts(3))
    assert 3 in conflicts(2)


def test_every_group_belongs_to_one_phase_and_has_a_kind() -> None:
    assert sorted(group for groups in PHASES.values() for group in groups) == list(GROUPS)
    assert set(KINDS) == set(GROUPS) == set(range(1, 25))
    assert {KINDS[group] for group in PEDESTRIANS} == {3}


@plans
def test_at_most_eight_instants_of_change_lie_in_any_ten_seconds(plan: SignalPlan) -> None:
    instants = {at % plan.cycle_s for changes in cycle_changes(plan).values() for at, _ in changes}
    unrolled = [at + turn * plan.cycle_s for turn in range(3) for at in sorted(instants)]
    assert max(sum(1 for at in unrolled if start <= at <= start + 10) for start in unrolled) <= 8


@plans
def test_groups_that_share_a_phase_on_air_have_equal_histories(plan: SignalPlan) -> None:
    site = YAML(typ="safe").load(asset("config/virtual.yaml").read_text())
    phases = site["signals"]["phases"]
    assert sorted(group for groups in phases.values() for group in groups) == list(GROUPS)
    assert len(phases) <= 16
    for groups in phases.values():
        assert len({tuple(history(plan, group)) for group in groups}) == 1, groups


def test_the_right_arrow_of_the_north_arm_goes_dark_while_its_round_light_is_green() -> None:
    arrow, round_light = history(PLANS[1], 9), history(PLANS[1], 1)
    dark = [tenth for tenth, colour in enumerate(arrow) if colour == "dark"]
    assert len(dark) == 150
    assert {round_light[tenth] for tenth in dark} == {"green", "green_flash"}


def test_the_waiting_area_is_open_before_its_left_turn_and_closes_with_it() -> None:
    waiting, left = history(PLANS[1], 12), history(PLANS[1], 7)
    assert waiting.index("green") < left.index("green")
    assert waiting.index("yellow") == left.index("yellow")
    assert all(a in MAY_GO for a, b in zip(waiting, left, strict=True) if b in MAY_GO)
