"""`python -m hil.drills.update_killed ROOT KEYS FILE STEPS`: an installation, killed on the way.

The process kills itself before the STEPS-th call that touches the disk. With -1 it is never killed, and
ends with the release waiting; otherwise it is found good, too. Words on stdout say how far it came.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hil.drills.change import die_after
from rsu_agent.settings.release_file import known_keys
from rsu_agent.settings.release_install import install, trial_with
from rsu_agent.settings.releases import Releases

SECONDS = 600.0


def main() -> None:
    """Install, then find it good."""
    root, keys, file, steps = sys.argv[1:]
    known = known_keys(Path(keys))
    if int(steps) >= 0:
        die_after(int(steps))
    kept = Releases(Path(root))
    install(kept, Path(file), known, trial_with(Path(root) / "no-site"), SECONDS, [])
    print("waits", flush=True)
    if int(steps) >= 0:
        kept.confirm("the drill")
        print("good", flush=True)
        with kept.installing():
            kept.tidy()


if __name__ == "__main__":
    main()
