"""The air record's writer: a thread of its own that nothing on the way to the radio ever waits for."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import Counter, Gauge

from rsu_agent.outlets.air_changes import Changes, Tick
from rsu_agent.outlets.air_store import PLAUSIBLE_S, AirStore
from rsu_agent.outlets.rules import Rules
from rsu_agent.outlets.site_key import site_key

log = logging.getLogger(__name__)
GATHER_S = 0.25
RETRY_S = 10.0  # a disk that refused is tried again so much later
HEAD_S = 60.0  # a signature at most so often, and only where something is new
MOST_WAITING = 6_000  # ten minutes of ticks
LINES = Counter("rsu_air_record_lines_total", "Lines of the air record, by kind.", ["kind"])
DROPPED = Counter("rsu_air_record_dropped_total", "News that the air record lost: a full queue or disk.")
BYTES = Gauge("rsu_air_record_bytes", "Size of the air record on the disk.")
SIGNED = Gauge("rsu_air_record_signed_records", "Number of the newest line that a signature covers.")
WRITES = Gauge("rsu_air_record_valid", "1 while the air record is written, 0 while its disk refuses.")


@dataclass(frozen=True, slots=True)
class News:
    """Something other than a tick of SPAT: kind of line, when, and its value."""

    kind: str
    utc_s: float
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the record lies, how much of it is kept, and whose it is. limit_mb 0: no record."""

    folder: Path
    limit_mb: int
    days: int
    site: str


class AirRecord:
    """`put` never waits and never raises; a disk that refuses costs lines, which are counted and declared."""

    def __init__(self, keeping: Keeping, rules: Rules, begin: dict[str, Any], utc_s: float) -> None:
        self._keeping = keeping
        self._changes = Changes(rules)
        self._store = AirStore(keeping.folder, keeping.limit_mb << 20, keeping.days)
        self._begin = News("begin", utc_s, begin)
        self._utc_s = utc_s  # of the newest news
        self._waiting: deque[Tick | News] = deque()
        self._closing = threading.Event()
        self._key: Ed25519PrivateKey | None = None
        self._lost, self._lost_told = 0, 0
        self._open = self._begun = False
        self._head_s, self._retry_s = 0.0, 0.0
        self._clock_good = False
        self._signed = 0
        self._thread: threading.Thread | None = None
        if keeping.limit_mb:
            self._thread = threading.Thread(target=self._run, name="air-record", daemon=True)
            self._thread.start()

    def put(self, item: Tick | News) -> None:
        """One tick, or other news."""
        if self._thread is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._lose(1)
        else:
            self._waiting.append(item)

    def close(self) -> None:
        """Write what waits, sign it, end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _lose(self, count: int) -> None:
        self._lost += count
        DROPPED.inc(count)

    def _run(self) -> None:
        ending = False
        while not ending:
            ending = self._closing.wait(GATHER_S)
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if batch or ending:
                self._batch(batch, ending=ending)
        self._store.close()

    def _batch(self, batch: list[Tick | News], *, ending: bool) -> None:
        now_s = max((item.now_s for item in batch if isinstance(item, Tick)), default=self._head_s)
        if now_s < self._retry_s:
            self._lose(len(batch))
            return
        try:
            self._write(batch, now_s, ending=ending)
            self._retry_s = 0.0
            WRITES.set(1)
        except (OSError, ValueError) as error:
            log.error("no air record in %s: %s; again in %g s", self._keeping.folder, error, RETRY_S)
            WRITES.set(0)
            self._retry_s = now_s + RETRY_S
            self._lose(len(batch))
            self._changes.forget()
            self._store.close()
            self._open = False

    def _write(self, batch: list[Tick | News], now_s: float, *, ending: bool) -> None:
        if not self._open:
            self._key = self._key or site_key(self._keeping.folder)
            self._store.open()
            self._open = True
        utc_s = self._utc_s = batch[-1].utc_s if batch else self._utc_s
        if self._store.new_day(utc_s):
            self._changes.forget()
        lost = self._lost
        lines = self._opening(utc_s)
        for item in batch:
            lines += self._lines(item)
        chain = self._store.chain
        if chain.number > self._signed and (ending or now_s - self._head_s >= HEAD_S) and self._key:
            lines.append(chain.head(utc_s, self._keeping.site, self._key))
            LINES.labels("head").inc()
            self._head_s, self._signed = now_s, chain.number
            SIGNED.set(chain.number - 1)
            lines += self._forgotten(utc_s)
        if lines:
            self._store.write(lines)
        self._store.cut, self._begun, self._lost_told = None, True, lost

    def _opening(self, utc_s: float) -> list[bytes]:
        """What is told before anything else: a torn end, an agent that begins, lines that are lost."""
        lines: list[bytes] = []
        if self._store.cut is not None:
            size, name = self._store.cut
            lines.append(self._line(News("torn", utc_s, {"cut_bytes": size, "cut_sha256": name})))
        if not self._begun:
            lines.append(self._line(self._begin))
        if self._lost != self._lost_told:
            lines.append(self._line(News("lost", utc_s, {"count": self._lost - self._lost_told})))
        return lines

    def _forgotten(self, utc_s: float) -> list[bytes]:
        gone = self._store.forget(utc_s, by_age=self._clock_good and utc_s >= PLAUSIBLE_S)
        BYTES.set(self._store.size())
        if gone is None:
            return []
        return [self._line(News("forgotten", utc_s, {"to": gone[0], "sha256": gone[1]}))]

    def _lines(self, item: Tick | News) -> list[bytes]:
        if isinstance(item, News):
            if item.kind == "clock":
                self._clock_good = bool(item.value["trusted"])
            return [self._line(item)]
        value = self._changes.tick(item)
        return [] if value is None else [self._line(News("air", item.utc_s, value))]

    def _line(self, news: News) -> bytes:
        LINES.labels(news.kind).inc()
        return self._store.chain.add(news.kind, news.utc_s, **news.value)
