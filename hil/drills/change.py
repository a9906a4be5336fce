"""`python -m hil.drills.change SITE FOLDER NEW STEPS confirm|revert`: a change, killed on the way.

The process kills itself before the STEPS-th call that touches the disk. Words on stdout say how far it came.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rsu_agent.settings.generations import Generations

TOUCHES = ("fsync", "replace", "open", "close", "fchmod", "unlink")
CONFIRM_S = 60.0


def main() -> None:
    """Change, then confirm or go back."""
    site, folder, new, steps, ends = sys.argv[1:]
    die_after(int(steps))
    kept = Generations(Path(folder))
    kept.begin(Path(site), Path(new).read_bytes(), CONFIRM_S)
    print("applied", flush=True)
    if ends == "confirm":
        kept.confirm()
    else:
        kept.revert("asked for")
    print("done", flush=True)


def die_after(steps: int) -> None:
    """Kill this process before its call number `steps` that touches the disk."""
    left = steps

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*arguments, **options)

        return call

    for name in TOUCHES:
        setattr(os, name, counted(getattr(os, name)))


if __name__ == "__main__":
    main()
