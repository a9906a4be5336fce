"""An offset is named by its size (field-rules 3.7): which other time a clock is showing. Pure."""

from __future__ import annotations

TOLERANCE_S = 1.0  # a controller is set by hand or whole seconds; the names lie 4 s apart at least
TAI_MINUS_UTC_S = 37  # since 2017; a leap file tells a later one
TAI_MINUS_GPS_S, TAI_MINUS_BEIDOU_S = 19, 33  # fixed for ever: their zero points in 1980 and 2006
BEIJING_S = 28_800  # local time without daylight saving


def name_offset(
    seconds: float, tai_minus_utc_s: int = TAI_MINUS_UTC_S, tolerance_s: float = TOLERANCE_S
) -> str | None:
    """What a clock minus UTC of this size is called, None: nothing known.

    One of `BeiDou time`, `GPS time`, `TAI`, `local time`, with a leading `-` where it lies behind by so much
    (taken off once too often), and sums of local time with one of the others, as `local time - GPS time`.
    """
    for size_s, name in _names(tai_minus_utc_s).items():
        if abs(seconds - size_s) <= tolerance_s:
            return name
    return None


def _names(tai_minus_utc_s: int) -> dict[int, str]:
    scales = {
        tai_minus_utc_s - TAI_MINUS_BEIDOU_S: "BeiDou time",
        tai_minus_utc_s - TAI_MINUS_GPS_S: "GPS time",
        tai_minus_utc_s: "TAI",
    }
    ahead = {BEIJING_S: "local time"} | scales
    names = ahead | {-size_s: f"-{name}" for size_s, name in ahead.items()}
    for size_s, name in scales.items():
        names[BEIJING_S + size_s] = f"local time + {name}"
        names[BEIJING_S - size_s] = f"local time - {name}"
        names[size_s - BEIJING_S] = f"-local time + {name}"
        names[-size_s - BEIJING_S] = f"-local time - {name}"
    return names
