"""What all tests share: the table at the end, and RSU_REQUIRE=all, which turns a skip into a failure.

Tests marked `extra` need a package that is not locked (SUMO, Stone Soup): they may be skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A shared machine may stall: hypothesis judges results here, not times. CI tries the same examples each time,
# so that it judges the change; new examples are looked for by everybody else's runs and by `make fuzz`.
settings.register_profile("unhurried", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
os.environ["RSU_LANG"] = "en"  # whoever runs them; tests of languages say their own
settings.load_profile("ci" if os.environ.get("CI") else "unhurried")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built once and without a network."""
    out, root = tmp_path_factory.mktemp("wheel"), Path(__file__).parents[1]
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(root)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    must = os.environ.get("RSU_REQUIRE") == "all" and item.get_closest_marker("extra") is None
    if report.skipped and must and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped (RSU_REQUIRE=all): {reason}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    rooms: dict[str, list[int]] = {}
    for column, outcome in enumerate(("passed", "failed", "skipped")):
        for report in stats.get(outcome, []):
            room = report.nodeid.split("/")[1] if report.nodeid.count("/") > 1 else "(top)"
            rooms.setdefault(room, [0, 0, 0])[column] += 1
    terminalreporter.section("tests by room")
    terminalreporter.write_line(f"{'room':<14}{'passed':>8}{'failed':>8}{'skipped':>9}")
    for room, (passed, failed, skipped) in sorted(rooms.items()):
        terminalreporter.write_line(f"{room:<14}{passed:>8}{failed:>8}{skipped:>9}")
    servers = ":".join(map(str, Path("/usr/lib/postgresql").glob("*/bin")))
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:{servers}"
    wanted = (
        "mosquitto",
        "chronyd",
        "chronyc",
        "chromium",
        "systemd-analyze",
        "tshark",
        "asn1c",
        "gcc",
        "gpsd",
        "ptp4l",
        "promtool",
        "initdb",
    )
    missing = [name for name in wanted if not shutil.which(name, path=path)]
    terminalreporter.write_line(f"missing programs: {', '.join(missing) or 'none'}")
