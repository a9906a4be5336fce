"""What a blob says of each output: colour and the controller's own bounds on its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.tscbm.wire import UNKNOWN, Blob, Block
from rsu_agent.ports.named_groups import Output
from rsu_agent.world.signal import Colour, Control

NO_BLOCK = Block(0, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)

# Bits of the status byte (recalled from the hub's interface text; not seen set on a recorded blob)
MANUAL, STOP_TIME, FAULT_FLASH, PREEMPT, PRIORITY, COORDINATED, IN_TRANSITION, FLASH = (
    1 << n for n in range(8)
)

# (red, yellow, green, flashing) -> colour; a combination that is not here is unknown
COLOURS: dict[tuple[bool, ...], Colour] = {
    (True, False, False, False): Colour.RED,
    (True, False, False, True): Colour.RED_FLASH,
    (True, True, False, False): Colour.RED_YELLOW,
    (False, True, False, False): Colour.YELLOW,
    (False, True, False, True): Colour.YELLOW_FLASH,
    (False, False, True, False): Colour.GREEN,
    (False, False, True, True): Colour.GREEN_FLASH,
    (False, False, False, False): Colour.DARK,
    (False, False, False, True): Colour.DARK,
}
# (don't walk, pedestrian clear, walk): clearance is the flash, whether don't walk is told beside it or not
WALK_COLOURS: dict[tuple[bool, ...], Colour] = {
    (True, False, False): Colour.RED,
    (False, True, False): Colour.GREEN_FLASH,
    (True, True, False): Colour.GREEN_FLASH,
    (False, False, True): Colour.GREEN,
    (False, False, False): Colour.DARK,
}


@dataclass(frozen=True, slots=True)
class OutputTold:
    """One output. least_s, most_s: bounds on the end of its colour, None: not told."""

    output: Output
    colour: Colour
    least_s: float | None
    most_s: float | None


def outputs(blob: Blob) -> Iterator[OutputTold]:
    """All 48 outputs; those that do not exist are dark."""
    bits = blob.bitmaps
    vehicles = bits.reds, bits.yellows, bits.greens, bits.flashing
    walks = bits.dont_walks, bits.ped_clears, bits.walks
    overlaps = bits.overlap_reds, bits.overlap_yellows, bits.overlap_greens, bits.overlap_flashing
    blocks = {block.phase: block for block in blob.blocks}
    for number in range(1, 17):
        block = blocks.get(number, NO_BLOCK)
        for kind, maps, colours, least, most in (
            ("phase", vehicles, COLOURS, block.vehicle_least, block.vehicle_most),
            ("ped", walks, WALK_COLOURS, block.pedestrian_least, block.pedestrian_most),
            ("overlap", overlaps, COLOURS, block.overlap_least, block.overlap_most),
        ):
            lit = tuple(bool(each >> number - 1 & 1) for each in maps)
            yield OutputTold((kind, number), colours.get(lit, Colour.UNKNOWN), *_bounds(least, most))


def _bounds(least: int, most: int) -> tuple[float | None, float | None]:
    """In seconds. A minimum of 0 is one; a maximum of 0 or below the minimum tells nothing."""
    if least == UNKNOWN:
        return None, None
    if most in (0, UNKNOWN) or most < least:
        return least / 10, None
    return least / 10, most / 10


def control(blob: Blob) -> Control:
    """How it decides. A coordinated US controller is actuated within its cycle: never fixed time."""
    if blob.status & (FAULT_FLASH | FLASH):
        return Control.FLASH
    return Control.MANUAL if blob.status & (MANUAL | STOP_TIME) else Control.ACTUATED
