"""The traffic light SXL: characters of S0001 and how modes are told apart.

The characters follow the signal exchange list's own table of signal group status. The facts page has 0-9
and A-G the other way round; the list is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from rsu_agent.world.signal import Colour, Control

COLOURS: dict[str, Colour] = {
    **dict.fromkeys("ab", Colour.DARK),
    "c": Colour.YELLOW_FLASH,
    "d": Colour.RED_FLASH,
    "e": Colour.UNKNOWN,  # start-up: dark or flashing yellow
    "f": Colour.UNKNOWN,  # start-up: yellow for vehicles, red for pedestrians
    **dict.fromkeys("gh", Colour.RED),
    **dict.fromkeys("ABCDEFG", Colour.RED),
    "0": Colour.RED_YELLOW,
    **dict.fromkeys("12345678", Colour.GREEN),
    "9": Colour.GREEN_FLASH,
    **dict.fromkeys("NO", Colour.YELLOW),
    "P": Colour.RED,
}
STARTING = frozenset("efg")

# (status, value's name, how often it is repeated in s, whether the group's own component is asked)
SUBSCRIPTIONS: dict[str, tuple[tuple[str, ...], int]] = {
    "S0001": (("signalgroupstatus", "cyclecounter", "basecyclecounter", "stage"), 1),
    "S0007": (("intersection", "status"), 10),
    "S0008": (("intersection", "status"), 10),
    "S0009": (("intersection", "status"), 10),
    "S0011": (("intersection", "status"), 10),
    "S0012": (("intersection", "status"), 10),
    "S0014": (("status",), 10),
    "S0020": (("intersection", "controlmode"), 10),
}
TIMES = (
    "minToGEstimate",
    "maxToGEstimate",
    "likelyToGEstimate",
    "ToGConfidence",
    "minToREstimate",
    "maxToREstimate",
    "likelyToREstimate",
    "ToRConfidence",
)
MODE_CODES = ("S0007", "S0008", "S0009", "S0011", "S0012", "S0020")


def control(known: Mapping[tuple[str, str], str]) -> Control | None:
    """From the statuses heard so far; the first row that holds. None before S0020 or S0007 was heard."""

    def on(code: str) -> bool | None:
        value = known.get((code, "status"))
        return None if value is None else "true" in value.lower()

    if not {("S0020", "controlmode"), ("S0007", "status")} & known.keys():
        return None
    rows: tuple[tuple[bool, Control], ...] = (
        (on("S0007") is False, Control.OFF),
        (bool(on("S0011")), Control.FLASH),
        (bool(on("S0012")), Control.ALL_RED),
        (bool(on("S0008")), Control.MANUAL),
        (known.get(("S0020", "controlmode"), "control") != "control", Control.UNKNOWN),
        (bool(on("S0009")), Control.FIXED_TIME),
    )
    return next((mode for holds, mode in rows if holds), Control.ACTUATED)


def utc_s(stamp: str) -> float | None:
    """A time stamp of the site as seconds since 1970, None for what is none."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
