"""How exposed a unit is: a figure of systemd, none where it is missing, a failure where it cannot judge."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hil.drills.units import MOST_EXPOSURE, exposure, units
from hil.processes import RigFailure

ROOT = Path(__file__).parents[2]
analyze = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is missing: sudo apt install systemd"
)


@analyze
def test_the_shipped_units_are_within_the_bound_and_a_bare_one_is_not(tmp_path: Path) -> None:
    shipped = units(ROOT / "deploy")
    assert set(shipped) == {"exposure_core", "exposure_web"}
    assert all(value is not None and 0 < value <= MOST_EXPOSURE for value in shipped.values())
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/bin/true\n")
    assert (exposure(bare) or 0) > 9


@analyze
def test_a_unit_that_is_not_there_is_a_failure_and_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RigFailure, match="does not judge"):
        exposure(tmp_path / "none.service")


def test_without_systemd_there_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert exposure(ROOT / "deploy/rsu-agent.service") is None
