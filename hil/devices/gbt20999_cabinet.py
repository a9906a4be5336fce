"""What the virtual controller tells of itself beyond its signals: identity, clock, cabinet, spare rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hil.devices.gbt20999_codec import Address
from hil.devices.signal_plan import GROUPS, PHASES, PLANS, conflicts

EAST_OF_GREENWICH = timedelta(hours=8)
INTERGREEN_S = 5  # yellow 3 s and all-red 2 s
PLACES = 64  # rows of a table of phases; the last byte is phase 1


def constants() -> dict[Address, bytes]:
    """Values that never change while the controller runs."""
    values: dict[Address, bytes] = {
        (1, 4, 0, 0): stamp(datetime(2024, 1, 2, 3, 4, 5)),
        (1, 5, 0, 0): stamp(datetime(2024, 1, 2, 3, 4, 5)),
        (2, 4, 0, 0): int(EAST_OF_GREENWICH.total_seconds()).to_bytes(4, "big"),
        (2, 5, 0, 0): bytes(4),
        (2, 7, 0, 0): b"\0",
        (13, 1, 3, 0): b"\0",  # door closed
        (13, 1, 4, 0): (220).to_bytes(2, "big"),
        (13, 1, 5, 0): (3).to_bytes(2, "big"),
        (13, 1, 6, 0): bytes([31]),
        (13, 1, 7, 0): bytes([60]),
        (13, 1, 8, 0): b"\0",
        (13, 1, 9, 0): b"\0",
    }
    for group in GROUPS:
        values[3, 4, 2, group] = values[3, 4, 3, group] = b"\0"
    for phase in PHASES:
        values |= {(4, 2, attribute, phase): b"\0" for attribute in range(15, 27)}  # no start-up sequence
        values[4, 2, 29, phase], values[4, 2, 30, phase] = (60).to_bytes(2, "big"), bytes(2)
        values[4, 2, 31, phase] = bytes(8)
        values[7, 2, 2, phase] = bytes(
            INTERGREEN_S if PLACES - place in conflicts(phase) else 0 for place in range(PLACES)
        )
    for number in PLANS:
        values[9, 2, 4, number] = b"\0"  # no coordination
    return values


def stamp(moment: datetime) -> bytes:
    """Seven bytes: year in two, month, day, hour, minute, second."""
    return moment.year.to_bytes(2, "big") + bytes(
        [moment.month, moment.day, moment.hour, moment.minute, moment.second]
    )


def clock_value(address: Address, utc_s: float) -> bytes | None:
    """13.1.10 standard time and 13.1.11 local time at this UTC of the controller's own, None for others."""
    moment = datetime.fromtimestamp(utc_s, UTC)
    if address == (13, 1, 10, 0):
        return stamp(moment)
    return stamp(moment + EAST_OF_GREENWICH) if address == (13, 1, 11, 0) else None


def fault_value(address: Address, faults: tuple[int, ...], utc_s: float) -> bytes | None:
    """16.1 and 16.2.n: count, id, type, time, action (none) of what is listed; None for other addresses."""
    if address == (16, 1, 0, 0):
        return len(faults).to_bytes(4, "big")
    attribute, row = address[2:]
    if address[:2] != (16, 2) or not 1 <= row <= len(faults):
        return None
    local = datetime.fromtimestamp(utc_s, UTC) + EAST_OF_GREENWICH
    rows = {1: row.to_bytes(4, "big"), 2: bytes([faults[row - 1]]), 3: stamp(local), 4: b"\0"}
    return rows.get(attribute)
