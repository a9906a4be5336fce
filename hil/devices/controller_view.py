"""Between the controller model and its fronts: what a front may ask, and what its process asks of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

COLOURS = (
    "dark",
    "red",
    "red_flash",
    "red_yellow",
    "green",
    "green_flash",
    "yellow",
    "yellow_flash",
)
MODES = ("fixed", "coordinated", "actuated", "adaptive", "manual", "flash", "all_red", "off", "startup")


class Span(NamedTuple):
    """Seconds until a group's present colour ends, as the controller itself can know; None: it cannot.

    Steady and flashing green are two colours here: a flash ends the green.
    """

    least: float | None
    likely: float | None
    most: float | None


class ControllerView(Protocol):
    """What runs in the cabinet. now_s: the rig's monotonic clock; durations: the controller's seconds."""

    known: dict[int, str]  # lamp group -> one of COLOURS, as the controller reports it
    mode: str  # one of MODES
    plan: int
    faults: tuple[int, ...]  # types as in GB/T 20999 16.2.2
    preempt: int  # number of the pre-emption that runs, 0: none
    priority: int  # number of the priority that runs, 0: none

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """(stage, elapsed, remaining); stage 0 where none runs, remaining 0.0 where nobody knows."""
        ...

    def span(self, group: int, now_s: float) -> Span:
        """When this group's colour ends."""
        ...

    def steps(self, group: int, ahead: int, now_s: float) -> tuple[tuple[str, int], ...]:
        """Colour steps (colour, whole seconds) of the running cycle (ahead 0) or the next (1).

        All groups' steps have the same sum. Empty where no cycle runs (manual, flash, all red, off).
        """
        ...

    def called(self, group: int) -> bool:
        """Whether a vehicle or pedestrian waits for this group's green."""
        ...

    def utc_s(self, now_s: float) -> float:
        """The controller's own clock, seconds since 1970 UTC; may be wrong, as clocks are."""
        ...


class Front(Protocol):
    """A protocol's face of the controller. Sans-IO: whole frames or datagrams, one a list entry."""

    frozen: bool  # while true, answers and publications repeat what was true when it was set

    @property
    def writes(self) -> int:
        """Requests heard that would change something: a reader of signals must never send one."""
        ...

    def opened(self, now_s: float) -> None:
        """The line or connection is up."""
        ...

    def closed(self) -> None:
        """It has gone: what was half received or waits to be sent is forgotten."""
        ...

    def hear(self, data: bytes, now_s: float) -> None:
        """Bytes (or one datagram) from the line."""
        ...

    def changed(self, groups: list[int], now_s: float) -> list[bytes]:
        """The controller has just changed these groups: what it says unasked, at once."""
        ...

    def due(self, now_s: float) -> list[bytes]:
        """Replies and publications whose time has come, with the values of this instant."""
        ...

    def next_s(self) -> float | None:
        """When `due` next has something to give, None: nothing is planned."""
        ...
