"""A police centre that polls the controller line, so that a listener hears both directions."""

from __future__ import annotations

from collections.abc import Iterator

from hil.devices.controller_view import Front
from hil.devices.gbt20999_codec import Address, Message, Profile, build
from hil.devices.signal_plan import GROUPS, PHASES, PLANS, STAGES

CENTRE_HOST = 200
PERIOD_S = 0.1
BATCH = 24
REREAD = 100  # questions after which a centre reads the configuration again
QUERY, SET = 0x10, 0x30


def configuration() -> Iterator[Address]:
    """What a centre reads at first, and again from time to time."""
    yield from ((3, 1, 0, 0), (4, 1, 0, 0), (6, 1, 0, 0))
    for group in GROUPS:
        yield from ((3, 2, 1, group), (3, 2, 2, group))
    for phase in PHASES:
        yield from ((4, 2, attribute, phase) for attribute in (2, *range(3, 15), 27, 28))
        yield from ((7, 1, 2, phase), (7, 2, 2, phase))
    yield from ((6, 2, attribute, stage) for stage in STAGES for attribute in (2, 3, 4))
    for plan in PLANS:
        yield from ((9, 2, attribute, plan) for attribute in (2, 3, 4, 5, 6, 7, 8))


class PolledLine:
    """A front whose line a centre polls too. quiet: it is there but does not ask."""

    def __init__(self, front: Front, profile: Profile, *, quiet: bool = False) -> None:
        self._front, self._profile = front, profile
        self.quiet = quiet
        self._due_s: float | None = None
        self._rest = list(configuration())
        self._serial = 0

    @property
    def writes(self) -> int:
        """What the controller was told to change by others than the centre."""
        return self._front.writes

    @property
    def frozen(self) -> bool:
        """The controller's."""
        return self._front.frozen

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._front.frozen = on

    def opened(self, now_s: float) -> None:
        """The line is up."""
        self._front.opened(now_s)
        self._due_s = now_s

    def closed(self) -> None:
        """The line has gone."""
        self._front.closed()

    def hear(self, data: bytes, now_s: float) -> None:
        """A listener never speaks; if somebody does, the controller hears it."""
        self._front.hear(data, now_s)

    def changed(self, groups: list[int], now_s: float) -> list[bytes]:
        """The controller's traps."""
        return self._front.changed(groups, now_s)

    def due(self, now_s: float) -> list[bytes]:
        """The centre's question when its time has come, then the controller's replies."""
        frames: list[bytes] = []
        if self._due_s is not None and now_s >= self._due_s and not self.quiet:
            self._due_s = max(self._due_s + PERIOD_S, now_s)
            question = self._question()
            self._front.hear(question, now_s)
            frames.append(question)
        return frames + self._front.due(now_s)

    def next_s(self) -> float | None:
        """When either has something to say."""
        own = None if self.quiet else self._due_s
        return min((at for at in (own, self._front.next_s()) if at is not None), default=None)

    def _question(self) -> bytes:
        """Lamps and run state; every third time a piece of the configuration until all is read."""
        self._serial = (self._serial + 1) & 0xFF
        if not self._rest and self._serial % REREAD == 0:
            self._rest = list(configuration())
        wanted: list[Address] = [(3, 3, 1, group) for group in GROUPS]
        wanted += [(13, 2, 2, 1), (13, 2, 3, 1), (13, 2, 4, 1)]
        if self._rest and self._serial % 3 == 0:
            wanted, self._rest = self._rest[:BATCH], self._rest[BATCH:]
        entries = tuple((index, address, b"") for index, address in enumerate(wanted, 1))
        message = Message(QUERY, CENTRE_HOST, self._profile.controller, 0, self._serial, entries)
        return build(message, self._profile)
