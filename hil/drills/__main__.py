"""`python -m hil.drills --kills 200 --seed 1`: the counted drills; one JSON object on the last line."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from hil.counted_run import counted
from hil.demo import provenance
from hil.drills.bundle import MOST_MB, MOST_S, bundle
from hil.drills.config import MOST_LATE_S, config
from hil.drills.page import MOST_BYTES, MOST_PAINT_MS, page
from hil.drills.running import MOST_STATUS_S, running
from hil.drills.site_faults import LEAST_KINDS
from hil.drills.units import MOST_EXPOSURE, units
from hil.drills.update import MOST_REVERT_S, update
from hil.progress import counting

LEAST = {"config.fault_kinds": LEAST_KINDS}
MOST = {
    "config.misplaced": 0,
    "config.mixed": 0,
    "config.revert_late_s": MOST_LATE_S,
    "cli.status_s": MOST_STATUS_S,
    "update.unbootable": 0,
    "update.revert_s": MOST_REVERT_S,
    "bundle.secrets": 0,
    "bundle.seconds": MOST_S,
    "bundle.mb": MOST_MB,
    "unit.exposure_core": MOST_EXPOSURE,
    "unit.exposure_web": MOST_EXPOSURE,
    "web.bytes": MOST_BYTES,
    "web.first_paint_ms": MOST_PAINT_MS,
}


def drills(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    """All of them. Raises RigFailure."""
    with counting() as bar:
        task = bar.add_task("killed changes", total=options.kills)
        group = config(run_dir, options.kills, options.seed, partial(bar.advance, task))
        task = bar.add_task("killed installations", total=options.installs)
        releases = update(run_dir / "update", options.installs, options.seed, partial(bar.advance, task))
    figures = {"config": group, "update": releases, "bundle": bundle(run_dir / "bundle")}
    figures |= {**running(run_dir / "running"), "unit": units(options.units), "web": page(run_dir / "web")}
    figures |= {"seed": options.seed, **provenance()}
    return {**figures, "missed": missed(figures)}


def missed(figures: dict[str, Any]) -> list[str]:
    """Bounds that do not hold."""

    def figure(name: str) -> Any:
        group, _, key = name.partition(".")
        return figures[group][key]

    few = [f"{name} {figure(name)} < {least:g}" for name, least in LEAST.items() if figure(name) < least]
    unmeasured = [f"{name} was not measured" for name in MOST if figure(name) is None]
    many = [name for name in MOST if figure(name) is not None and figure(name) > MOST[name]]
    return few + unmeasured + [f"{name} {figure(name)} > {MOST[name]:g}" for name in many]


def main() -> int:
    """Parse, run, print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m hil.drills", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--installs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--units", type=Path, default=Path("deploy"), help="the folder of the services")
    return counted("drills", parser, drills, "a bound is missed")


if __name__ == "__main__":
    sys.exit(main())
