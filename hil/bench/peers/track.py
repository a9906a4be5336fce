"""One peer over one feed, from the product's environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

from hil.bench.peers.environment import clean_environment, peers_python
from hil.bench.peers.settings import SETTINGS
from hil.processes import RigFailure

LONGEST_S = 3600.0  # stonesoup takes minutes for a minute of a busy crossing
NAMES = tuple(SETTINGS)


def track(name: str, feed_path: Path, out_path: Path) -> None:
    """Run a peer; writes t_index, id, xy (metres), v (m/s), one row a track and instant asked.

    stonesoup gets every sensor's frames with their covariances; the others get, for each instant asked, all
    sensors' detections, those of one body merged (feed.py). RigFailure: it did not end well, and why.
    """
    command = [str(peers_python()), "-m", "hil.bench.peers.run", name, str(feed_path), str(out_path)]
    try:
        done = subprocess.run(
            command, env=clean_environment(), capture_output=True, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired as slow:
        raise RigFailure(f"{name} was not done after {LONGEST_S:.0f} s") from slow
    if done.returncode:
        raise RigFailure(f"{name} ended with status {done.returncode}: {done.stderr.strip()[-600:]}")
