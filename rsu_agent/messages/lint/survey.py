"""Rules of the survey: which datum, of which day, and whether the coordinates were bent (field-rules 6)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rsu_agent.messages.lint.finding import CENTRE, Fault, Subject

EPOCH_M = (0.3, 1.5)  # CGCS2000 of 2000.0 against today's frame: about 0.9 m in Shenzhen in 2026
GCJ_02_M = (300.0, 700.0)
ALIKE_M = 0.3


def pole(subject: Subject) -> Iterator[Fault]:
    """The pole's long-term GNSS mean and its surveyed place agree, or the difference has a name."""
    if subject.gnss is None or subject.pole is None:
        return
    surveyed = subject.to_local(subject.pole)
    apart = math.dist(subject.to_local(subject.gnss), surveyed)
    if apart <= ALIKE_M:
        return
    if EPOCH_M[0] < apart <= EPOCH_M[1]:
        meant = "an epoch: a survey in CGCS2000@2000.0 against today's satellites"
    elif GCJ_02_M[0] <= apart <= GCJ_02_M[1]:
        meant = "GCJ-02: the file holds deflected coordinates and must not go on air"
    else:
        meant = "neither an epoch (0.3 to 1.5 m) nor GCJ-02 (300 to 700 m): another point was surveyed?"
    yield Fault("pole", surveyed, f"{apart:.2f} m from its GNSS mean, which looks like {meant}")


def datum(subject: Subject) -> Iterator[Fault]:
    """An old epoch is told: vehicles are placed by satellites of today."""
    name, _, epoch = subject.crossing.datum.partition("@")
    if name == "cgcs2000" and subject.gnss is None:
        text = f"datum {name}@{epoch}: check it against the pole's GNSS mean (--gnss LAT,LON)"
        yield Fault("crossing", CENTRE, text)
