"""The virtual controller beyond fixed time: traffic, demand, pre-emption, priority, coordination, faults."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.signal_changes import LAMP_LEAD_S
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS, PHASES, PLANS, conflicts
from hil.devices.signal_running import MAX_GREEN_S, MIN_GREEN_S

GO = ("green", "green_flash")
PHASE_OF = {group: phase for phase, groups in PHASES.items() for group in groups}
HOSTILE = {
    (a, b)
    for a in GROUPS
    for b in GROUPS
    if PHASE_OF[b] in conflicts(PHASE_OF[a]) and PHASE_OF[a] != PHASE_OF[b]
}


class Run:
    """A model moved from wake to wake; keeps what became known and checks what must always hold."""

    def __init__(self, **more: object) -> None:
        self.model = SignalModel(0.0, **more)  # type: ignore[arg-type]
        self.now_s = 0.0
        self.known: dict[int, list[tuple[float, str]]] = {group: [] for group in GROUPS}
        self.stages: list[tuple[float, int]] = []

    def until(self, end_s: float, *, safe: bool = True) -> Run:
        while (due_s := max(self.now_s, self.model.next_s())) < end_s:
            self._at(due_s, safe)
        self._at(end_s, safe)
        return self

    def _at(self, now_s: float, safe: bool) -> None:
        self.now_s = now_s
        for group in self.model.advance(now_s)[1]:
            self.known[group].append((now_s, self.model.known[group]))
        stage = self.model.stage(now_s)[0]
        if not self.stages or self.stages[-1][1] != stage:
            self.stages.append((now_s, stage))
        green = [group for group, colour in self.model.known.items() if colour in GO]
        if safe:
            assert not {pair for pair in itertools.combinations(green, 2) if pair in HOSTILE}

    def runs(self, group: int, colour: str) -> list[float]:
        """How long the group showed a colour, each time that it has ended."""
        return [b[0] - a[0] for a, b in itertools.pairwise(self.known[group]) if a[1] == colour]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_actuated_greens_differ_and_keep_between_their_least_and_greatest(seed: int) -> None:
    greens = Run(mode="actuated", seed=seed).until(900.0).runs(1, "green")
    assert len(greens) > 5
    assert all(MIN_GREEN_S - 0.1 <= green <= MAX_GREEN_S + 0.1 for green in greens)
    assert max(greens) - min(greens) > 1.0


def test_the_countdown_of_an_actuated_stage_jumps_when_a_gap_ends_it() -> None:
    model, jumps, before = SignalModel(0.0, mode="actuated", seed=4), [], None
    for tick in range(6000):
        now_s = tick * 0.1
        model.advance(now_s)
        stage, _, remaining = model.stage(now_s)
        if before is not None and before[0] == stage:
            jumps.append(before[1] - remaining)
        before = stage, remaining
    assert max(jumps) > 2.0


def test_stages_on_demand_are_left_out_when_nobody_calls() -> None:
    run = Run(seed=2)
    run.model.set_mode("demand", 0.0)
    order = [stage for _, stage in run.until(1200.0).stages]
    pairs = set(itertools.pairwise(order))
    assert {(1, 2), (1, 3), (3, 4), (3, 1)} <= pairs


@pytest.mark.parametrize("mode", ["fixed", "actuated", "demand", "coordinated"])
@pytest.mark.parametrize("at_s", [8.0, 15.2, 17.5, 20.5, 26.0])
def test_a_pre_emption_ends_greens_by_yellow_holds_its_stage_and_lets_the_plan_begin_anew(
    mode: str, at_s: float
) -> None:
    run = Run(seed=3)
    run.model.set_mode(mode, 0.0)
    run.until(at_s)
    run.model.set_preempt(3, at_s)
    run.until(at_s + 30.0)
    assert run.model.known[8] == "green"
    assert run.model.stage(run.now_s)[0] == 4
    run.until(at_s + 60.0)
    assert run.model.known[8] == "green"
    run.model.set_preempt(0, run.now_s)
    assert 1 in [stage for when, stage in run.until(run.now_s + 60.0).stages if when > at_s + 60.0]
    for group in GROUPS:
        colours = [colour for _, colour in run.known[group]]
        if group not in (9, 17, 18, 19, 20):
            assert not [pair for pair in itertools.pairwise(colours) if pair == ("green", "red")]


def test_a_bus_lengthens_the_running_stage_once() -> None:
    run = Run().until(6.0)
    run.model.set_priority(1, 6.0)
    greens = run.until(70.0).runs(1, "green")
    assert greens[0] == pytest.approx(20 - 2 - 6 + 8, abs=0.01)
    run.model.set_priority(0, 70.0)
    assert run.until(200.0).runs(1, "green")[1] == pytest.approx(12, abs=0.01)


def test_a_coordinated_controller_comes_back_into_step_by_longer_cycles() -> None:
    run = Run(mode="coordinated").until(30.0)
    run.model.set_plan(1, 30.0)  # begins anew, out of step
    starts = [when for when, colour in run.until(600.0).known[1] if colour == "green"]
    assert starts[-1] % 60.0 == pytest.approx(2.0, abs=0.1)
    lengths = [b - a for a, b in itertools.pairwise(starts)]
    assert 60.5 < max(lengths[1:4]) <= 60.0 * 1.2 + 0.1
    assert lengths[-1] == pytest.approx(60.0)


def test_the_power_up_sequence_flashes_yellow_then_shows_red_then_runs() -> None:
    run = Run()
    run.model.set_mode("startup", 0.0)
    assert set(run.until(5.0).model.known.values()) == {"yellow_flash"}
    assert set(run.until(12.0).model.known.values()) == {"red"}
    assert run.until(20.0).model.mode == "fixed"
    assert run.known[1][-1] == (17.0, "green")


def test_a_burnt_out_green_is_reported_green_and_shines_not() -> None:
    run = Run().until(8.0)
    assert run.model.known[1] == "green"
    run.model.burn_out([1], 8.0)
    assert run.model.lamps[1] == "dark"
    assert run.model.known[1] == "green"
    assert run.until(19.0).model.lamps[1] == "yellow"


def test_two_swapped_heads_shine_each_others_colours() -> None:
    run = Run()
    run.model.swap([1, 2], 0.0)
    for at_s in (8.0, 18.0, 40.0):
        run.until(at_s + LAMP_LEAD_S)
        assert (run.model.lamps[1], run.model.lamps[2]) == (run.model.known[2], run.model.known[1])


def test_a_stuck_green_is_known_and_shines_against_all_others() -> None:
    run = Run().until(8.0)
    run.model.stick({2: "green"}, 8.0)
    run.until(10.0, safe=False)
    assert run.model.known[1] == run.model.known[2] == run.model.lamps[2] == "green"


def test_the_controllers_clock_can_be_set_wrong() -> None:
    model = SignalModel(0.0)
    model.utc_less_now_s = 1000.0
    model.jump_clock(3600.0, 5.0)
    assert model.utc_s(5.0) == 4605.0


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 100), st.sampled_from(["fixed", "actuated", "demand", "coordinated"]), st.floats(1, 300)
)
def test_what_is_said_of_the_end_of_a_colour_comes_true(seed: int, mode: str, at_s: float) -> None:
    run = Run(seed=seed)
    run.model.set_mode(mode, 0.0)
    run.until(at_s)
    spans = {group: run.model.span(group, at_s) for group in GROUPS}
    run.until(at_s + 200.0)
    for group, (least, likely, most) in spans.items():
        came = next((when for when, _ in run.known[group] if when > at_s), None)
        if came is None:
            continue
        assert least is None or at_s + least <= came + 0.06
        assert most is None or came <= at_s + most + 0.06
        assert likely is None or abs(came - at_s - likely) < 0.06


@pytest.mark.parametrize("plan", sorted(PLANS))
def test_the_colour_steps_of_every_group_sum_to_the_cycle(plan: int) -> None:
    model = SignalModel(0.0, plan=plan)
    for group in GROUPS:
        steps = model.steps(group, 0, 0.0)
        assert sum(seconds for _, seconds in steps) == PLANS[plan].cycle_s
        assert all(seconds > 0 for _, seconds in steps)
    model.set_mode("manual", 0.0)
    assert model.steps(1, 0, 0.0) == ()
