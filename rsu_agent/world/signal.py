"""Signals: lamp colours, what a controller reports, its programme, and the outlook we derive."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """What shines at one lamp group, whatever the controller's own code for it."""

    UNKNOWN = "unknown"
    DARK = "dark"
    RED = "red"
    RED_FLASH = "red_flash"
    RED_YELLOW = "red_yellow"
    GREEN = "green"
    GREEN_FLASH = "green_flash"
    YELLOW = "yellow"
    YELLOW_FLASH = "yellow_flash"


GO = frozenset({Colour.GREEN, Colour.GREEN_FLASH})


class Grade(StrEnum):
    """What a signal source is worth (field-rules 1.5).

    A: colour within 300 ms, plan known. B: colour within 300 ms, times learnt. C: slower, or flash and steady
    not told apart at once; only on air where the site file says so.
    """

    A = "A"
    B = "B"
    C = "C"


class LampKind(StrEnum):
    """Whom a lamp group speaks to, where the controller tells."""

    MOTOR = "motor"
    BICYCLE = "bicycle"
    PEDESTRIAN = "pedestrian"
    LANE = "lane"
    OTHER = "other"


class Control(StrEnum):
    """How the controller decides; an unknown mode is UNKNOWN and never counts as fixed time."""

    FIXED_TIME = "fixed_time"
    COORDINATED = "coordinated"
    ACTUATED = "actuated"
    ADAPTIVE = "adaptive"
    MANUAL = "manual"
    FLASH = "flash"
    ALL_RED = "all_red"
    OFF = "off"
    UNKNOWN = "unknown"


class StageState(StrEnum):
    """State of one stage as the controller tells it."""

    IDLE = "idle"
    RUNNING = "running"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Lamp:
    """One lamp group and its colour."""

    group: int
    colour: Colour


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a colour held for some seconds."""

    colour: Colour
    seconds: float


@dataclass(frozen=True, slots=True)
class GroupSteps:
    """A lamp group's colours through one cycle, in order."""

    group: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StageReport:
    """The running stage; seconds are the controller's own, usually whole."""

    stage: int
    state: StageState
    elapsed_s: float | None = None
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """What the controller itself says of when a group's colour ends, counted from the report's first byte.

    least_s <= likely_s <= most_s where given; None: it does not say. confidence: its own, 0..1.
    display: likely_s is a display's whole seconds, 1 in the last second, in which steady and flash of one
    colour count as one (GA/T 1743, GA/T 508).
    """

    group: int
    least_s: float | None = None
    likely_s: float | None = None
    most_s: float | None = None
    confidence: float | None = None
    display: bool = False


@dataclass(frozen=True, slots=True)
class SignalReport:
    """One frame from a controller. What the frame does not carry is None or absent.

    this_cycle, next_cycle: the colour steps of every group that the controller publishes for a cycle.
    fault_flash: it flashes because of a fault. controller_day_ms: its clock, where that has no date.
    first_byte_s, last_byte_s: monotonic seconds at which the frame's first byte left the controller
    (arrival less transmission time) and its last byte was read. `complete` is true when every lamp
    group of the programme is in `lamps`.
    """

    first_byte_s: float
    last_byte_s: float
    lamps: tuple[Lamp, ...] = ()
    complete: bool = False
    control: Control | None = None
    plan: int | None = None
    stage: StageReport | None = None
    faults: tuple[str, ...] | None = None
    preempt: bool | None = None
    priority: bool | None = None
    controller_utc_ms: int | None = None
    unsolicited: bool = False
    times: tuple[GroupTimes, ...] = ()
    this_cycle: tuple[GroupSteps, ...] = ()
    next_cycle: tuple[GroupSteps, ...] = ()
    alarms: tuple[str, ...] | None = None
    fault_flash: bool | None = None
    controller_day_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """Lamp groups that gain and lose the right of way together (GB/T 20999 class 4)."""

    phase: int
    groups: tuple[int, ...]
    losing: tuple[Step, ...] = ()
    gaining: tuple[Step, ...] = ()
    min_green_s: float | None = None
    max_green_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lag:
    """A phase that starts late or ends early within a stage."""

    phase: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Stage:
    """Phases that are green together (class 6); late_starts, early_ends: those of 0 s are left out."""

    stage: int
    phases: tuple[int, ...]
    late_starts: tuple[Lag, ...] = ()
    early_ends: tuple[Lag, ...] = ()


@dataclass(frozen=True, slots=True)
class StageSlot:
    """One place in a plan's chain; seconds include the transition (facts: inferred, calibrate)."""

    stage: int
    seconds: float
    on_demand: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A signal plan: its cycle and its chain of stages in running order (class 9)."""

    plan: int
    cycle_s: float
    slots: tuple[StageSlot, ...]
    offset_s: float | None = None
    coordinated_stage: int | None = None


@dataclass(frozen=True, slots=True)
class LampGroup:
    """What the controller says of a lamp group beside its number; name: how its own protocol names it."""

    group: int
    kind: LampKind | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Intergreen:
    """Least time between one phase's green end and another's green start (class 7)."""

    leaving: int
    entering: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything a controller says of itself once: who it is, groups, phases, stages, plans, conflicts.

    conflicts: pairs of phase numbers (low, high) that the controller keeps apart.
    fingerprint: changes when any of it changes, also when another controller answers.
    """

    fingerprint: str
    groups: tuple[int, ...]
    phases: tuple[Phase, ...] = ()
    stages: tuple[Stage, ...] = ()
    plans: tuple[Plan, ...] = ()
    conflicts: tuple[tuple[int, int], ...] = ()
    lamps: tuple[LampGroup, ...] = ()
    intergreens: tuple[Intergreen, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupOutlook:
    """What one lamp group shows now and when that ends; absolute monotonic seconds.

    An end that is not known is None. min_end_s <= likely_end_s <= max_end_s where given.
    flash_s: how long the green that shows flashes before it stops being one; 0 not at all, None not known.
    confidence: P(|actual end - likely end| <= 1.0 s), 0..1 (field-rules 3.5).
    """

    group: int
    colour: Colour
    since_s: float | None
    min_end_s: float | None = None
    likely_end_s: float | None = None
    max_end_s: float | None = None
    confidence: float | None = None
    next_start_s: float | None = None
    next_duration_s: float | None = None
    flash_s: float | None = None


@dataclass(frozen=True, slots=True)
class SignalOutlook:
    """All groups at one instant. `doubt` names why nothing may be said (None: may be said)."""

    at_s: float
    groups: tuple[GroupOutlook, ...]
    control: Control
    plan: int | None
    stage: int | None
    preempt: bool = False
    priority: bool = False
    fault_flash: bool = False
    doubt: str | None = None
