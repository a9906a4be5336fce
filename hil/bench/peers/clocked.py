"""How long peers take for a step: `python -m hil.bench.peers.clocked FEED.npz`, in the peers' environment.

Reads a line `NAME STEPS` at a time: the peer of that name goes on by so many steps. Answers a JSON line with
the milliseconds of each update alone, neither for making its types nor for reading its tracks, and how many
tracks it tells in the end.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from hil.bench.peers.feed import Step, steps
from hil.bench.peers.run import Peer, peer
from hil.bench.peers.settings import SETTINGS

AS_IT_COMES = {"near": 0}  # what is compared is the library, not our way around its cost


class Clocked:
    """A peer and how far it is in the feed."""

    def __init__(self, name: str, fed: list[Step]) -> None:
        self._peer: Peer = peer(name, SETTINGS[name] | AS_IT_COMES)
        self._left = iter(fed)

    def go(self, count: int) -> tuple[list[float], int]:
        """Milliseconds of the next steps, and the tracks at their end."""
        taken = []
        for _ in range(count):
            found = self._peer.prepare(next(self._left))
            began_s = time.perf_counter()
            self._peer.update(found)
            taken.append((time.perf_counter() - began_s) * 1000)
        return taken, sum(1 for _ in self._peer.tracks())


def main(feed: str) -> None:
    """Until the input ends."""
    fed = list(steps(Path(feed), 0.0, 0.0))
    running: dict[str, Clocked] = {}
    print(json.dumps(list(SETTINGS)), flush=True)
    for line in sys.stdin:
        name, count = line.split()
        clocked = running.setdefault(name, Clocked(name, fed))
        taken, tracks = clocked.go(int(count))
        print(json.dumps({"ms": taken, "tracks": tracks}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
