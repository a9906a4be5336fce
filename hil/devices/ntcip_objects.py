"""What the virtual controller tells of itself in NTCIP 1202 objects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator

from hil.devices.ber import Oid, integer, octets, ticks
from hil.devices.controller_view import ControllerView
from hil.devices.signal_plan import GAINING, GREEN_FLASH, LOSING, PEDESTRIAN_LOSING, PHASES, STAGES, YELLOW

ASC: Oid = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1)
SYS_DESCR: Oid = (1, 3, 6, 1, 2, 1, 1, 1, 0)
SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)

VEHICLES = tuple(range(1, 17))  # lamp group = phase
PEDESTRIANS = tuple(range(17, 21))  # of phases 1 to 4
OVERLAPS = tuple(range(21, 25))  # overlaps 1 to 4
CHANNELS = tuple(range(1, 25))  # lamp group = channel
PHASE_GROUPS, OVERLAP_GROUPS, CHANNEL_GROUPS, PREEMPTS = 2, 1, 3, 4

Colours = frozenset[str]
# Nothing here can say that a lamp flashes: the bit of its colour stands all the while.
REDS: Colours = frozenset({"red", "red_flash", "red_yellow"})
YELLOWS: Colours = frozenset({"yellow", "yellow_flash", "red_yellow"})
GREENS: Colours = frozenset({"green", "green_flash"})
PHASE_STATUS: dict[int, tuple[tuple[int, ...], Colours]] = {
    2: (VEHICLES, REDS),
    3: (VEHICLES, YELLOWS),
    4: (VEHICLES, GREENS),
    5: (PEDESTRIANS, REDS),
    6: (PEDESTRIANS, frozenset({"green_flash"})),
    7: (PEDESTRIANS, frozenset({"green"})),
    10: (VEHICLES, GREENS | {"yellow"}),  # the red clearance is not known from the colours
}
CALLS = {8: VEHICLES, 9: PEDESTRIANS}
NEXTS = 11
THREE_COLOURS = {2: REDS, 3: YELLOWS, 4: GREENS}

NOT_FLASH, AUTOMATIC, FAULT_MONITOR, MMU, STARTUP, PREEMPT = 2, 3, 5, 6, 7, 8
CONFLICTS = frozenset({0x10, 0x11})  # fault types that a conflict monitor finds
OTHER, SYSTEM, MANUAL, TIMEBASE = 1, 2, 5, 6
CONTROLS = {
    "coordinated": SYSTEM,
    "adaptive": SYSTEM,
    "manual": MANUAL,
    "fixed": TIMEBASE,
    "actuated": TIMEBASE,
}
NO_PATTERN, MOST_PATTERN, FREE, FLASH = 0, 253, 254, 255
PATTERNS = {
    "flash": FLASH,
    "actuated": FREE,
    "manual": FREE,
    **dict.fromkeys(("all_red", "off", "startup"), NO_PATTERN),
}
NOT_ACTIVE, DWELL = 2, 6

MIN_GREEN_S, MAX_GREEN_S = 4, 40
WALK_S = 3  # the shortest steady green of a pedestrian, in plan 3
YELLOW_S, RED_CLEAR_S, PED_CLEAR_S = dict(LOSING)[YELLOW], GAINING[0][1], dict(PEDESTRIAN_LOSING)[GREEN_FLASH]
SAME_INSTANT_S = 0.5

Value = Callable[[float], bytes]


def eights(lamps: tuple[int, ...], group: int) -> tuple[int, ...]:
    """The lamp groups behind the bits of status group 1, 2, ..., lowest bit first."""
    return lamps[8 * (group - 1) : 8 * group]


def concurrent(phase: int) -> tuple[int, ...]:
    """Vehicle phases that some stage shows green together with this one."""
    sets = [{lamp for part in parts for lamp in PHASES[part]} for parts in STAGES.values()]
    together = {lamp for lamps in sets if phase in lamps for lamp in lamps}
    return tuple(lamp for lamp in VEHICLES if lamp in together and lamp != phase)


def _rings() -> dict[int, int]:
    """phase -> ring: no two phases of a ring are ever green together, and the rings are few."""
    rings: dict[int, int] = {}
    for phase in VEHICLES:
        taken = {rings.get(other) for other in concurrent(phase)}
        rings[phase] = next(ring for ring in VEHICLES if ring not in taken)
    return rings


RINGS = _rings()


def phase_row(phase: int) -> dict[int, bytes]:
    """Columns of the phase table; times in seconds, from 5 passage and 8, 9 clearances in tenths."""
    walks = phase <= len(PEDESTRIANS)
    return {
        2: integer(WALK_S if walks else 0),
        3: integer(PED_CLEAR_S if walks else 0),
        4: integer(MIN_GREEN_S),
        5: integer(0),  # no detector prolongs a green
        6: integer(MAX_GREEN_S),
        7: integer(MAX_GREEN_S),
        8: integer(10 * YELLOW_S),
        9: integer(10 * RED_CLEAR_S),
        22: integer(RINGS[phase]),
        23: octets(bytes(concurrent(phase))),
    }


def green_follows(steps: tuple[tuple[str, int], ...]) -> bool:
    """Whether nothing but green, or red with yellow, follows red anywhere in this cycle."""
    colours = [colour for colour, _ in steps]
    after = {now for before, now in zip(colours[-1:] + colours, colours, strict=False) if before == "red"}
    return "green" in colours and after <= {"red", "red_yellow", "green"}


def flash_status(mode: str, faults: tuple[int, ...], preempt: int) -> int:
    """unitFlashStatus; any fault makes a flash the fault's."""
    if mode == "startup":
        return STARTUP
    if mode != "flash":
        return NOT_FLASH
    if faults:
        return MMU if CONFLICTS & set(faults) else FAULT_MONITOR
    return PREEMPT if preempt else AUTOMATIC


