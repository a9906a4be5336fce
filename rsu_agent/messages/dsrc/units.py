"""Units and unavailable codes of ISO/TS 19091 and SAE J2735; what their editions differ in is a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from rsu_agent.messages.moment import Instant
from rsu_agent.wire.uper import Malformed

TENTHS_AN_HOUR = 36_000
LEAP_TENTHS = 10
FARTHEST_S = 3500.0  # less than an hour: a mark farther ahead could as well be one just past
OFFSETS = (  # (half range in centimetres, alternative), smallest first
    (1 << 9, "node-XY1"),
    (1 << 10, "node-XY2"),
    (1 << 11, "node-XY3"),
    (1 << 12, "node-XY4"),
    (1 << 13, "node-XY5"),
    (1 << 15, "node-XY6"),
)


class Edition(StrEnum):
    """Whose rules TimeMark follows: ISO/TS 19091 in Europe, and the editions of SAE J2735."""

    ISO_19091 = "19091"
    J2735_2016 = "2016"
    J2735_2020 = "2020"
    J2735_2024 = "2024"

    @property
    def unknown_mark(self) -> int:
        """TimeMark's highest value, which says that the time is not known (field-rules 3.2)."""
        return UNKNOWN_MARKS[self]


UNKNOWN_MARKS = {
    Edition.ISO_19091: 36_001,
    Edition.J2735_2016: 36_001,
    Edition.J2735_2020: 36_111,
    Edition.J2735_2024: 36_111,
}


def mark(
    instant: Instant, at_s: float | None, edition: Edition, whole: Callable[[float], int] = round
) -> int | None:
    """TimeMark of a monotonic instant; whole: math.floor keeps a lower bound one, math.ceil an upper one.

    None of no instant; of one an hour or more away, for the mark would name another hour; when our clock is
    not trusted; and in a leap second where the edition has no numbers for it.
    """
    if at_s is None or abs(at_s - instant.now_s) > FARTHEST_S:
        return None
    utc = instant.utc_of(at_s)
    if utc is None:
        return None
    utc_s, in_leap_second = utc
    tenths = round(utc_s * 10, 3)  # without the dust of the floats
    if not in_leap_second:
        return whole(tenths) % TENTHS_AN_HOUR
    if edition.unknown_mark <= TENTHS_AN_HOUR + LEAP_TENTHS:
        return None
    return TENTHS_AN_HOUR + min(whole(tenths) % TENTHS_AN_HOUR, LEAP_TENTHS - 1)


def check_time_marks(spat: dict[str, Any], edition: Edition) -> None:
    """Raises Malformed, naming the field, for a TimeMark beyond what the edition has."""
    most = edition.unknown_mark
    for i, intersection in enumerate(spat["intersections"]):
        for j, movement in enumerate(intersection["states"]):
            for k, event in enumerate(movement["state-time-speed"]):
                for name, number in event.get("timing", {}).items():
                    if name != "confidence" and not 0 <= number <= most:
                        path = f"SPAT.intersections[{i}].states[{j}].state-time-speed[{k}].timing.{name}"
                        raise Malformed(path, f"{number} not in 0..{most} (edition {edition})")


def step(dx_cm: int, dy_cm: int) -> tuple[str, dict[str, int]]:
    """NodeOffsetPointXY from the node before, in the smallest form. Raises ValueError beyond 327 m."""
    for half, name in OFFSETS:
        if -half <= dx_cm < half and -half <= dy_cm < half:
            return name, {"x": dx_cm, "y": dy_cm}
    raise ValueError(
        f"two nodes of a lane are {math.hypot(dx_cm, dy_cm) / 100:.0f} m apart, at most 327 m fit"
    )
