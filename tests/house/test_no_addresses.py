"""Nothing that a stranger would trip over: registry addresses, paths of one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
REGISTRY = re.compile(
    r"https?://[a-z0-9.-]*(py" + r"pi|python" + r"hosted|npm" + r"js|deb" + r"ian)[a-z0-9.-]*/"
)


def test_no_tracked_file_names_a_package_registry() -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    bad = []
    for name in filter(None, names.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and REGISTRY.search(path.read_text(errors="ignore")):
            bad.append(name)
    assert not bad
