"""Setting the low-speed limit: enter, set, exit, each acknowledged. Nothing else is ever set."""

from __future__ import annotations

from drivers.csr_speed.wire import ENTER, EXIT, LOW_LIMIT, Reply, acknowledged, command

PATIENCE_S = 1.0
TRIES = 3


class Configuring:
    """One run through the steps; `state` is running, done or refused."""

    def __init__(self, low_limit_kmh: int) -> None:
        self._steps = [(ENTER, command(ENTER)), (LOW_LIMIT, command(LOW_LIMIT, low_limit_kmh))]
        self._steps.append((EXIT, command(EXIT)))
        self._refused = False
        self._tries = 0
        self.due_s = float("-inf")

    @property
    def running(self) -> bool:
        """Whether steps are left."""
        return bool(self._steps)

    @property
    def refused(self) -> bool:
        """Whether the radar said no, or nothing."""
        return self._refused

    def next_bytes(self, now_s: float) -> bytes | None:
        """The step that is due; one without an answer is tried again, then given up."""
        if not self._steps or now_s < self.due_s:
            return None
        if self._tries == TRIES:
            self._give_up()
        if not self._steps:
            return None
        self._tries += 1
        self.due_s = now_s + PATIENCE_S
        return self._steps[0][1]

    def take(self, reply: Reply) -> None:
        """A reply of the radar."""
        if not self._steps:
            return
        good = acknowledged(reply, self._steps[0][0])
        if good is None:
            return
        if good:
            self._next()
        else:
            self._give_up()

    def _next(self) -> None:
        del self._steps[:1]
        self._tries, self.due_s = 0, float("-inf")

    def _give_up(self) -> None:
        """Whatever happened, it must be told to leave configuration; that is tried to the end."""
        self._refused = True
        self._steps = [] if self._steps[0][0] == EXIT else self._steps[-1:]
        self._tries, self.due_s = 0, float("-inf")
