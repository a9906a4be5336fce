"""AllowedManeuvers: the same twelve bits in the MAP of China, Europe and America."""

from __future__ import annotations

from rsu_agent.messages.fields import bits
from rsu_agent.world.crossing import Connection, Turn

MANEUVERS_SIZE = 12
TURN_BITS = {Turn.THROUGH: 0, Turn.LEFT: 1, Turn.RIGHT: 2, Turn.U_TURN: 3}
RIGHT_ON_RED, YIELD = 5, 8
STRAIGHT = bits(MANEUVERS_SIZE, TURN_BITS[Turn.THROUGH])


def maneuvers(ways: tuple[Connection, ...], right_on_red: bool) -> tuple[bytes, int]:
    """The BIT STRING of the ways out of a lane."""
    numbers = {TURN_BITS[way.turn] for way in ways}
    numbers |= {RIGHT_ON_RED} if right_on_red else set()
    numbers |= {YIELD} if any(way.uncontrolled for way in ways) else set()
    return bits(MANEUVERS_SIZE, *numbers)
