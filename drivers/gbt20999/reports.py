"""Values as they came, made into what the world calls a signal report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime

from drivers.gbt20999 import ids
from drivers.gbt20999.codes import STAGE_STATES, alarm, colour, control, fault
from drivers.gbt20999.wire import Address, Frame, Kind
from rsu_agent.world.signal import Lamp, SignalReport, StageReport, StageState

NO_TIME = 0xFFFF  # all bits set: a counter that does not run
ROWS_READ = 16  # rows of the fault and alarm lists that are looked at


def report(frame: Frame, groups: Collection[int], crossing: int) -> SignalReport | None:
    """What a reply or trap says of the present, or None where it says nothing of it."""
    values = {address: data for address, data in frame.values if data}
    lamps = tuple(
        sorted(
            (Lamp(address.element, colour(data[0])) for address, data in values.items() if _is_lamp(address)),
            key=lambda lamp: lamp.group,
        )
    )
    mode, plan = values.get(ids.RUN_MODE(crossing)), values.get(ids.RUN_PLAN(crossing))
    made = SignalReport(
        first_byte_s=frame.first_byte_s,
        last_byte_s=frame.last_byte_s,
        lamps=lamps,
        complete=bool(groups) and {lamp.group for lamp in lamps} >= set(groups),
        control=control(mode[0]) if mode else None,
        plan=plan[0] if plan else None,
        stage=_stage(values, crossing),
        faults=_listed(values, ids.FAULT_COUNT, ids.FAULT_TYPE, fault),
        alarms=_listed(values, ids.ALARM_COUNT, ids.ALARM_TYPE, alarm),
        preempt=_any(values, (8, 6, 3)),
        priority=_any(values, (8, 3, 3)),
        controller_utc_ms=_utc_ms(values.get(ids.UTC)),
        unsolicited=frame.kind == Kind.TRAP,
    )
    return made if _says_anything(made) else None


def _says_anything(made: SignalReport) -> bool:
    said = (
        made.control,
        made.plan,
        made.stage,
        made.faults,
        made.alarms,
        made.preempt,
        made.priority,
        made.controller_utc_ms,
    )
    return bool(made.lamps) or any(part is not None for part in said)


def _is_lamp(address: Address) -> bool:
    return address[:3] == (3, 3, 1) and address.element > 0


def _stage(values: Mapping[Address, bytes], crossing: int) -> StageReport | None:
    """The running stage: the one named, when its state came along; else the one whose row says so."""
    states = {
        address.element: STAGE_STATES.get(data[0])
        for address, data in values.items()
        if address[:3] == (6, 3, 2)
    }
    named = values.get(ids.RUN_STAGE(crossing))
    rows = [named[0]] if named else sorted(states)
    for row in rows:
        state = states.get(row)
        if state in (StageState.RUNNING, StageState.TRANSITION):
            elapsed, remaining = values.get(ids.STAGE_ELAPSED(row)), values.get(ids.STAGE_REMAINING(row))
            return StageReport(row, state, _seconds(elapsed), _seconds(remaining))
    return None


def _seconds(data: bytes | None) -> float | None:
    number = int.from_bytes(data, "big") if data else NO_TIME
    return None if number == NO_TIME else float(number)


def _any(values: Mapping[Address, bytes], item: tuple[int, int, int]) -> bool | None:
    states = [data for address, data in values.items() if address[:3] == item]
    return any(any(data) for data in states) if states else None


def _listed(
    values: Mapping[Address, bytes],
    counted: Address,
    row_type: Callable[[int], Address],
    named: Callable[[int], str],
) -> tuple[str, ...] | None:
    """Names of the faults or alarms, when the frame carries the count and the type of each."""
    count = values.get(counted)
    if count is None:
        return None
    rows = range(1, min(int.from_bytes(count, "big"), ROWS_READ) + 1)
    types = [values.get(row_type(row)) for row in rows]
    if None in types:
        return None
    return tuple(sorted({named(data[0]) for data in types if data}))


def _utc_ms(data: bytes | None) -> int | None:
    """13.1.10: year (2), month, day, hour, minute, second."""
    if data is None or len(data) != 7:
        return None
    try:
        moment = datetime(int.from_bytes(data[:2], "big"), *data[2:], tzinfo=UTC)  # type: ignore[misc]
    except ValueError:
        return None
    return round(moment.timestamp() * 1000)
