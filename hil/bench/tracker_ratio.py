"""One update of a crowd by our fusion and, by turns in the same run, by the peers; how ours grows."""

from __future__ import annotations

import contextlib
import json
import math
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hil.bench.crossing import site
from hil.bench.crowd import SCORE, SPREAD_M, Frame, as_feed, crowd
from hil.bench.peers.environment import clean_environment, peers_python
from hil.bench.taken import Taken, percentile
from hil.processes import RigFailure
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.world.road_user import UserClass

COUNT, SIZES = 100, (50, 100, 200, 400, 800)
WARM, BLOCKS = 15, 12  # frames until everybody is confirmed; turns
OURS_A_BLOCK = 40
PEERS_A_BLOCK = {"stonesoup": 3, "motpy": 20, "norfair": 8, "sort": 20, "bytetrack": 20, "ocsort": 20}
SLOW, FAST = "stonesoup", ("motpy", "sort", "bytetrack", "ocsort")
GROWTH_FRAMES = 60
KINDS = (UserClass.CAR, UserClass.CAR, UserClass.TRUCK, UserClass.PEDESTRIAN, UserClass.BICYCLE)
WITHIN = 0.9  # of the crowd: who tracks fewer does less work and is not compared


class Ours:
    """The product's fusion on a crowd seen by one camera."""

    def __init__(self, frames: list[Frame]) -> None:
        count = len(frames[0].xy)
        self._fusion = Fusion({}, {}, Roadway(site().crossing), most_at_once=2 * count)
        self._left, self.taken, self.told = iter([_measured(frame) for frame in frames]), Taken(), 0

    def go(self, count: int) -> None:
        """The next frames: what is measured in, users out."""
        for _ in range(count):
            measured = next(self._left)
            with self.taken.once():
                self._fusion.take(measured)
                users = self._fusion.users(measured.measured_s)
            self.told = len(users)


def _measured(frame: Frame) -> Measured:
    count = len(frame.xy)
    return Measured(
        "crowd",
        "camera",
        frame.at_s,
        frame.xy,
        np.tile(np.eye(2) * SPREAD_M**2, (count, 1, 1)),
        classes=tuple(KINDS[who % len(KINDS)] for who in frame.who.tolist()),
        scores=np.full(count, SCORE),
    )


class Peers:
    """The peers' process, told by lines what to do next."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ms: dict[str, list[float]] = {name: [] for name in PEERS_A_BLOCK}
        self.told: dict[str, int] = {}
        self._answer()

    def go(self, name: str, count: int, *, counts: bool = True) -> None:
        """A peer's next frames."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{name} {count}\n")
            self._process.stdin.flush()
        answer = self._answer()
        self.told[name] = int(answer["tracks"])
        if counts:
            self.ms[name] += answer["ms"]

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RigFailure(f"the peers ended with status {self._process.wait()}; what they said is above")
        return json.loads(line)


@contextlib.contextmanager
def peers_on(frames: list[Frame]) -> Iterator[Peers]:
    """The peers, ready for this crowd."""
    python = peers_python()
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "crowd.npz"
        as_feed(frames, feed)
        command = [str(python), "-m", "hil.bench.peers.clocked", str(feed)]
        with subprocess.Popen(
            command, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Peers(process)
            finally:
                process.kill()


def against_peers(seed: int, blocks: int = BLOCKS) -> dict[str, Any]:
    """A hundred tracks, a hundred detections: milliseconds of ours and of the peers, p50, and ratios."""
    frames = crowd(COUNT, seed, WARM + blocks * OURS_A_BLOCK)
    ours = Ours(frames)
    with peers_on(frames) as peers:
        ours.go(WARM)
        for name in PEERS_A_BLOCK:
            peers.go(name, WARM, counts=False)
        ours.taken.seconds.clear()
        for _ in range(blocks):
            ours.go(OURS_A_BLOCK)
            for name, count in PEERS_A_BLOCK.items():
                peers.go(name, count)
    told = {"ours": ours.told, **peers.told}
    lost = [name for name, tracks in told.items() if tracks < WITHIN * COUNT]
    own_ms = percentile(ours.taken.seconds, 0.5) * 1000
    peers_ms = {name: percentile(ms, 0.5) for name, ms in peers.ms.items() if name not in lost}
    fastest = min((name for name in FAST if name in peers_ms), key=peers_ms.__getitem__, default=None)
    return {
        "update_100_ms": round(own_ms, 3) if "ours" not in lost else None,
        "update_100_p99_ms": ours.taken.ms(0.99),
        "ratio_stonesoup": _ratio(peers_ms.get(SLOW), own_ms),
        "ratio_fastest_peer": _ratio(peers_ms.get(fastest or ""), own_ms),
        "fastest_peer": fastest,
        "peers_ms": {name: round(ms, 2) for name, ms in peers_ms.items()},
        "tracks": told,
    }


def _ratio(theirs_ms: float | None, ours_ms: float) -> float | None:
    return None if theirs_ms is None else round(theirs_ms / ours_ms, 1)


def growth(seed: int, sizes: tuple[int, ...] = SIZES) -> dict[str, Any]:
    """Milliseconds by size of the crowd, measured by turns, and the exponent of the line through them."""
    crowds = {size: Ours(crowd(size, seed, 2 * WARM + GROWTH_FRAMES)) for size in sizes}
    for ours in crowds.values():
        ours.go(WARM)
        ours.taken.seconds.clear()
    for _ in range(GROWTH_FRAMES // 10):
        for ours in crowds.values():
            ours.go(10)
    ms = {size: ours.taken.ms() for size, ours in crowds.items()}
    complete = all(ours.told >= WITHIN * size for size, ours in crowds.items())
    return {
        "growth_exponent": round(exponent(ms), 2) if complete else None,
        "growth_ms": {str(size): value for size, value in ms.items()},
    }


def exponent(ms: dict[int, float]) -> float:
    """p of the line log(ms) = p log(size) + c with the least squares."""
    fit = statistics.linear_regression(
        [math.log(size) for size in ms], [math.log(each) for each in ms.values()]
    )
    return fit.slope


def ratios(seed: int) -> dict[str, Any]:
    """`growth` and `against_peers`, in a process of its own with one thread for arithmetic, as peers have."""
    peers_python()
    command = [sys.executable, "-m", "hil.bench.tracker_ratio", str(seed)]
    done = subprocess.run(command, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RigFailure(
            f"the comparison with peers ended with status {done.returncode}; the reason is above"
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    number = int(sys.argv[1])
    print(json.dumps({**growth(number), **against_peers(number)}))
