"""The end of a counted run: one JSON line, files kept where it failed, and its exit status."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hil.processes import RigFailure

Figures = dict[str, Any]


def counted(
    name: str,
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace, Path], Figures],
    trouble: str,
) -> int:
    """The command line of a run whose figures say themselves what they `missed`; as `judged`."""
    parser.add_argument("--keep", type=Path, help="keep the run's files in this folder")
    options = parser.parse_args()
    return judged(name, partial(run, options), lambda figures: not figures["missed"], options.keep, trouble)


def judged(
    name: str,
    run: Callable[[Path], Figures],
    passed: Callable[[Figures], bool],
    keep: Path | None,
    trouble: str,
) -> int:
    """0 passed, 1 not (`trouble` says what), 2 the crossing did not come up. keep: a folder for the files."""
    run_dir = keep or Path(tempfile.mkdtemp(prefix=f"rsu-{name}-"))
    try:
        figures = run(run_dir)
    except RigFailure as failure:
        print(f"{failure}\nthe logs are in {run_dir / 'logs'}", file=sys.stderr)
        return 2
    print(json.dumps(figures))
    if passed(figures):
        if keep is None:
            shutil.rmtree(run_dir, ignore_errors=True)
        return 0
    print(f"{trouble}; the run's files are in {run_dir}", file=sys.stderr)
    return 1
