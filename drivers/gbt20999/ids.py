"""Addresses of the values that we read (facts 1.3), and how wide each is."""

from __future__ import annotations

from functools import partial

from drivers.gbt20999.wire import Address

MAKER = Address(1, 1)
VERSION = Address(1, 2)
SERIAL_NUMBER = Address(1, 3)
CONTROLLER_ID = Address(2, 5)

GROUP_COUNT = Address(3, 1)
GROUP_NUMBER = partial(Address, 3, 2, 1)
GROUP_TYPE = partial(Address, 3, 2, 2)
LAMP = partial(Address, 3, 3, 1)

PHASE_COUNT = Address(4, 1)
PHASE_GROUPS = partial(Address, 4, 2, 2)
LOSING = (3, 4, 5, 6, 7, 8)  # 4.2.x: colour and seconds, three times
GAINING = (9, 10, 11, 12, 13, 14)
MIN_GREEN = partial(Address, 4, 2, 27)
MAX_GREEN = partial(Address, 4, 2, 28)

STAGE_COUNT = Address(6, 1)
STAGE_PHASES = partial(Address, 6, 2, 2)
LATE_STARTS = partial(Address, 6, 2, 3)
EARLY_ENDS = partial(Address, 6, 2, 4)
STAGE_STATE = partial(Address, 6, 3, 2)
STAGE_ELAPSED = partial(Address, 6, 3, 3)
STAGE_REMAINING = partial(Address, 6, 3, 4)

CONFLICTS = partial(Address, 7, 1, 2)
INTERGREENS = partial(Address, 7, 2, 2)

PRIORITY_RUNNING = partial(Address, 8, 3, 3)
EMERGENCY_RUNNING = partial(Address, 8, 6, 3)

PLAN_CROSSING = partial(Address, 9, 2, 2)
PLAN_CYCLE = partial(Address, 9, 2, 3)
PLAN_COORDINATED = partial(Address, 9, 2, 4)
PLAN_OFFSET = partial(Address, 9, 2, 5)
PLAN_STAGES = partial(Address, 9, 2, 6)
PLAN_TIMES = partial(Address, 9, 2, 7)
PLAN_APPEARANCES = partial(Address, 9, 2, 8)

UTC = Address(13, 1, 10)
RUN_MODE = partial(Address, 13, 2, 2)
RUN_PLAN = partial(Address, 13, 2, 3)
RUN_STAGE = partial(Address, 13, 2, 4)

ALARM_COUNT = Address(15, 1)
ALARM_TYPE = partial(Address, 15, 2, 2)
FAULT_COUNT = Address(16, 1)
FAULT_TYPE = partial(Address, 16, 2, 2)

CONFIGURATION_CLASSES = frozenset({1, 2, 4, 7, 9})  # and 3 and 6 but for their states
STATE_ITEMS = frozenset({(3, 3), (6, 3)})

_WIDTHS: dict[tuple[int, int, int], int] = {
    (1, 1, 0): 64,
    (1, 2, 0): 32,
    (1, 3, 0): 32,
    (2, 5, 0): 4,
    (4, 2, 2): 8,
    (4, 2, 27): 2,
    (4, 2, 28): 2,
    (6, 2, 2): 8,
    (6, 2, 3): 64,
    (6, 2, 4): 64,
    (6, 3, 3): 2,
    (6, 3, 4): 2,
    (7, 1, 2): 8,
    (7, 2, 2): 64,
    (9, 2, 3): 4,
    (9, 2, 5): 2,
    (9, 2, 6): 16,
    (9, 2, 7): 32,
    (9, 2, 8): 16,
    (13, 1, 10): 7,
    (15, 1, 0): 4,
    (16, 1, 0): 4,
}


def width(address: Address) -> int:
    """Bytes that the value is expected to have; 1 unless the table says otherwise."""
    return _WIDTHS.get(address[:3], 1)


def is_configuration(address: Address) -> bool:
    """Whether the value belongs to the programme, not to what happens now."""
    if address.data_class in CONFIGURATION_CLASSES:
        return True
    return address.data_class in (3, 6) and address[:2] not in STATE_ITEMS
