"""Every row of the guard's table is a scenario, for every pair of colours; no fault of the encoder leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import pytest

from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.guard_table import CAUSES, LIGHT_OF, OWN_FAULTS, TABLE, UNAVAILABLE
from rsu_agent.outlets.spat_reader import SpatRead, read_spat
from rsu_agent.outlets.spat_speaker import SpatSpeaker, Spoken
from rsu_agent.wire.uper import Malformed
from rsu_agent.world.signal import (
    GO,
    Colour,
    Control,
    Lamp,
    SignalOutlook,
    SignalReport,
)
from rsu_agent.world.witness import HeadSeen, HeadsSeen
from tests.outlets.made import PROGRAMME, spat_speaker

PHASES, ARROWS = {1: [1], 3: [5]}, [5]
FREE = replace(PROGRAMME, conflicts=())
UTC_S = 1_790_000_000.0
Alter = Callable[[SignalOutlook, Instant], tuple[SignalOutlook, Instant]]


class Planted:
    """An encoder with a fault: what it is told is altered before it is encoded, or the bytes after."""

    def __init__(self, frames: Any) -> None:
        self._frames = frames
        self.alter: Alter = lambda outlook, instant: (outlook, instant)
        self.after: Callable[[bytes], bytes] = lambda frame: frame

    def __getattr__(self, name: str) -> Any:
        if name == "_frames":  # asked for while it is being copied
            raise AttributeError(name)
        return getattr(self._frames, name)

    def said(self, outlook: SignalOutlook, instant: Instant, *more: Any) -> bytes:
        """As the encoder does, but wrong."""
        return self.after(self._frames.said(*self.alter(outlook, instant), *more))


class Bench:
    """A speaker that has seen two cycles of sixty seconds: both groups change every thirty."""

    def __init__(self, one: Colour = Colour.GREEN, five: Colour = Colour.RED, **how: Any) -> None:
        programme = how.get("programme", FREE)
        self.made = how.get("speaker") or spat_speaker(PHASES, ARROWS)
        self.planted = Planted(self.made.frames)
        self.made.frames = self.planted
        self.now_s = 1000.0
        if programme is not None:
            self.made.saw(programme)
        self.one, self.five = one, five

    def report(self, **fields: Any) -> Bench:
        lamps = (Lamp(1, self.one), Lamp(5, self.five))
        told = {"control": Control.FIXED_TIME, "plan": 1, **fields}
        self.made.saw(SignalReport(self.now_s, self.now_s + 0.01, lamps, True, **told))
        return self

    def tick(self, seconds: float = 0.1, **fields: Any) -> Spoken:
        for _ in range(round(seconds * 10)):
            self.now_s = round(self.now_s + 0.1, 6)
            self.report(**fields)
            spoken = self.speak()
        return spoken

    def speak(self, later_s: float = 0.02) -> Spoken:
        now_s = self.now_s + later_s
        return self.made.speak(Instant(now_s, UTC_S + now_s))


@cache
def _two_cycles() -> Bench:
    """Ten seconds into a green of group 1."""
    bench = Bench(Colour.GREEN, Colour.RED)
    steps = (
        (Colour.GREEN, Colour.RED),
        (Colour.YELLOW, Colour.RED),
        (Colour.RED, Colour.GREEN),
        (Colour.RED, Colour.YELLOW),
    )
    for step in range(9):
        bench.one, bench.five = steps[step % 4]
        for _ in range(100 if step == 8 else 30 if step % 2 else 270):
            bench.now_s = round(bench.now_s + 0.1, 6)
            bench.report()
    bench.speak()
    return bench


def calibrated(one: Colour = Colour.GREEN, five: Colour = Colour.RED) -> Bench:
    """Two cycles seen, in a stage's green; then half a second of what is asked for."""
    bench = deepcopy(_two_cycles())
    bench.one, bench.five = one, five
    bench.tick(0.5)
    return bench


def spoken_under(cause: str, one: Colour, five: Colour) -> Spoken:
    return SCENARIOS[cause](one, five)


def _stale(one: Colour, five: Colour) -> Spoken:
    bench = Bench(one, five)
    bench.tick(1.0)
    return bench.speak(0.32)


def _told(cause: str) -> Callable[[Colour, Colour], Spoken]:
    def told(one: Colour, five: Colour) -> Spoken:
        bench = Bench(one, five)
        bench.tick(1.0)
        bench.made.tell_doubt(cause)
        return bench.tick()

    return told


def _other_controller(one: Colour, five: Colour) -> Spoken:
    bench = Bench(one, five)
    bench.tick(1.0)
    bench.made.saw(replace(FREE, fingerprint="q", groups=(1, 2)))
    return bench.tick()


def _slow(one: Colour, five: Colour) -> Spoken:
    made = spat_speaker(PHASES, ARROWS)
    return Bench(one, five, speaker=SpatSpeaker(made.frames, made.guard, "slow_source")).tick(1.0)


def _altered(alter: Callable[[Bench], None]) -> Callable[[Colour, Colour], Spoken]:
    def altered(one: Colour, five: Colour) -> Spoken:
        bench = Bench(one, five)
        bench.tick(1.0)
        alter(bench)
        return bench.tick()

    return altered


