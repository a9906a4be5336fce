"""What variables say: colours of outputs, how the unit runs, and the programme of its phases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from drivers.ntcip1202 import oids
from drivers.ntcip1202.ber import Oid, Value
from drivers.ntcip1202.oids import BANKS, Bank
from rsu_agent.ports.named_groups import NamedGroups, Output
from rsu_agent.world.signal import Colour, Control, LampGroup, LampKind, Phase, Programme, Step

Values = Mapping[Oid, Value]

# (stop, warn, go) bits -> colour. A pedestrian's stop bit may stay beside its clearance.
COLOURS: dict[str, dict[tuple[bool, bool, bool], Colour]] = {
    "phase": {
        (True, False, False): Colour.RED,
        (True, True, False): Colour.RED_YELLOW,
        (False, True, False): Colour.YELLOW,
        (False, False, True): Colour.GREEN,
        (False, False, False): Colour.DARK,
    },
    "ped": {
        (True, False, False): Colour.RED,
        (True, True, False): Colour.GREEN_FLASH,
        (False, True, False): Colour.GREEN_FLASH,
        (False, False, True): Colour.GREEN,
        (False, False, False): Colour.DARK,
    },
}
COLOURS["overlap"] = COLOURS["phase"]

NOT_FLASHING = 2  # unitFlashStatus
FAULT_FLASHES = frozenset({5, 6})  # fault monitor, MMU
FREE, PATTERNS = 254, range(1, 254)  # coordPatternStatus
PREEMPTING = range(3, 10)  # preemptState; 2 is not active


def colours(values: Values) -> Iterator[tuple[Output, Colour]]:
    """Outputs of every bank whose three objects came together.

    Raises nothing: a bank with a value that is no number 0..255 is left out.
    """
    for bank in BANKS:
        bits = [values.get(oid) for oid in bank.oids]
        if not all(isinstance(value, int) and 0 <= value <= 255 for value in bits):
            continue
        for place in range(8):
            lit = tuple(bool(value >> place & 1) for value in bits if isinstance(value, int))
            shows = COLOURS[bank.kind].get((lit[0], lit[1], lit[2]), Colour.UNKNOWN)
            yield (bank.kind, bank.first + place), shows


def quiet(bank: Bank, values: Values) -> bool:
    """Whether nothing of the bank shines."""
    return not any(values.get(oid) for oid in bank.oids)


def control(values: Values) -> Control | None:
    """How it decides; a coordinated unit is actuated within its cycle. None: the values do not tell."""
    flash = values.get(oids.FLASH_STATUS)
    if flash is None:
        return None
    return Control.ACTUATED if flash == NOT_FLASHING else Control.FLASH


def plan(values: Values) -> int | None:
    """The pattern that runs; 0 when it runs free."""
    pattern = values.get(oids.PATTERN)
    if pattern == FREE:
        return 0
    return pattern if isinstance(pattern, int) and pattern in PATTERNS else None


def preempt(values: Values) -> bool | None:
    """Whether any pre-emption runs."""
    states = [values[oid] for oid in oids.PREEMPTS if oid in values]
    return any(state in PREEMPTING for state in states) if states else None


def programme(groups: NamedGroups, known: Values) -> Programme:
    """Phases with their least and greatest greens; phases that the unit never runs together conflict."""
    outputs = groups.known
    phases = [_phase(kind, number, group, known) for (kind, number), group in outputs.items()]
    conflicts = _conflicts([number for kind, number in outputs if kind == "phase"], known)
    lamps = tuple(
        LampGroup(group, LampKind.PEDESTRIAN if kind == "ped" else None, f"{kind} {number}")
        for (kind, number), group in outputs.items()
    )
    digest = hashlib.sha256(repr((lamps, phases, conflicts)).encode()).hexdigest()
    numbers = tuple(lamp.group for lamp in lamps)
    return Programme(digest, numbers, tuple(phases), conflicts=conflicts, lamps=lamps)


def _phase(kind: str, number: int, group: int, known: Values) -> Phase:
    """Pedestrians count as a phase of their own, 100 higher, and overlaps, 200 higher."""

    def seconds(column: int) -> float | None:
        raw = known.get(oids.phase_item(column, number))
        if not isinstance(raw, int):
            return None
        return raw / 10 if column in oids.TENTHS else float(raw)

    if kind == "ped":
        clear = seconds(oids.PED_CLEAR)
        losing = (Step(Colour.GREEN_FLASH, clear),) if clear else ()
        return Phase(100 + number, (group,), losing, min_green_s=seconds(oids.WALK))
    if kind == "overlap":
        return Phase(200 + number, (group,))
    yellow, red = seconds(oids.YELLOW), seconds(oids.RED_CLEAR)
    losing = (Step(Colour.YELLOW, yellow),) if yellow else ()
    gaining = (Step(Colour.RED, red),) if red else ()
    return Phase(number, (group,), losing, gaining, seconds(oids.MIN_GREEN), seconds(oids.MAX_GREEN) or None)


def _conflicts(phases: Sequence[int], known: Values) -> tuple[tuple[int, int], ...]:
    """Pairs of which neither stands in the other's concurrency list; none where no list was read."""
    together: dict[int, frozenset[int]] = {}
    for phase in phases:
        listed = known.get(oids.phase_item(oids.CONCURRENCY, phase))
        if isinstance(listed, bytes):
            together[phase] = frozenset(listed)
    return tuple(
        (low, high)
        for low in sorted(together)
        for high in sorted(together)
        if low < high and low not in together[high] and high not in together[low]
    )
