"""One peer over one feed, in the peers' environment: `python -m hil.bench.peers.run NAME FEED OUT`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hil.bench.peers.boxes import Motpy, of_trackers
from hil.bench.peers.feed import BadFeed, Step, steps
from hil.bench.peers.points import Norfair, StoneSoup, Told
from hil.bench.peers.settings import SETTINGS


class Peer(Protocol):
    """A tracker of others. What is timed is `update` alone."""

    def prepare(self, step: Step) -> Any:
        """A step in the peer's own types."""

    def update(self, found: Any) -> None:
        """Take it in."""

    def tracks(self) -> Iterator[Told]:
        """Confirmed tracks."""


def peer(name: str, settings: dict[str, float] | None = None) -> Peer:
    """A fresh tracker of this name."""
    told = SETTINGS[name] if settings is None else settings
    match name:
        case "stonesoup":
            return StoneSoup(told)
        case "norfair":
            return Norfair(told)
        case "motpy":
            return Motpy(told)
        case _:
            return of_trackers(name, told)


def followed(name: str, feed: Path, settings: dict[str, float] | None = None) -> dict[str, Any]:
    """The result's arrays: t_index, id, xy (metres) and v (m/s), led on to the instants asked."""
    told = SETTINGS[name] if settings is None else settings
    own, rows = peer(name, told), []
    for number, step in enumerate(steps(feed, told["least_score"], told["hold_s"])):
        own.update(own.prepare(step))
        for each, x, y, vx, vy, at_s in own.tracks():
            ahead = step.ask_s - at_s
            rows.append((number, each, x + vx * ahead, y + vy * ahead, vx, vy))
    table = np.array(rows, float).reshape(-1, 6)
    return {
        "t_index": table[:, 0].astype(np.int64),
        "id": table[:, 1].astype(np.int64),
        "xy": table[:, 2:4],
        "v": table[:, 4:6],
    }


def main(name: str, feed: str, out: str) -> int:
    """0 when the result is written."""
    if name not in SETTINGS:
        print(f"{name}: no such peer; there are {', '.join(SETTINGS)}", file=sys.stderr)
        return 2
    try:
        found = followed(name, Path(feed))
    except (BadFeed, OSError, ValueError) as wrong:
        print(wrong, file=sys.stderr)
        return 1
    with Path(out).open("wb") as file:
        np.savez(file, **found)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
