"""The truth log: one JSON line an entry, one file a process, in the run's folder `truth/`.

Kinds, `t` always CLOCK_MONOTONIC in seconds (the rig's true clock):
  lamp     {t, k, group, colour}                    what shines, when it changes (all at start)
  knowable {t, k, group, colour, end_t}             what the controller itself could know of the next change
  users    {t, k, users: [{id, cls, x, y, vx, vy, heading, l, w, h, seen: {sensor: share}}]}, 20 Hz
  event    {t, k, id, kind, edge: onset|clear, user, x, y}       scripted hazards
  fault    {t, k, device, name, on}
  wire     {t, k, colours: {group: colour}}          last byte of a trap leaving the controller
  frame    {t, k, camera, frame}                    first byte of a frame leaving the camera
  air      {t, k, hex}                              a datagram as the vehicle received it (kernel stamp)
  bsm      {t, k, user, id, x, y, lie, again}       a BSM as it left, at most once a second a vehicle;
                                                    x, y: where that truly is; user null: nowhere;
                                                    lie: it says elsewhere; again: sent before
  stall    {t, k, late_ms}                          the probe's own lateness
Metres east and north of the reference point, headings clockwise from north, colours as in world.signal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol


class Log(Protocol):
    """Where a device writes what truly happened."""

    def write(self, entry: str, t: float, **fields: Any) -> None:
        """One entry."""
        ...


class TruthLog:
    """Appends entries of one process; lines are flushed at once so that a killed process loses none."""

    def __init__(self, run_dir: Path, process: str) -> None:
        folder = run_dir / "truth"
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{process}.jsonl").open("a", buffering=1)

    def write(self, entry: str, t: float, **fields: Any) -> None:
        """One entry."""
        self._file.write(json.dumps({"t": round(t, 6), "k": entry, **fields}, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_truth(run_dir: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    """All entries of these kinds (all when none is named), file by file; a torn last line is skipped."""
    for path in sorted((run_dir / "truth").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            if not kinds or entry["k"] in kinds:
                yield entry
