"""The guard's table: what is said for each cause, as data (`rsu guard table`, docs/decisions/0003)."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.world.signal import Colour


@dataclass(frozen=True, slots=True)
class Row:
    """One cause. colours, times: what still goes out; until: what ends it."""

    cause: str
    colours: str
    times: str
    status: str
    until: str


TABLE: tuple[Row, ...] = (
    Row("no_programme", "unavailable", "none", "noValidSPAT", "the controller's configuration is read"),
    Row("no_report", "unavailable", "none", "noValidSPAT", "a complete report"),
    Row("stale", "unavailable", "none", "noValidSPAT", "a complete report and 2 s without doubt"),
    Row("no_mode", "unavailable", "none", "noValidSPAT", "the mode is known"),
    Row("other_controller", "unavailable", "none", "noValidSPAT", "restart with the right controller"),
    Row("slow_source", "unavailable", "none", "noValidSPAT", "the site file allows a grade C source on air"),
    Row("line_lost", "unavailable", "none", "noValidSPAT", "a complete report and 2 s without doubt"),
    Row("conflict", "unavailable", "none", "noValidSPAT", "no conflict and 2 s without doubt"),
    Row("witness", "unavailable", "none", "noValidSPAT", "cameras agree with the controller for 2 s"),
    Row("last_word", "unavailable", "none", "noValidSPAT", "2 s without doubt"),
    Row("late", "held one tick", "held", "as before", "the line has been drained"),
    Row("colour", "blocked", "blocked", "noValidSPAT", "frames agree with the lamps for 2 s"),
    Row("phases", "blocked", "blocked", "noValidSPAT", "frames agree with the site for 2 s"),
    Row("identity", "blocked", "blocked", "noValidSPAT", "frames agree with the site for 2 s"),
    Row("revision", "blocked", "blocked", "noValidSPAT", "frames have the MAP's revision for 2 s"),
    Row("order", "blocked", "blocked", "noValidSPAT", "ends in order and in range for 2 s"),
    Row("ends", "blocked", "blocked", "noValidSPAT", "ends are those given to the encoder for 2 s"),
    Row("time", "blocked", "blocked", "noValidSPAT", "message time within 20 ms for 2 s"),
    Row("unreadable", "blocked", "blocked", "noValidSPAT", "readable frames for 2 s"),
    Row("disagreement", "sent", "held for this group", "as before", "its cameras agree for 2 s"),
    Row(
        "contradicted",
        "unavailable for this group",
        "none for this group",
        "as before",
        "its cameras have seen each contradicted colour rightly again, or nothing for ten minutes",
    ),
    Row("unusual", "sent", "held for this group", "as before", "one cycle"),
    Row("returned", "sent", "held for each group", "as before", "its next confirmed change"),
    Row("clock", "sent", "countdowns stay, message time absent", "as before", "the clock is trusted"),
)
# Doubts that no report causes: a box that degrades so is at fault itself, and counts it.
OWN_FAULTS = frozenset(
    {"last_word", "colour", "phases", "identity", "revision", "order", "ends", "time", "unreadable"}
)
CAUSES = frozenset(row.cause for row in TABLE)

# What each colour must be on air: (round lamp, arrow lamp); CSAE LightState numbers.
LIGHT_OF: dict[Colour, tuple[int, int]] = {
    Colour.UNKNOWN: (0, 0),
    Colour.DARK: (1, 1),
    Colour.RED_FLASH: (2, 2),
    Colour.RED: (3, 3),
    Colour.RED_YELLOW: (3, 3),
    Colour.GREEN_FLASH: (4, 4),
    Colour.GREEN: (5, 6),
    Colour.YELLOW: (7, 7),
    Colour.YELLOW_FLASH: (8, 8),
}
# The same in ISO/TS 19091 and SAE J2735: MovementPhaseState (permissive, protected, pedestrian) greens.
STATE_OF: dict[Colour, tuple[int, int, int]] = {
    Colour.UNKNOWN: (0, 0, 0),
    Colour.DARK: (1, 1, 1),
    Colour.RED_FLASH: (2, 2, 2),
    Colour.RED: (3, 3, 3),
    Colour.RED_YELLOW: (4, 4, 4),
    Colour.GREEN: (5, 6, 6),
    Colour.GREEN_FLASH: (5, 6, 8),
    Colour.YELLOW: (7, 8, 8),
    Colour.YELLOW_FLASH: (9, 9, 9),
}
UNAVAILABLE, DARK = 0, 1  # in every set
