"""GB/T 20999-2017: data values and code tables, addressed by class.object.attribute.element."""

from __future__ import annotations

from typing import NamedTuple

from rsu_agent.world.signal import Colour, Control, StageState

QUERY, REPLY, ERROR_REPLY, TRAP = 0x10, 0x20, 0x21, 0x60
HEARTBEAT_QUERY, HEARTBEAT_REPLIES = 0x70, frozenset({0x80, 0x71})


class Ident(NamedTuple):
    """Address of one data value."""

    klass: int
    object: int
    attribute: int
    element: int


MAKER, VERSION, SERIAL = Ident(1, 1, 0, 0), Ident(1, 2, 0, 0), Ident(1, 3, 0, 0)
GROUP_COUNT, PHASE_COUNT, STAGE_COUNT = Ident(3, 1, 0, 0), Ident(4, 1, 0, 0), Ident(6, 1, 0, 0)
STANDARD_TIME = Ident(13, 1, 10, 0)
FAULT_COUNT = Ident(16, 1, 0, 0)


def lamp(group: int) -> Ident:
    """Status of a lamp group (3.3.1.n)."""
    return Ident(3, 3, 1, group)


def phase(attribute: int, number: int) -> Ident:
    """Attribute of a phase (4.2.a.n)."""
    return Ident(4, 2, attribute, number)


def stage_phases(stage: int) -> Ident:
    """Phases of a stage (6.2.2.n)."""
    return Ident(6, 2, 2, stage)


def stage_run(attribute: int, stage: int) -> Ident:
    """Running state of a stage: 2 state, 3 elapsed, 4 remaining (6.3.a.n)."""
    return Ident(6, 3, attribute, stage)


def conflicts(number: int) -> Ident:
    """Conflict bitmap of a phase (7.1.2.n)."""
    return Ident(7, 1, 2, number)


def plan(attribute: int, number: int) -> Ident:
    """Attribute of a plan (9.2.a.n)."""
    return Ident(9, 2, attribute, number)


def run(attribute: int, crossing: int) -> Ident:
    """Run state of a crossing: 2 mode, 3 plan, 4 stage (13.2.a.c)."""
    return Ident(13, 2, attribute, crossing)


def fault_type(number: int) -> Ident:
    """Type of a fault (16.2.2.n)."""
    return Ident(16, 2, 2, number)


PRIORITY_RUNS, EMERGENCY_RUNS = Ident(8, 3, 3, 1), Ident(8, 6, 3, 1)

COLOURS: dict[int, Colour] = {
    0x01: Colour.DARK,
    0x10: Colour.RED,
    0x11: Colour.RED_FLASH,
    0x12: Colour.RED_FLASH,
    0x20: Colour.GREEN,
    0x21: Colour.GREEN_FLASH,
    0x22: Colour.GREEN_FLASH,
    0x30: Colour.YELLOW,
    0x31: Colour.YELLOW_FLASH,
    0x32: Colour.YELLOW_FLASH,
    0x40: Colour.RED_YELLOW,
}

# An unknown mode is unknown control, never fixed time. Vendors remap some (67, 21): unknown too.
MODES: dict[int, Control] = {
    0x10: Control.UNKNOWN,
    0x11: Control.FIXED_TIME,
    0x12: Control.ADAPTIVE,
    0x13: Control.COORDINATED,
    0x14: Control.ADAPTIVE,
    0x15: Control.MANUAL,
    0x20: Control.UNKNOWN,
    0x21: Control.FIXED_TIME,
    0x22: Control.ACTUATED,
    0x23: Control.COORDINATED,
    0x24: Control.ADAPTIVE,
    0x25: Control.MANUAL,
    0x31: Control.FLASH,
    0x32: Control.ALL_RED,
    0x33: Control.OFF,
}

STAGE_STATES: dict[int, StageState] = {
    0x10: StageState.IDLE,
    0x20: StageState.RUNNING,
    0x30: StageState.TRANSITION,
}

FAULTS: dict[int, str] = {
    0x10: "green_conflict",
    0x11: "red_green_conflict",
    0x20: "red_lamp",
    0x21: "yellow_lamp",
    0x22: "green_lamp",
    0x30: "communication",
    0x40: "self_test",
    0x41: "detector",
    0x42: "relay",
    0x43: "memory",
    0x44: "clock",
    0x45: "main_board",
    0x46: "phase_board",
    0x47: "detector_board",
    0x50: "configuration",
    0x70: "control_response",
}


def number(data: bytes) -> int:
    """An unsigned whole number, most significant byte first."""
    return int.from_bytes(data, "big")


def bitmap(data: bytes) -> tuple[int, ...]:
    """Numbers of the bits that are set, bit 0 of the last byte = 1."""
    value = number(data)
    return tuple(bit + 1 for bit in range(8 * len(data)) if value >> bit & 1)


def right_aligned(data: bytes, width: int) -> list[int]:
    """A chain whose first entry is the last one in the bytes; leading zeros are unused places."""
    entries = [number(data[i : i + width]) for i in range(0, len(data) - width + 1, width)]
    return entries[::-1]
