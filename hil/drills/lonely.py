"""`python -m hil.drills.lonely STATE`: the product's parent process with a core that does nothing."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from rsu_agent.runtime.child import Child
from rsu_agent.runtime.main import Parent
from rsu_agent.runtime.notify import Notifier
from rsu_agent.settings.generations import Generations


def main() -> int:
    """The parent, or (asked with --idle) its core."""
    if "--idle" in sys.argv:
        signal.pause()
        return 0
    core = Child("core", "hil.drills.lonely", ("--idle",))
    return Parent([core], Notifier(), Generations(Path(sys.argv[1]) / "config")).run()


if __name__ == "__main__":
    sys.exit(main())
