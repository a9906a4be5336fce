"""Feeds the targets: each input gives a value or a typed error, in bounded memory and time."""

from __future__ import annotations

import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.targets import Target

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
    """counts: target -> {"value": n, "Error": n}."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    failure: Failure | None = None
    grown_mb: float = 0.0


def fuzz(targets: tuple[Target, ...], n: int, seed: int) -> Outcome:
    """n inputs, shared out among the targets in turn; ends at the first failure."""
    outcome = Outcome()
    before_mb = _peak_mb()
    share, rest = divmod(n, len(targets))
    for place, target in enumerate(targets):
        outcome.counts[target.name] = Counter()
        outcome.failure = _one(target, share + (place < rest), seed, outcome.counts[target.name])
        outcome.grown_mb = _peak_mb() - before_mb
        if outcome.failure is None and outcome.grown_mb > MOST_GROWTH_MB:
            outcome.failure = Failure(target.name, seed, f"memory grew by {outcome.grown_mb:.0f} MB", [])
        if outcome.failure is not None:
            break
    return outcome


def _one(target: Target, n: int, seed: int, counts: Counter[str]) -> Failure | None:
    dice = random.Random(f"{seed}/{target.name}")
    read, fed = target.fresh(), []
    for _ in range(n):
        if dice.randrange(LIFE) == 0:
            read, fed = target.fresh(), []
        data = target.make(dice)
        fed.append(data)
        try:
            with _alarm():
                kept = read(data)
        except target.typed as error:
            counts[type(error).__name__] += 1
            read, fed = target.fresh(), []
            continue
        except (Exception, Hang) as error:  # noqa: BLE001 - whatever it is, it is the finding
            return Failure(target.name, seed, f"{type(error).__name__}: {error}", fed)
        if kept > target.most_kept_bytes:
            return Failure(target.name, seed, f"keeps {kept} bytes, at most {target.most_kept_bytes}", fed)
        counts["value"] += 1
    return None


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
