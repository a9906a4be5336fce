"""`python -m hil.mutants [--only NAME]`: installations with one thing wrong; who names them is counted."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hil.counted_run import counted
from hil.demo import provenance
from hil.mutants.run import Found, tried, tried_map
from hil.mutants.table import MAP_MUTANTS, MUTANTS
from hil.progress import counting

LEAST_CAUGHT = 15
NAMES: dict[str, Callable[[Path], Found]] = {
    **{each.name: partial(tried_map, each) for each in MAP_MUTANTS},
    **{each.name: partial(tried, each) for each in MUTANTS},
}


def mutants(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    """Every mutant, or those named. Raises RigFailure."""
    found: dict[str, Found] = {}
    chosen = [name for name in NAMES if not options.only or name in options.only]
    with counting() as bar:
        task = bar.add_task("mutants", total=len(chosen))
        for name in chosen:
            bar.update(task, description=name)
            found[name] = NAMES[name](run_dir / name)
            bar.advance(task)
    caught = sorted(name for name, each in found.items() if each["caught"])
    missed = sorted(found.keys() - set(caught))
    group = {"caught": len(caught), "missed": len(missed), "not_named": missed, "each": found}
    return {"mutants": group, "seed": 1, **provenance(), "missed": _bounds(group, len(chosen))}


def _bounds(group: dict[str, Any], tried_ones: int) -> list[str]:
    """Bounds that do not hold; of a choice every one must be caught."""
    least = min(LEAST_CAUGHT, tried_ones)
    return [] if group["caught"] >= least else [f"mutants.caught {group['caught']} < {least}"]


def main() -> int:
    """Parse, run, print; 1 when too few are caught."""
    parser = argparse.ArgumentParser(prog="python -m hil.mutants", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="Only this one; may be repeated.")
    return counted("mutants", parser, mutants, "too few mutants are named")


if __name__ == "__main__":
    sys.exit(main())