def _read_as(bench: Bench, change: Callable[[SpatRead], SpatRead]) -> None:
    """A frame that says this: as the guard's reader would read it."""
    rules = bench.made.guard._rules
    bench.made.guard._rules = replace(rules, read=lambda frame, now: change(rules.read(frame, now)))


def _plant(bench: Bench, alter: Alter) -> None:
    bench.planted.alter = alter


def _raise(_frame: bytes) -> bytes:
    raise Malformed("phase", "planted")


def _other_colour(outlook: SignalOutlook, instant: Instant) -> tuple[SignalOutlook, Instant]:
    colours = [colour for colour in Colour if colour is not Colour.UNKNOWN]
    groups = [
        replace(g, colour=next(c for c in colours if LIGHT_OF[c] != LIGHT_OF[g.colour]))
        for g in outlook.groups
    ]
    return replace(outlook, groups=tuple(groups)), instant


def _heads(bench: Bench, seconds: float, *, groups: Collection[int]) -> Spoken:
    """Cameras that see another lamp than is told of these groups, and the right one of all others."""
    shown = {1: bench.one, 5: bench.five}
    since_s = bench.now_s
    for _ in range(round(seconds * 10)):
        spoken = bench.tick()
        wrong = {g: Colour.RED if shown[g] in GO else Colour.GREEN for g in groups}
        heads = tuple(HeadSeen(g, (shown | wrong)[g], since_s - 1.0, bench.now_s) for g in (1, 5))
        bench.made.saw_heads(HeadsSeen("cam", bench.now_s, heads))
    return spoken


def _witness(one: Colour, five: Colour) -> Spoken:
    return _heads(Bench(one, five), 3.0, groups=(1, 5))


def _contradicted(one: Colour, five: Colour) -> Spoken:
    return _heads(Bench(one, five), 3.0, groups=(1,))


def _disagreement(one: Colour, five: Colour) -> Spoken:
    bench = calibrated(one, five)
    return _heads(bench, 0.9, groups=(1,))


def _unusual(one: Colour, five: Colour) -> Spoken:
    bench = calibrated(Colour.GREEN, five)
    bench.one = Colour.RED
    bench.tick()
    bench.one = one
    return bench.tick()


def _returned(one: Colour, five: Colour) -> Spoken:
    bench = calibrated(one, five)
    for _ in range(20):
        bench.now_s += 0.1
        bench.speak()
    return bench.tick(2.5)


def _clock(one: Colour, five: Colour) -> Spoken:
    bench = Bench(one, five)
    bench.tick(1.0)
    bench.report()
    return bench.made.speak(Instant(bench.now_s + 0.02, None))


def _conflict(_one: Colour, _five: Colour) -> Spoken:
    """The only two colours of which it can be said."""
    return Bench(Colour.GREEN, Colour.GREEN_FLASH, programme=PROGRAMME).tick(1.0)


SCENARIOS: dict[str, Callable[[Colour, Colour], Spoken]] = {
    "no_programme": lambda one, five: Bench(one, five, programme=None).tick(1.0),
    "no_report": lambda one, five: Bench(one, five).speak(),
    "stale": _stale,
    "no_mode": lambda one, five: Bench(one, five).tick(1.0, control=None),
    "other_controller": _other_controller,
    "slow_source": _slow,
    "line_lost": _told("line_lost"),
    "last_word": _told("last_word"),
    "conflict": _conflict,
    "witness": _witness,
    "contradicted": _contradicted,
    "disagreement": _disagreement,
    "colour": _altered(lambda bench: _plant(bench, _other_colour)),
    "phases": _altered(lambda bench: _read_as(bench, lambda read: replace(read, phases=read.phases[:1]))),
    "identity": _altered(lambda bench: _read_as(bench, lambda read: replace(read, node=13))),
    "revision": _altered(
        lambda bench: setattr(bench.made.guard, "_rules", replace(bench.made.guard._rules, revision=3))
    ),
    "order": _altered(
        lambda bench: _read_as(
            bench,
            lambda read: replace(read, phases=tuple(replace(p, least=9, likely=5) for p in read.phases)),
        )
    ),
    "ends": _altered(
        lambda bench: _read_as(
            bench,
            lambda read: replace(
                read,
                phases=tuple(
                    replace(p, light=p.light, likely=77, least=None, most=None) for p in read.phases
                ),
            ),
        )
    ),
    "time": _altered(
        lambda bench: _plant(bench, lambda outlook, at: (outlook, replace(at, utc_s=(at.utc_s or 0.0) + 1.0)))
    ),
    "unreadable": _altered(lambda bench: setattr(bench.planted, "after", _raise)),
    "unusual": _unusual,
    "returned": _returned,
    "clock": _clock,
}
ELSEWHERE = {"late": "tests/runtime and field-rules 4: the judge that woke late drains its line first"}
ROWS = {row.cause: row for row in TABLE}
SHOWN = [colour for colour in Colour if colour is not Colour.UNKNOWN]


