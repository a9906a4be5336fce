"""The virtual controller's model: a lamp changes before the controller can know it, never after."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.signal_model import LAMP_LEAD_S, MODES, STEADY, SignalModel
from hil.devices.signal_plan import GROUPS, PLANS, cycle_changes

SEEDS = st.integers(0, 2**32)


class Watched:
    """A model run from wake-up to wake-up, as its process runs it; what shone and what became known."""

    def __init__(self, model: SignalModel, start_s: float = 0.0) -> None:
        self.model, self.now_s = model, start_s
        self.shone: dict[int, list[tuple[float, str]]] = {group: [] for group in GROUPS}
        self.known: dict[int, list[tuple[float, str]]] = {group: [] for group in GROUPS}
        self.wakes = 0

    def until(self, end_s: float) -> None:
        while (due_s := max(self.now_s, self.model.next_s())) < end_s:
            self.at(due_s)
        self.at(end_s)

    def at(self, now_s: float) -> None:
        self.now_s = now_s
        self.wakes += 1
        shone, learnt = self.model.advance(now_s)
        for true_s, group, colour in shone:
            self.shone[group].append((true_s, colour))
        for group in learnt:
            self.known[group].append((now_s, self.model.known[group]))


def assert_lamps_lead(watched: Watched) -> None:
    for group in GROUPS:
        shone, known = watched.shone[group], watched.known[group]
        assert 0 <= len(shone) - len(known) <= 1
        for (true_s, lit), (known_s, reported) in zip(shone, known, strict=False):
            assert lit == reported
            assert -1e-9 <= known_s - true_s <= LAMP_LEAD_S + 1e-9


@settings(deadline=None)
@given(SEEDS, st.sampled_from(sorted(PLANS)), st.floats(-100, 100))
def test_every_lamp_changes_at_most_fifty_milliseconds_before_the_controller_knows(
    seed: int, plan: int, drift_ppm: float
) -> None:
    watched = Watched(SignalModel(0.0, plan=plan, seed=seed, drift_ppm=drift_ppm))
    watched.until(150.0)
    assert_lamps_lead(watched)
    assert sum(map(len, watched.known.values())) > 100


@settings(deadline=None)
@given(SEEDS, st.floats(0.0, 90.0), st.sampled_from(sorted(STEADY)), st.floats(0.5, 30.0))
def test_lamps_lead_through_changes_of_mode_at_any_instant(
    seed: int, at_s: float, mode: str, lasts_s: float
) -> None:
    watched = Watched(SignalModel(0.0, seed=seed))
    watched.until(at_s)
    watched.model.set_mode(mode, at_s)
    watched.until(at_s + lasts_s)
    assert set(watched.model.lamps.values()) == set(watched.model.known.values()) == {STEADY[mode]}
    watched.model.set_mode("fixed", at_s + lasts_s)
    watched.until(at_s + lasts_s + 1.9)
    assert set(watched.model.lamps.values()) == {"red"}
    watched.until(at_s + lasts_s + 70.0)
    for group in GROUPS:
        for known_s, reported in watched.known[group]:
            assert any(
                lit == reported and -1e-9 <= known_s - true_s <= LAMP_LEAD_S + 1e-9
                for true_s, lit in watched.shone[group]
            )


def test_the_controller_knows_its_changes_at_the_seconds_of_its_plan() -> None:
    watched = Watched(SignalModel(1000.0, seed=3), 1000.0)
    watched.until(1119.0)
    for group, changes in cycle_changes(PLANS[1]).items():
        due = sorted((1000.0 + at + turn, colour) for at, colour in changes for turn in (0.0, 60.0))
        planned = [change for change in due if change[0] < 1119.0]
        assert [colour for _, colour in watched.known[group]] == [colour for _, colour in planned]
        assert [at for at, _ in watched.known[group]] == pytest.approx([at for at, _ in planned])


def test_a_drifting_clock_stretches_the_cycle() -> None:
    watched = Watched(SignalModel(0.0, drift_ppm=100.0))
    watched.until(601.0)
    greens = [at for at, colour in watched.known[1] if colour == "green"]
    assert greens[-1] - greens[0] == pytest.approx((len(greens) - 1) * 60 * 1.0001)


def test_the_same_seed_gives_the_same_lamps_and_another_seed_others() -> None:
    def lamps(seed: int) -> dict[int, list[tuple[float, str]]]:
        watched = Watched(SignalModel(0.0, seed=seed))
        watched.until(60.0)
        return watched.shone

    assert lamps(5) == lamps(5) != lamps(6)


def test_leads_are_spread_over_the_whole_allowance() -> None:
    watched = Watched(SignalModel(0.0, seed=1))
    watched.until(1200.0)
    leads = [
        known_s - true_s
        for group in GROUPS
        for (true_s, _), (known_s, _) in zip(watched.shone[group], watched.known[group], strict=False)
    ]
    assert min(leads) < 0.005
    assert max(leads) > 0.045
    assert 0.020 < sum(leads) / len(leads) < 0.030


def test_the_model_is_woken_only_when_it_has_something_to_do() -> None:
    watched = Watched(SignalModel(0.0))
    watched.until(600.0)
    assert watched.wakes <= 10 * (3 * 20 + 1)


@settings(deadline=None)
@given(st.floats(0.0, 200.0), st.sampled_from(sorted(PLANS)))
def test_the_running_stage_counts_down_to_its_end(now_s: float, plan: int) -> None:
    model = SignalModel(0.0, plan=plan)
    Watched(model).until(now_s)
    stage, elapsed_s, remaining_s = model.stage(now_s)
    seconds = dict(PLANS[plan].chain)[stage]
    assert elapsed_s + remaining_s == pytest.approx(seconds)
    assert 0.0 <= elapsed_s < seconds + 1e-9
    into = now_s % PLANS[plan].cycle_s - sum(lasts for other, lasts in PLANS[plan].chain if other < stage)
    assert math.isclose(into, elapsed_s, abs_tol=1e-6)


def test_what_the_controller_can_know_of_the_next_change_is_what_comes() -> None:
    model = SignalModel(0.0)
    watched = Watched(model)
    watched.until(5.0)
    announced = {group: model.next_change(group, 5.0) for group in (1, 9, 18)}
    watched.until(60.0)
    came = {group: next(at for at, _ in watched.known[group] if at > 5.0) for group in announced}
    assert came == {group: pytest.approx(at) for group, at in announced.items()}


def test_another_plan_begins_with_two_seconds_of_red() -> None:
    watched = Watched(SignalModel(0.0))
    watched.until(30.0)
    watched.model.set_plan(2, 30.0)
    watched.until(31.9)
    assert set(watched.model.known.values()) == {"red"}
    watched.until(34.5)
    assert watched.model.plan == 2
    assert watched.model.known[1] == "green"
    stage, elapsed_s, remaining_s = watched.model.stage(34.5)
    assert (stage, elapsed_s, remaining_s) == pytest.approx((1, 2.5, 23.5))


def test_by_hand_the_police_step_straight_from_green_to_red() -> None:
    watched = Watched(SignalModel(0.0))
    watched.until(5.0)
    watched.model.set_mode("manual", 5.0)
    watched.model.step(3, 6.0)
    watched.until(7.0)
    assert watched.known[1][-1][1] == watched.shone[1][-1][1] == "red"
    assert watched.model.known[2] == watched.model.lamps[24] == "green"
    watched.until(120.0)
    assert watched.model.known[2] == "green"
    assert {"fixed", "flash", "all_red", "off", "manual"} <= set(MODES)


def test_plans_follow_the_time_of_day_of_the_controllers_own_clock() -> None:
    model = SignalModel(0.0, plan=1)
    model.utc_less_now_s = 86_400.0 * 20_000 + 6 * 3600.0  # six in the morning at its start
    model.set_schedule([(0.0, 1), (6.5 * 3600.0, 2), (9 * 3600.0, 1)], 0.0)
    assert model.plan == 1
    now_s, seen = 0.0, []
    while now_s < 4 * 3600.0:
        now_s = max(now_s + 1e-6, min(model.next_s(), now_s + 600.0))
        model.advance(now_s)
        if not seen or seen[-1][1] != model.plan:
            seen.append((now_s, model.plan))
    assert [plan for _, plan in seen] == [1, 2, 1]
    assert [round(at) for at, _ in seen[1:]] == [1800, 10_800]
    model.jump_clock(-2 * 3600.0, now_s)  # its clock is set back into the morning's plan
    assert model.plan == 2
