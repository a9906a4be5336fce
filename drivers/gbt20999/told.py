"""From frames to SignalReports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from drivers.gbt20999 import values as wire
from drivers.gbt20999.frames import Frame
from drivers.gbt20999.values import TRAP, Ident, number
from rsu_agent.world.signal import Colour, Control, Lamp, SignalReport, StageReport, StageState


def report_from(frame: Frame, groups: frozenset[int], crossing_row: int) -> SignalReport | None:
    """What one reply or trap says of the signals; None when it says nothing of them."""
    values = {value.ident: value.data for value in frame.values if value.data}
    lamps = tuple(
        Lamp(ident.element, wire.COLOURS.get(number(data), Colour.UNKNOWN))
        for ident, data in values.items()
        if ident[:3] == (3, 3, 1) and (not groups or ident.element in groups)
    )
    control = _control(values.get(wire.run(2, crossing_row)))
    stage = _stage(values)
    plan = values.get(wire.run(3, crossing_row))
    preempt, priority = values.get(wire.EMERGENCY_RUNS), values.get(wire.PRIORITY_RUNS)
    faults = _faults(values)
    if not (lamps or control or stage or plan or preempt or priority or faults is not None):
        return None
    return SignalReport(
        first_byte_s=frame.first_byte_s,
        last_byte_s=frame.last_byte_s,
        lamps=lamps,
        complete=bool(groups) and {lamp.group for lamp in lamps} >= groups,
        control=control,
        plan=None if plan is None else number(plan),
        stage=stage,
        faults=faults,
        preempt=None if preempt is None else number(preempt) != 0,
        priority=None if priority is None else number(priority) != 0,
        unsolicited=frame.type == TRAP,
    )


def _control(data: bytes | None) -> Control | None:
    return None if data is None else wire.MODES.get(number(data), Control.UNKNOWN)


def _stage(values: Mapping[Ident, bytes]) -> StageReport | None:
    """The stage that runs, among those the frame tells of."""
    for ident, data in values.items():
        if (
            ident[:3] == (6, 3, 2)
            and (state := wire.STAGE_STATES.get(number(data), StageState.IDLE)) != "idle"
        ):
            elapsed = values.get(wire.stage_run(3, ident.element))
            remaining = values.get(wire.stage_run(4, ident.element))
            return StageReport(
                ident.element,
                state,
                None if elapsed is None else float(number(elapsed)),
                None if remaining is None else float(number(remaining)),
            )
    return None


def _faults(values: Mapping[Ident, bytes]) -> tuple[str, ...] | None:
    if wire.FAULT_COUNT in values and number(values[wire.FAULT_COUNT]) == 0:
        return ()
    named: Iterable[str] = (
        wire.FAULTS.get(number(data), f"unknown_{number(data):02x}")
        for ident, data in values.items()
        if ident[:3] == (16, 2, 2)
    )
    found = tuple(sorted(set(named)))
    return found or None
