"""One child process of the parent: how it is started, when it is started again. Standard library only."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass, field

from rsu_agent.runtime.pulse import Pulse, pulse_pair

# Small matrices only: a second thread of NumPy's library waits longer than it calculates.
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
FIRST_BACK_OFF_S = 0.5
LONGEST_BACK_OFF_S = 30.0
QUIET_S = 60.0  # a child that ran this long starts again without a wait
COUNTED_S = 600.0  # unexpected ends are counted over ten minutes


@dataclass
class Child:
    """A process of ours. `core` ends the parent when it dies too often, the others back off for ever."""

    name: str
    module: str
    arguments: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None
    pulse: Pulse | None = None
    started_s: float = 0.0
    start_at_s: float = 0.0
    back_off_s: float = FIRST_BACK_OFF_S
    ends_s: list[float] = field(default_factory=list)

    def start(self, now_s: float) -> None:
        """Spawn it with one end of a pulse as its lifeline."""
        pulse, theirs = pulse_pair()
        command = [sys.executable, "-m", self.module, *self.arguments, "--pulse-fd", str(theirs.fileno())]
        try:
            self.process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=ALONE | os.environ
            )
        finally:
            theirs.close()
        self.pulse = pulse
        self.started_s = now_s

    def running(self) -> bool:
        """Whether it runs now."""
        return self.process is not None and self.process.poll() is None

    def reap(self, now_s: float) -> int | None:
        """Its exit status once it has ended, else None; plans the next start."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        if self.pulse:
            self.pulse.close()
            self.pulse = None
        self.ends_s = [at for at in self.ends_s if now_s - at < COUNTED_S] + [now_s]
        if now_s - self.started_s >= QUIET_S:
            self.back_off_s = FIRST_BACK_OFF_S
        self.start_at_s = now_s + self.back_off_s * random.uniform(0.5, 1.0)
        self.back_off_s = min(self.back_off_s * 2, LONGEST_BACK_OFF_S)
        return status

    def forget(self) -> None:
        """It was ended on purpose: nothing of that counts against it."""
        self.process = None
        if self.pulse:
            self.pulse.close()
            self.pulse = None
        self.ends_s, self.back_off_s, self.start_at_s = [], FIRST_BACK_OFF_S, 0.0

    def stop(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            self.process.wait()
