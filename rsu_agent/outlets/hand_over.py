"""Between producers and the outbox's writer: what was handed over, what the receiver said, what is due."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

from rsu_agent.outlets.receipt import Receipt
from rsu_agent.ports.envelope import Ack

HAND_OVER = 10_000  # records between producer and writer; beyond, they are refused and counted
COMMIT_S = 0.1  # the low lane is committed so soon after its first record: half of what a kill may cost ...
COMMIT_RECORDS = 64  # ... or when so many wait
DELETE_S = 0.1  # acknowledged rows are deleted together
TAKEN_AT_ONCE = 512  # records of one transaction
RETRY_S = 1.0  # after the disk has refused


@dataclass(slots=True)
class Job:
    """A packed record on its way to disk."""

    lane: str
    kind: str
    body: bytes
    receipt: Receipt
    handed_s: float


@dataclass(slots=True)
class Worst:
    """The most that was handed over and not committed at any time: a kill would have cost it."""

    records: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Work:
    """What the writer does next."""

    jobs: list[Job] = field(default_factory=list)
    words: list[Ack] = field(default_factory=list)
    seal: bool = False


class HandOver:
    """Thread-safe; nobody who puts waits longer than the moment in which another takes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._words: dict[str, Ack] = {}
        self._word_s, self._urgent = math.inf, 0
        self._held: Counter[str] = Counter()  # handed over and not settled
        self._not_before_s, self._ending = 0.0, False
        self._seal_s = math.inf
        self.worst = {"hi": Worst(), "lo": Worst()}

    def put(self, job: Job) -> bool:
        """False when too many wait."""
        with self._changed:
            if len(self._jobs) >= self._most:
                return False
            self._jobs.append(job)
            self._urgent += job.lane == "hi"
            self._held[job.lane] += 1
            worst = self.worst[job.lane]
            worst.records = max(worst.records, self._held[job.lane])
            if self._urgent or len(self._jobs) in (1, COMMIT_RECORDS):
                self._changed.notify()
        return True

    def heard(self, ack: Ack) -> None:
        """The receiver's word; words of a lane that come together are acted on together."""
        with self._changed:
            known = self._words.get(ack.lane)
            if known is not None and known.epoch == ack.epoch:
                ranges = ack.ranges if len(known.ranges) > TAKEN_AT_ONCE else (*known.ranges, *ack.ranges)
                rejected = (*known.rejected, *ack.rejected)
                ack = Ack(ack.epoch, ack.lane, max(known.contiguous, ack.contiguous), ranges, rejected)
            else:
                self._word_s = min(self._word_s, time.monotonic() + DELETE_S)
                self._changed.notify()
            self._words[ack.lane] = ack

    def take(self) -> Work | None:
        """What is due, when it is due; None at the end, when nothing is left."""
        with self._changed:
            while not self._ending and (wait_s := self._due_s() - time.monotonic()) > 0:
                self._changed.wait(None if wait_s == math.inf else wait_s)
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), TAKEN_AT_ONCE))]
            self._urgent -= sum(job.lane == "hi" for job in jobs)
            words, self._words, self._word_s = list(self._words.values()), {}, math.inf
            work = Work(jobs, words, time.monotonic() >= self._seal_s)
            self._seal_s = math.inf if work.seal else self._seal_s
            return work if jobs or words or not self._ending else None

    def seal_by(self, at_s: float) -> None:
        """What waits for company is to be sealed by then (monotonic), or sooner if that was said before."""
        with self._changed:
            self._seal_s = min(self._seal_s, at_s)
            self._changed.notify()

    def done(self, jobs: list[Job]) -> None:
        """These are settled."""
        with self._changed:
            now_s = time.monotonic()
            for job in jobs:
                self._held[job.lane] -= 1
                worst = self.worst[job.lane]
                worst.seconds = max(worst.seconds, now_s - job.handed_s)

    def put_back(self, jobs: list[Job]) -> None:
        """These could not be stored; they come again, first, a little later."""
        with self._changed:
            self._jobs.extendleft(reversed(jobs))
            self._urgent += sum(job.lane == "hi" for job in jobs)
            self._not_before_s = time.monotonic() + RETRY_S

    def end(self) -> None:
        """Nothing more comes: `take` gives what is left, then None."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    @property
    def ending(self) -> bool:
        """Whether the end was asked for."""
        return self._ending

    @property
    def empty(self) -> bool:
        """Whether all that was handed over is settled."""
        with self._changed:
            return not self._held.total()

    def _due_s(self) -> float:
        jobs_s = math.inf
        if self._jobs:
            at_once = self._urgent or len(self._jobs) >= COMMIT_RECORDS
            jobs_s = 0.0 if at_once else self._jobs[0].handed_s + COMMIT_S
        return min(max(min(jobs_s, self._seal_s), self._not_before_s), self._word_s)
