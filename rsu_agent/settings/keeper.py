"""`python -m rsu_agent.settings.keeper ROOT`: the keeper of releases as one file outside all of them.

It is a zip that Python runs: standard library, the system's interpreter, nothing of any release. An update
never touches it; `deploy/install` does.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

from rsu_agent.settings.durable import write
from rsu_agent.settings.releases import KEEPER

SHEBANG = b"#!/usr/bin/python3 -I\n"
START = "import sys\nfrom rsu_agent.settings.releases import main\nsys.exit(main())\n"
PARTS = ("durable", "releases")
MADE = (2026, 1, 1, 0, 0, 0)  # the same bytes every time


def keeper() -> bytes:
    """The program."""
    here, packed = Path(__file__).parent, io.BytesIO()
    texts = {f"rsu_agent/settings/{name}.py": (here / f"{name}.py").read_text() for name in PARTS}
    texts |= {"__main__.py": START, "rsu_agent/__init__.py": "", "rsu_agent/settings/__init__.py": ""}
    with zipfile.ZipFile(packed, "w") as bag:
        for name, text in texts.items():
            bag.writestr(zipfile.ZipInfo(name, MADE), text)
    return SHEBANG + packed.getvalue()


def place(root: Path) -> Path:
    """Put it into `root`, whole or not at all; where it is."""
    path = root / KEEPER
    write(path, keeper())
    path.chmod(0o755)
    return path


if __name__ == "__main__":
    print(place(Path(sys.argv[1])))
