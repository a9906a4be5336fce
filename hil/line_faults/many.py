"""Line faults side by side: parts of each line's share, as many at a time as there are processors."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed

from hil.line_faults.draw import LINES, shares
from hil.line_faults.run import run_line
from hil.progress import counting

PART = 50  # faults that one crossing suffers before the next one is set up


def _work(at: int, part: int, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    logging.disable(logging.WARNING)  # a lost controller is what this is about
    return run_line(LINES[at], count, f"{seed}-{part}")


def run_all(count: int, seed: int) -> tuple[list[Counter[str]], list[str]]:
    """(figures, stories) of every part of every line. Raises TimeoutError."""
    found: list[Counter[str]] = []
    stories: list[str] = []
    context = multiprocessing.get_context("spawn")
    with (
        counting() as bar,
        ProcessPoolExecutor(os.cpu_count(), context) as pool,
    ):
        task = bar.add_task("line faults", total=count)
        parts = {pool.submit(_work, *part, seed): part for part in _parts(count)}
        try:
            for done in as_completed(parts):
                figures, told = done.result()
                bar.advance(task, parts[done][2])
                found.append(figures)
                stories += told
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found, stories


def _parts(count: int) -> list[tuple[int, int, int]]:
    """(line, number of the part, faults in it): each with a crossing of its own."""
    return [
        (at, part, min(PART, share - part * PART))
        for at, share in enumerate(shares(count))
        for part in range(-(-share // PART))
    ]
