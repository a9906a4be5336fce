"""Code tables of GB/T 20999-2017 and what they mean to us; an unknown code is never an error."""

from __future__ import annotations

from rsu_agent.world.signal import Colour, Control, LampKind, StageState

COLOURS: dict[int, Colour] = {
    0x01: Colour.DARK,
    0x10: Colour.RED,
    0x11: Colour.RED_FLASH,
    0x12: Colour.RED_FLASH,  # fast
    0x20: Colour.GREEN,
    0x21: Colour.GREEN_FLASH,
    0x22: Colour.GREEN_FLASH,  # fast
    0x30: Colour.YELLOW,
    0x31: Colour.YELLOW_FLASH,
    0x32: Colour.YELLOW_FLASH,  # fast
    0x40: Colour.RED_YELLOW,
}

# 0x10, 0x20 and 0x30 only say who controls, not how. Vendors use others (67, 21): unknown, never fixed time.
CONTROLS: dict[int, Control] = {
    0x11: Control.FIXED_TIME,
    0x12: Control.ADAPTIVE,  # optimise
    0x13: Control.COORDINATED,
    0x14: Control.ADAPTIVE,
    0x15: Control.MANUAL,
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

KINDS: dict[int, LampKind] = {  # 3.2.2
    1: LampKind.MOTOR,
    2: LampKind.BICYCLE,
    3: LampKind.PEDESTRIAN,
    4: LampKind.LANE,
}

ON_DEMAND = 0x20  # appearance of a stage in a plan's chain; 0x10 is fixed

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

ALARMS: dict[int, str] = {0x10: "lamp", 0x30: "detector", 0x40: "device", 0x60: "environment"}

ERRORS: dict[int, str] = {
    0x10: "bad value",
    0x11: "bad length",
    0x12: "overflow",
    0x20: "read only",
    0x30: "not present",
    0x40: "general error",
    0x50: "control failed",
}


def colour(code: int) -> Colour:
    """A lamp group's colour."""
    return COLOURS.get(code, Colour.UNKNOWN)


def control(code: int) -> Control:
    """The run mode."""
    return CONTROLS.get(code, Control.UNKNOWN)


def fault(code: int) -> str:
    """A fault's stable name; those we do not know keep their code."""
    return FAULTS.get(code, f"fault_{code:#04x}")


def alarm(code: int) -> str:
    """An alarm's stable name; a recorded controller sends one (0x80) that no table has."""
    return ALARMS.get(code, f"alarm_{code:#04x}")
