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
class StageReport:
    """The running stage; seconds are the controller's own, usually whole."""

    stage: int
    state: StageState
    elapsed_s: float | None = None
    remaining_s: float | None = None


@dataclass(frozen=True, slots=True)
class SignalReport:
    """One frame from a controller. What the frame does not carry is None or absent.

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


@dataclass(frozen=True, slots=True)
class Step:
    """One transition step: a colour held for some seconds."""

    colour: Colour
    seconds: float


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
class Stage:
    """Phases that are green together (class 6)."""

    stage: int
    phases: tuple[int, ...]


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


@dataclass(frozen=True, slots=True)
class Programme:
    """Everything a controller says of itself once: who it is, groups, phases, stages, plans, conflicts.

    conflicts: pairs of phase numbers (low, high) that must never be green together.
    fingerprint: changes when any of it changes, also when another controller answers.
    """

    fingerprint: str
    groups: tuple[int, ...]
    phases: tuple[Phase, ...] = ()
    stages: tuple[Stage, ...] = ()
    plans: tuple[Plan, ...] = ()
    conflicts: tuple[tuple[int, int], ...] = ()


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
