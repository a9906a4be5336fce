"""What others wrote and the page carries: unmodified, with its licence, as NOTICE says."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rsu_agent.web.page import STATIC

NOTICE = Path(__file__).parents[2] / "NOTICE"


def test_what_is_vendored_is_what_the_notice_says() -> None:
    said = dict(re.findall(r"(\S+)\s+sha256 ([0-9a-f]{64})", NOTICE.read_text()))
    there = {path.name for path in (STATIC / "vendor").iterdir()} - {"uPlot.LICENSE"}
    assert said.keys() >= there
    for name in there:
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == said[name]
    assert "MIT" in (STATIC / "vendor" / "uPlot.LICENSE").read_text()
