"""Code tables of GA/T 1743-2020 and what they mean to us (facts/controllers 3.2)."""

from __future__ import annotations

from rsu_agent.world.signal import Colour, Control, LampKind

ON, FLASHING = 2, 3  # of a two-bit field; 0 none, 1 off

# (red, yellow, green) fields -> colour; whatever is not here is unknown, never a guess
COLOURS: dict[tuple[int, int, int], Colour] = {
    (ON, 0, 0): Colour.RED,
    (ON, ON, 0): Colour.RED_YELLOW,
    (0, ON, 0): Colour.YELLOW,
    (0, 0, ON): Colour.GREEN,
    (FLASHING, 0, 0): Colour.RED_FLASH,
    (0, FLASHING, 0): Colour.YELLOW_FLASH,
    (0, 0, FLASHING): Colour.GREEN_FLASH,
    (0, 0, 0): Colour.DARK,
}

KINDS: dict[int, tuple[str, LampKind]] = {
    1: ("straight", LampKind.MOTOR),
    2: ("left", LampKind.MOTOR),
    3: ("right", LampKind.MOTOR),
    4: ("round", LampKind.MOTOR),
    5: ("left bicycle", LampKind.BICYCLE),
    6: ("right bicycle", LampKind.BICYCLE),
    7: ("bicycle", LampKind.BICYCLE),
    8: ("pedestrian", LampKind.PEDESTRIAN),
    9: ("u-turn", LampKind.MOTOR),
    10: ("lane", LampKind.LANE),
    11: ("crossing", LampKind.OTHER),
    12: ("warning", LampKind.OTHER),
    13: ("tram straight", LampKind.OTHER),
    14: ("tram left", LampKind.OTHER),
    15: ("tram right", LampKind.OTHER),
}

# 7 bus priority and 8 emergency priority say who commands, not how: control unknown, and their flag
CONTROLS: dict[int, Control] = {
    1: Control.FLASH,
    2: Control.FIXED_TIME,  # multi-period
    3: Control.MANUAL,
    4: Control.ACTUATED,
    5: Control.COORDINATED,  # cableless
    6: Control.ADAPTIVE,  # isolated optimisation
}
BUS_PRIORITY, EMERGENCY = 7, 8

FAULTS: dict[int, tuple[str, ...]] = {1: (), 2: ("controller",), 3: ("other",)}  # 0: invalid, says nothing


def colour(code: int) -> Colour:
    """A lamp's colour: bits 1-0 red, 3-2 yellow, 5-4 green; off and absent fields count alike."""
    fields = [code >> shift & 3 for shift in (0, 2, 4)]
    lit = tuple(field if field in (ON, FLASHING) else 0 for field in fields)
    return COLOURS.get((lit[0], lit[1], lit[2]), Colour.UNKNOWN) if code else Colour.UNKNOWN