def pattern(mode: str, plan: int) -> int:
    """coordPatternStatus: the plan where it times the lamps, else free, flash or none."""
    if mode in PATTERNS:
        return PATTERNS[mode]
    return plan if 1 <= plan <= MOST_PATTERN else NO_PATTERN


class NtcipObjects:
    """Values by OID, encoded. Objects under one of the `absent` prefixes are not there."""

    def __init__(self, view: ControllerView, absent: tuple[Oid, ...] = ()) -> None:
        self._view = view
        self.booted_s: float | None = None  # sysUpTime counts from here
        there = {name: value for name, value in self._all() if not any(_under(name, p) for p in absent)}
        self._values = dict(sorted(there.items()))
        self._names = list(self._values)

    def __contains__(self, name: Oid) -> bool:
        return name in self._values

    def get(self, name: Oid, now_s: float) -> bytes | None:
        """The value at this instant, None: there is no such object."""
        value = self._values.get(name)
        return None if value is None else value(now_s)

    def after(self, name: Oid) -> Oid | None:
        """The first object behind this name, None: it was the last."""
        place = bisect_right(self._names, name)
        return self._names[place] if place < len(self._names) else None

    def snapshot(self, now_s: float) -> dict[Oid, bytes]:
        """All values at one instant, in the order of their names."""
        return {name: value(now_s) for name, value in self._values.items()}

    def _all(self) -> Iterator[tuple[Oid, Value]]:
        yield SYS_DESCR, _fixed(octets(b"virtual signal controller"))
        yield SYS_UP_TIME, self._up
        yield (*ASC, 1, 1, 0), _fixed(integer(len(VEHICLES)))
        yield (*ASC, 1, 3, 0), _fixed(integer(PHASE_GROUPS))
        yield (*ASC, 7, 1, 0), _fixed(integer(max(RINGS.values())))
        for phase in VEHICLES:
            yield from (((*ASC, 1, 2, 1, c, phase), _fixed(value)) for c, value in phase_row(phase).items())
        yield from self._unit()
        yield from self._masks()

    def _unit(self) -> Iterator[tuple[Oid, Value]]:
        view = self._view
        yield (*ASC, 3, 5, 0), lambda _: integer(CONTROLS.get(view.mode, OTHER))
        yield (*ASC, 3, 6, 0), lambda _: integer(flash_status(view.mode, view.faults, view.preempt))
        yield (*ASC, 4, 10, 0), lambda _: integer(pattern(view.mode, view.plan))
        for number in range(1, PREEMPTS + 1):
            yield (*ASC, 6, 2, 1, 16, number), self._preempt(number)

    def _masks(self) -> Iterator[tuple[Oid, Value]]:
        for group in range(1, PHASE_GROUPS + 1):
            for column, (lamps, colours) in PHASE_STATUS.items():
                yield (*ASC, 1, 4, 1, column, group), self._lit(eights(lamps, group), colours)
            for column, lamps in CALLS.items():
                yield (*ASC, 1, 4, 1, column, group), self._called(eights(lamps, group))
            yield (*ASC, 1, 4, 1, NEXTS, group), self._next(eights(VEHICLES, group))
        for table, lamps, groups in (
            ((9, 4, 1), OVERLAPS, OVERLAP_GROUPS),
            ((8, 4, 1), CHANNELS, CHANNEL_GROUPS),
        ):
            for column, colours in THREE_COLOURS.items():
                for group in range(1, groups + 1):
                    yield (*ASC, *table, column, group), self._lit(eights(lamps, group), colours)

    def _up(self, now_s: float) -> bytes:
        since_s = now_s if self.booted_s is None else self.booted_s
        return ticks(int((now_s - since_s) * 100))

    def _preempt(self, number: int) -> Value:
        return lambda _: integer(DWELL if self._view.preempt == number else NOT_ACTIVE)

    def _lit(self, lamps: tuple[int, ...], colours: Colours) -> Value:
        return lambda _: _mask(self._view.known.get(lamp) in colours for lamp in lamps)

    def _called(self, lamps: tuple[int, ...]) -> Value:
        return lambda _: _mask(self._view.called(lamp) for lamp in lamps)

    def _next(self, lamps: tuple[int, ...]) -> Value:
        def value(now_s: float) -> bytes:
            coming = self._coming(now_s)
            return _mask(lamp in coming for lamp in lamps)

        return value

    def _coming(self, now_s: float) -> set[int]:
        """Red phases that get green first; none where the red's end or what follows it is not certain."""
        red = [lamp for lamp in VEHICLES if self._view.known.get(lamp) == "red"]
        ends = {lamp: self._view.span(lamp, now_s).likely for lamp in red}
        sure = {lamp: end for lamp, end in ends.items() if end is not None and self._sure(lamp, now_s)}
        first = min(sure.values(), default=0.0) + SAME_INSTANT_S
        return {lamp for lamp, end in sure.items() if end <= first}

    def _sure(self, lamp: int, now_s: float) -> bool:
        return green_follows(self._view.steps(lamp, 0, now_s))


def _under(name: Oid, prefix: Oid) -> bool:
    return name[: len(prefix)] == prefix


def _fixed(value: bytes) -> Value:
    return lambda _: value


def _mask(bits: Iterator[bool]) -> bytes:
    return integer(sum(1 << place for place, bit in enumerate(bits) if bit))
