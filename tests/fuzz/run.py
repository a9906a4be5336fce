"""Feeds the targets: each input gives a value or a typed error, in bounded memory and time."""

from __future__ import annotations

import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.targets import Target

SLOW_MS = 50.0  # of the thread's own CPU time, the best of three: a collection of garbage is nobody's fault
HANG_S = 20.0  # an input takes microseconds; a machine under load may stall for seconds
LIFE = 25  # inputs that one reader sees on average before a fresh one takes its place
MOST_GROWTH_MB = 256  # of the whole process


class Hang(BaseException):
    """An input that is not done with after HANG_S."""


@dataclass
class Failure:
    """fed: every chunk that the reader saw since it was made; the last one failed."""

    target: str
    seed: int
    error: str
    fed: list[bytes]

    def as_json(self) -> dict[str, Any]:
        """For people and scripts."""
        return {
            "target": self.target,
            "seed": self.seed,
            "error": self.error,
            "hex": [x.hex() for x in self.fed],
        }


@dataclass
class Outcome:
    """counts: target -> {"value": n, "Error": n}; worst_ms: the most CPU time that one input took."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    worst_ms: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    grown_mb: float = 0.0


def fuzz(targets: tuple[Target, ...], n: int, seed: int) -> Outcome:
    """n inputs, shared out among the targets in turn; ends at the first failure."""
    outcome = Outcome()
    before_mb = _peak_mb()
    share, rest = divmod(n, len(targets))
    for place, target in enumerate(targets):
        outcome.counts[target.name] = Counter()
        outcome.failure = _one(target, share + (place < rest), seed, outcome)
        outcome.grown_mb = _peak_mb() - before_mb
        if outcome.failure is None and outcome.grown_mb > MOST_GROWTH_MB:
            outcome.failure = Failure(target.name, seed, f"memory grew by {outcome.grown_mb:.0f} MB", [])
        if outcome.failure is not None:
            break
    return outcome


def decoders(outcome: Outcome) -> dict[str, dict[str, float]]:
    """{target: {inputs, crashes, hangs, worst_cpu_ms}}; a run ends at the first crash or hang."""
    failed = outcome.failure
    told = {}
    for name, counts in outcome.counts.items():
        hang = failed is not None and failed.target == name and failed.error.startswith(("Hang", "slow"))
        crash = failed is not None and failed.target == name and not hang
        worst = round(outcome.worst_ms.get(name, 0.0), 2)
        told[name] = {
            "inputs": counts.total(),
            "crashes": int(crash),
            "hangs": int(hang),
            "worst_cpu_ms": worst,
        }
    return told


def _one(target: Target, n: int, seed: int, outcome: Outcome) -> Failure | None:
    dice = random.Random(f"{seed}/{target.name}")
    counts = outcome.counts[target.name]
    worst_s = 0.0
    read, fed = target.fresh(), []
    for _ in range(n):
        if dice.randrange(LIFE) == 0:
            read, fed = target.fresh(), []
        data = target.make(dice)
        fed.append(data)
        began_s = time.thread_time()
        try:
            with _alarm():
                kept = read(data)
        except target.typed as error:
            counts[type(error).__name__] += 1
            kept = None
        except (Exception, Hang) as error:  # noqa: BLE001 - whatever it is, it is the finding
            return Failure(target.name, seed, f"{type(error).__name__}: {error}", fed)
        taken_s = time.thread_time() - began_s
        if taken_s > worst_s:
            worst_s = (
                taken_s
                if taken_s * 1e3 < SLOW_MS
                else min(taken_s, _again_s(target, fed), _again_s(target, fed))
            )
            outcome.worst_ms[target.name] = max(worst_s * 1e3, outcome.worst_ms.get(target.name, 0.0))
            if worst_s * 1e3 > SLOW_MS:
                return Failure(target.name, seed, f"slow: {worst_s * 1e3:.0f} ms of CPU time", fed)
        if kept is None:
            read, fed = target.fresh(), []
            continue
        if kept > target.most_kept_bytes:
            return Failure(target.name, seed, f"keeps {kept} bytes, at most {target.most_kept_bytes}", fed)
        counts["value"] += 1
    return None


def _again_s(target: Target, fed: list[bytes]) -> float:
    """CPU time of the last of these chunks, fed to a fresh reader."""
    read = target.fresh()
    began_s = 0.0
    for data in fed:
        began_s = time.thread_time()
        with suppress(*target.typed):
            read(data)
    return time.thread_time() - began_s


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hang(f"more than {HANG_S:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _peak_mb() -> float:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / (1 << 20 if sys.platform == "darwin" else 1 << 10)
