"""The controller's programme: what to ask next, and the noun once all is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from drivers.gbt20999 import ids
from drivers.gbt20999.codes import KINDS, ON_DEMAND, colour
from drivers.gbt20999.wire import Address
from rsu_agent.world.signal import (
    Intergreen,
    Lag,
    LampGroup,
    Phase,
    Plan,
    Programme,
    Stage,
    StageSlot,
    Step,
)

MOST_GROUPS = 64  # a bitmap holds so many
MOST_PHASES = 64
MOST_STAGES = 16  # a chain holds so many
ROWS_TRIED = 16  # where a controller tells no count (or 0 against configured rows)

Known = Mapping[Address, bytes | None]  # None: asked for alone and refused, the value does not exist

IDENTITY = (ids.MAKER, ids.VERSION, ids.SERIAL_NUMBER, ids.CONTROLLER_ID)
COUNTS = (ids.GROUP_COUNT, ids.PHASE_COUNT, ids.STAGE_COUNT)
_PLAN_ITEMS = (
    ids.PLAN_CROSSING,
    ids.PLAN_COORDINATED,
    ids.PLAN_OFFSET,
    ids.PLAN_STAGES,
    ids.PLAN_TIMES,
    ids.PLAN_APPEARANCES,
)


def first_wanted(crossing: int) -> tuple[Address, ...]:
    """What must be known before lamps can be polled; small, so that the first answer comes at once."""
    return (*COUNTS, ids.RUN_MODE(crossing), ids.RUN_PLAN(crossing), ids.RUN_STAGE(crossing), *IDENTITY)


def wanted(known: Known, plan: int | None, plans: int) -> list[Address]:
    """Configuration still to be asked for, what SPaT needs most first; empty when complete.

    plan: the running plan; plans: highest plan number to look for.
    """
    others = [number for number in range(1, plans + 1) if number != plan]
    steps: Iterable[Iterable[Address]] = (
        _needed(known, [plan] if plan else []),
        (ids.PLAN_CYCLE(number) for number in others),
        _plan_items(known, others),
        (ids.INTERGREENS(row) for row in _used_phases(known)),
    )
    return [address for step in steps for address in step if address not in known]


def speaks(known: Known, plan: int | None) -> bool:
    """Whether all is known that SPaT needs: groups, phases, stages and the running plan."""
    return bool(plan) and all(address in known for address in _needed(known, [plan] if plan else []))


def _needed(known: Known, numbers: list[int]) -> Iterator[Address]:
    """What SPaT cannot do without, as far as what is known tells."""
    steps: Iterable[Iterable[Address]] = (
        (*IDENTITY, *COUNTS),
        _group_items(known),
        _phase_items(known),
        _stage_items(known),
        (ids.PLAN_CYCLE(number) for number in numbers),
        _plan_items(known, numbers),
    )
    for step in steps:
        yield from step


def fingerprint_probe(plan: int | None) -> tuple[Address, ...]:
    """A few values that change when another controller or another programme answers."""
    chain = (ids.PLAN_CYCLE(plan), ids.PLAN_STAGES(plan), ids.PLAN_TIMES(plan)) if plan else ()
    return (*IDENTITY, *COUNTS, *chain)


def lamp_groups(known: Known) -> tuple[int, ...]:
    """Lamp groups that exist, in order; empty while not known.

    A controller that tells 0 may have groups all the same: then those are meant whose number can be read.
    """
    rows = _rows(known, ids.GROUP_COUNT, ids.GROUP_NUMBER, MOST_GROUPS, tried=MOST_GROUPS)
    if _number(known, ids.GROUP_COUNT):
        return tuple(row for row in rows if known.get(ids.LAMP(row), b"unread") is not None)
    if any(ids.GROUP_NUMBER(row) not in known for row in rows):
        return ()
    return tuple(
        row for row in rows if known[ids.GROUP_NUMBER(row)] and known.get(ids.LAMP(row), b"x") is not None
    )


def compiled(known: Known, controller: int, crossing: int) -> Programme:
    """The programme of this crossing from all that was read; rows that do not exist are left out."""
    groups = lamp_groups(known)
    phases = tuple(_phase(known, row) for row in _used_phases(known))
    stages = tuple(
        _stage(known, row) for row in range(1, MOST_STAGES + 1) if _bits(known.get(ids.STAGE_PHASES(row)))
    )
    plans = sorted(address.element for address in known if address[:3] == (9, 2, 3))
    made = Programme(
        fingerprint="",
        groups=groups,
        phases=phases,
        stages=stages,
        plans=tuple(_plan(known, number) for number in plans if _is_ours(known, number, crossing)),
        conflicts=_conflicts(known),
        lamps=tuple(
            LampGroup(group, KINDS.get(_number(known, ids.GROUP_TYPE(group))), f"3.3.1.{group}")
            for group in groups
        ),
        intergreens=_intergreens(known),
    )
    return replace(made, fingerprint=_fingerprint(known, controller, made))


def _group_items(known: Known) -> Iterator[Address]:
    for row in _rows(known, ids.GROUP_COUNT, ids.GROUP_NUMBER, MOST_GROUPS, tried=MOST_GROUPS):
        yield ids.GROUP_NUMBER(row)
        yield ids.GROUP_TYPE(row)


def _phase_items(known: Known) -> Iterator[Address]:
    yield from (ids.PHASE_GROUPS(row) for row in _phase_rows(known))
    for row in _used_phases(known):
        yield from (Address(4, 2, attribute, row) for attribute in (*ids.LOSING, *ids.GAINING))
        yield from (ids.MIN_GREEN(row), ids.MAX_GREEN(row), ids.CONFLICTS(row))


def _stage_items(known: Known) -> Iterator[Address]:
    rows = _rows(known, ids.STAGE_COUNT, ids.STAGE_PHASES, MOST_STAGES)
    yield from (ids.STAGE_PHASES(row) for row in rows)
    for row in rows:
        if any(known.get(ids.STAGE_PHASES(row)) or b""):
            yield from (ids.LATE_STARTS(row), ids.EARLY_ENDS(row))


def _plan_items(known: Known, numbers: Iterable[int]) -> Iterator[Address]:
    for number in numbers:
        if _number(known, ids.PLAN_CYCLE(number)):
            yield from (item(number) for item in _PLAN_ITEMS)


def _phase_rows(known: Known) -> range:
    return _rows(known, ids.PHASE_COUNT, ids.PHASE_GROUPS, MOST_PHASES)


def _used_phases(known: Known) -> list[int]:
    """Phases that light any group."""
    return [row for row in _phase_rows(known) if any(known.get(ids.PHASE_GROUPS(row)) or b"")]


def _rows(
    known: Known, count: Address, item: Callable[[int], Address], most: int, tried: int = ROWS_TRIED
) -> range:
    """Rows to look at: as many as are told, else as many as are tried one by one."""
    if count not in known:
        return range(0)
    told = _number(known, count)
    seen = max((row for row in range(1, most + 1) if known.get(item(row))), default=0)
    return range(1, max(min(told, most) if told else tried, seen) + 1)


def _phase(known: Known, row: int) -> Phase:
    return Phase(
        phase=row,
        groups=_bits(known[ids.PHASE_GROUPS(row)]),
        losing=_steps(known, row, ids.LOSING),
        gaining=_steps(known, row, ids.GAINING),
        min_green_s=_seconds(known.get(ids.MIN_GREEN(row))),
        max_green_s=_seconds(known.get(ids.MAX_GREEN(row))),
    )


def _steps(known: Known, row: int, attributes: tuple[int, ...]) -> tuple[Step, ...]:
    pairs = [
        (_number(known, Address(4, 2, first, row)), _number(known, Address(4, 2, second, row)))
        for first, second in zip(attributes[::2], attributes[1::2], strict=True)
    ]
    return tuple(Step(colour(code), float(seconds)) for code, seconds in pairs if code and seconds)


def _stage(known: Known, row: int) -> Stage:
    phases = _bits(known[ids.STAGE_PHASES(row)])
    return Stage(
        row,
        phases,
        _lags(known.get(ids.LATE_STARTS(row)), phases),
        _lags(known.get(ids.EARLY_ENDS(row)), phases),
    )


def _lags(data: bytes | None, phases: tuple[int, ...]) -> tuple[Lag, ...]:
    """Seconds by phase; the last byte is phase 1 (facts 1.3, class 6)."""
    seconds = dict(enumerate(reversed(data or b""), start=1))
    return tuple(Lag(phase, float(seconds[phase])) for phase in phases if seconds.get(phase))


def _intergreens(known: Known) -> tuple[Intergreen, ...]:
    """7.2.2: one byte a phase, the last is phase 1; towards itself there is none."""
    return tuple(
        Intergreen(row, entering, float(seconds))
        for row in _used_phases(known)
        for entering, seconds in enumerate(reversed(known.get(ids.INTERGREENS(row)) or b""), start=1)
        if seconds and entering != row
    )


def _plan(known: Known, number: int) -> Plan:
    stages = _chain(known.get(ids.PLAN_STAGES(number)), 1)
    times = _chain(known.get(ids.PLAN_TIMES(number)), 2)
    appearances = _chain(known.get(ids.PLAN_APPEARANCES(number)), 1)
    appearances += [0] * len(stages)
    slots = [
        StageSlot(stage, float(seconds), on_demand=appearance == ON_DEMAND)
        for stage, seconds, appearance in zip(stages, times, appearances, strict=False)
        if stage
    ]
    return Plan(
        number,
        float(_number(known, ids.PLAN_CYCLE(number))),
        tuple(slots),
        _seconds(known.get(ids.PLAN_OFFSET(number))),
        _number(known, ids.PLAN_COORDINATED(number)) or None,
    )


def _chain(data: bytes | None, size: int) -> list[int]:
    """Right-aligned: the first stage stands at the end (facts 1.3, class 9)."""
    data = data or b""
    whole = len(data) - len(data) % size
    return [int.from_bytes(data[at : at + size], "big") for at in range(whole - size, -1, -size)]


def _is_ours(known: Known, number: int, crossing: int) -> bool:
    return bool(_number(known, ids.PLAN_CYCLE(number))) and (
        _number(known, ids.PLAN_CROSSING(number)) in (0, crossing)
    )


def _conflicts(known: Known) -> tuple[tuple[int, int], ...]:
    pairs = {
        (min(row, other), max(row, other))
        for row in _phase_rows(known)
        for other in _bits(known.get(ids.CONFLICTS(row)))
        if other != row
    }
    return tuple(sorted(pairs))


def _bits(data: bytes | None) -> tuple[int, ...]:
    """Numbers whose bit is set; bit 0, the last byte's lowest, is number 1."""
    field = int.from_bytes(data or b"", "big")
    return tuple(bit + 1 for bit in range(field.bit_length()) if field >> bit & 1)


def _number(known: Known, address: Address) -> int:
    return int.from_bytes(known.get(address) or b"", "big")


def _seconds(data: bytes | None) -> float | None:
    return float(int.from_bytes(data, "big")) if data else None


def _fingerprint(known: Known, controller: int, made: Programme) -> str:
    """Of what it says and of who says it."""
    who = [controller, *(known.get(address) for address in IDENTITY)]
    return hashlib.sha256(repr((who, made)).encode()).hexdigest()