def test_every_row_of_the_table_is_a_scenario() -> None:
    assert SCENARIOS.keys() | ELSEWHERE.keys() == CAUSES
    assert OWN_FAULTS < CAUSES


@pytest.mark.parametrize("cause", [c for c in SCENARIOS if ROWS[c].colours in ("unavailable", "blocked")])
def test_a_cause_that_forbids_colours_forbids_them_whatever_shines(cause: str) -> None:
    for one, five in product(SHOWN, SHOWN):
        if cause in ("order", "ends") and Colour.DARK in (one, five):
            continue  # of a dark head any end at all is out of order
        spoken = spoken_under(cause, one, five)
        assert (spoken.valid, spoken.reason) == (False, cause), (one, five)
        if spoken.frame is not None:
            read = read_spat(spoken.frame)
            assert {(phase.light, phase.likely) for phase in read.phases} == {(UNAVAILABLE, None)}
            assert read.minute is None


@pytest.mark.parametrize("cause", ["disagreement", "unusual", "returned"])
def test_a_cause_that_holds_times_sends_the_colours(cause: str) -> None:
    for one, five in product(SHOWN, SHOWN):
        spoken = spoken_under(cause, one, five)
        assert spoken.valid, (cause, one, five, spoken.reason)
        assert spoken.frame is not None
        first, last = read_spat(spoken.frame).phases
        assert (first.light, last.light) == (LIGHT_OF[one][0], LIGHT_OF[five][1])
        assert first.likely is None


def test_of_a_contradicted_group_nothing_is_said_and_of_the_other_all() -> None:
    for one, five in product(SHOWN, SHOWN):
        spoken = spoken_under("contradicted", one, five)
        assert spoken.valid
        assert spoken.frame is not None
        first, last = read_spat(spoken.frame).phases
        assert (first.light, first.likely) == (UNAVAILABLE, None)
        assert last.light == LIGHT_OF[five][1]


def test_without_a_trusted_clock_colours_go_on_and_the_message_has_no_time() -> None:
    for one, five in product(SHOWN, SHOWN):
        spoken = spoken_under("clock", one, five)
        assert spoken.valid
        assert spoken.frame is not None
        assert read_spat(spoken.frame).minute is None


def test_times_are_there_where_nothing_is_doubted() -> None:
    """Else the tests above would pass on a speaker that never tells any."""
    spoken = calibrated().tick()
    assert spoken.frame is not None
    assert all(phase.likely for phase in read_spat(spoken.frame).phases)


def _swapped(outlook: SignalOutlook, at: Instant) -> tuple[SignalOutlook, Instant]:
    one, five = outlook.groups
    return replace(outlook, groups=(replace(five, group=1), replace(one, group=5))), at


def _shifted(seconds: float) -> Alter:
    def shifted(outlook: SignalOutlook, at: Instant) -> tuple[SignalOutlook, Instant]:
        moved = {"min_end_s": None, "max_end_s": None}
        groups = [
            replace(g, likely_end_s=g.likely_end_s and g.likely_end_s + seconds, **moved)
            for g in outlook.groups
        ]
        return replace(outlook, groups=tuple(groups)), at

    return shifted


def _stamped(seconds: float) -> Alter:
    return lambda outlook, at: (outlook, replace(at, utc_s=(at.utc_s or 0.0) + seconds))


FAULTS: dict[str, Alter] = {
    "two groups swapped": _swapped,
    "another colour": _other_colour,
    **{
        f"ends {seconds:+g} s": _shifted(seconds) for seconds in (-10.0, -1.0, -0.3, 0.3, 0.5, 1.0, 5.0, 60.0)
    },
    **{
        f"stamp {seconds:+g} s": _stamped(seconds)
        for seconds in (-3600.0, -1.0, -0.022, 0.022, 1.0, 28_800.0)
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_of_the_encoder_never_leaves(fault: str) -> None:
    bench = calibrated()
    right = bench.tick()
    assert right.valid
    bench.planted.alter = FAULTS[fault]
    wrong = bench.tick()
    assert not wrong.valid
    assert wrong.held is not None
    assert wrong.reason in OWN_FAULTS
    assert {phase.light for phase in read_spat(wrong.frame or b"").phases} == {UNAVAILABLE}
    assert bench.tick(1.0).frame != wrong.held


def test_one_colour_off_never_leaves_for_any_pair_of_colours() -> None:
    for one, five, off in product(SHOWN, SHOWN, range(1, len(SHOWN))):
        bench = Bench(one, five)
        bench.tick(0.2)

        def shifted(outlook: SignalOutlook, at: Instant, by: int = off) -> tuple[SignalOutlook, Instant]:
            first, last = outlook.groups
            colour = SHOWN[(SHOWN.index(first.colour) + by) % len(SHOWN)]
            return replace(outlook, groups=(replace(first, colour=colour), last)), at

        bench.planted.alter = shifted
        spoken = bench.tick()
        other = SHOWN[(SHOWN.index(one) + off) % len(SHOWN)]
        assert spoken.valid is (LIGHT_OF[other][0] == LIGHT_OF[one][0])
