"""What benchmarks run on: the virtual crossing's site, its programme, its controller's reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GAINING, GROUPS, PHASES, PLANS, STAGES, losing
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import SiteRead, read_site
from rsu_agent.world.signal import (
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
    Step,
)

PERIOD_S = 0.1
READING_S = 0.02  # from a report's first byte to its last


def site() -> SiteRead:
    """The virtual crossing, ready made."""
    return read_site(asset("config/virtual.yaml"))


def programme() -> Programme:
    """What a driver reads from the virtual controller's configuration."""
    phases = tuple(
        Phase(number, groups, _steps(losing(number)), _steps(GAINING), 4.0, 40.0)
        for number, groups in PHASES.items()
    )
    stages = tuple(Stage(number, members) for number, members in STAGES.items())
    plans = tuple(
        Plan(plan.number, float(plan.cycle_s), tuple(StageSlot(s, float(t)) for s, t in plan.chain))
        for plan in PLANS.values()
    )
    return Programme("virtual", GROUPS, phases, stages, plans)


def reports(seconds: float, seed: int, start_s: float) -> Iterator[SignalReport]:
    """Ten complete reports a second of a controller in fixed time."""
    model = SignalModel(start_s, seed=seed)
    for step in range(int(seconds / PERIOD_S)):
        at = start_s + step * PERIOD_S
        model.advance(at)
        yield report(model, at)


def report(model: SignalModel, at_s: float, control: Control = Control.FIXED_TIME) -> SignalReport:
    """All that a driver reads of a controller in one poll."""
    stage, elapsed, remaining = model.stage(at_s)
    told = StageReport(stage, StageState.RUNNING, float(int(elapsed)), float(int(remaining) + 1))
    return SignalReport(at_s, at_s + READING_S, lamps(model, GROUPS), True, control, model.plan, told)


def lamps(model: SignalModel, groups: Iterable[int]) -> tuple[Lamp, ...]:
    """These groups as the controller knows them."""
    return tuple(Lamp(group, Colour(model.known[group])) for group in groups)


def _steps(transition: tuple[tuple[str, int], ...]) -> tuple[Step, ...]:
    return tuple(Step(Colour(colour), float(seconds)) for colour, seconds in transition)
