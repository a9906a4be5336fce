"""The district's SQLite: identity and facts in one transaction; what was stored already is a duplicate."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rsu_agent.district.facts import (
    DAY_US,
    KEEP_DAYS,
    as_json,
    filed_us,
    heard_us,
    lost_for_ever,
    place_of,
    table_of,
)
from rsu_agent.district.sink import Batch, Committed, DeadLetter, LaneKey, SiteState, Taken
from rsu_agent.district.store_layout import lay_out
from rsu_agent.ports.envelope import Ack, Envelope

MOST_RANGES = 32
MOST_DEAD = 100_000  # dead letters kept; the oldest go
SWEPT = 5_000  # rows that one sweep deletes of a kind: writers wait meanwhile
PLACED = ("base", "birth")


class SqliteSink:
    """One owner, one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        lay_out(self._db)

    def commit(self, envelopes: Iterable[Envelope], now_us: int) -> set[LaneKey]:
        """Store envelopes in one transaction; the (site, epoch, lane) it touched."""
        taken = [Taken("", e, tuple(map(as_json, e.records))) for e in envelopes]
        return self._commit(Batch(taken), now_us)[0]

    async def take(self, batch: Batch, now_us: int) -> Committed:
        """As the protocol has it."""
        touched, fresh = self._commit(batch, now_us)
        return Committed({key: self.ack(key) for key in touched}, fresh)

    async def aclose(self) -> None:
        """Close the file."""
        self.close()

    def ack(self, key: LaneKey) -> Ack:
        """What is committed of one lane."""
        _, epoch, lane = key
        row = self._db.execute(
            "SELECT contiguous FROM lane WHERE site=? AND epoch=? AND lane=?", key
        ).fetchone()
        contiguous = row[0] if row else 0
        return Ack(epoch, lane, contiguous, tuple(self._ranges(key, contiguous)))

    async def sweep(self, now_us: int) -> int:
        """Delete what is older than its kind is kept; how many records went."""
        gone = 0
        for (kind,) in self._db.execute("SELECT DISTINCT kind FROM record").fetchall():
            oldest_us = now_us - KEEP_DAYS[table_of(kind)] * DAY_US
            gone += self._db.execute(
                "DELETE FROM record WHERE (site, epoch, lane, seq, place) IN (SELECT site, epoch, lane, seq, "
                "place FROM record WHERE kind=? AND utc_us < ? LIMIT ?)",
                (kind, oldest_us, SWEPT),
            ).rowcount
        return gone

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _commit(self, batch: Batch, now_us: int) -> tuple[set[LaneKey], int]:
        touched: set[LaneKey] = set()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            fresh, again = self._store(batch.taken, now_us, touched)
            for letter in batch.dead:
                self._bury(letter, now_us, touched)
            for state in batch.states:
                self._note(state, now_us)
            for key in touched:
                self._advance(key)
            for key, count in again.items():
                self._db.execute(
                    "UPDATE lane SET duplicates = duplicates + ? WHERE site=? AND epoch=? AND lane=?",
                    (count, *key),
                )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return touched, fresh

    def _store(self, taken: list[Taken], now_us: int, touched: set[LaneKey]) -> tuple[int, Counter[LaneKey]]:
        """Identities, and the facts of those that were new; how many those were, and the others by lane."""
        newest: dict[LaneKey, Envelope] = {}
        again, rows, fresh = Counter[LaneKey](), list[tuple[object, ...]](), 0
        for one in taken:
            envelope, key = one.envelope, one.key
            newest[key] = max(newest.get(key, envelope), envelope, key=lambda e: e.utc_us)
            identity = (*key, envelope.seq)
            is_new = self._db.execute(
                "INSERT OR IGNORE INTO envelope VALUES (?,?,?,?,?,?)", (*identity, envelope.utc_us, now_us)
            ).rowcount
            if not is_new:
                again[key] += 1
                continue
            fresh += 1
            rows += _rows(one, identity, now_us)
            self._special(one, key, identity)
        self._db.executemany("INSERT INTO record VALUES (?,?,?,?,?,?,?,?)", rows)
        for key, envelope in newest.items():
            self._lane(key, now_us, envelope)
        touched.update(newest)
        return fresh, again

    def _special(self, one: Taken, key: LaneKey, identity: tuple[str, int, str, int]) -> None:
        if one.raw is not None:
            self._db.execute(
                "INSERT OR IGNORE INTO raw_envelope VALUES (?,?,?,?,?,?)",
                (*identity, one.envelope.version, one.raw),
            )
        for first, last in lost_for_ever(one.envelope):
            self._db.execute("INSERT OR IGNORE INTO hole VALUES (?,?,?,?,?)", (*key, first, last))
        for record in one.envelope.records:
            if record["k"] in PLACED and (place := place_of(record)):
                self._site(key[0], one.prefix.split("/")[2] if one.prefix else "")
                self._db.execute("UPDATE site SET lat=?, lon=? WHERE site=?", (*place, key[0]))

    def _lane(self, key: LaneKey, now_us: int, newest: Envelope) -> None:
        self._db.execute(
            "INSERT INTO lane (site, epoch, lane, contiguous, stored_us, utc_us, clock_s, version) "
            "VALUES (?,?,?,0,?,?,?,?) ON CONFLICT DO UPDATE SET stored_us=excluded.stored_us, "
            "clock_s=excluded.clock_s, version=excluded.version, utc_us=max(utc_us, excluded.utc_us)",
            (*key, now_us, heard_us(newest, now_us), newest.clock_bound_s, newest.version),
        )

    def _bury(self, letter: DeadLetter, now_us: int, touched: set[LaneKey]) -> None:
        epoch, lane, seq = letter.identity or (None, None, None)
        row = (now_us, letter.site, letter.topic, letter.reason, letter.detail, epoch, lane, seq)
        number = self._db.execute(
            "INSERT OR IGNORE INTO dead_letter (stored_us, site, topic, reason, detail, epoch, lane, seq, "
            "size, bytes) VALUES (?,?,?,?,?,?,?,?,?,?)",
            (*row, letter.size, letter.payload),
        ).lastrowid
        self._db.execute("DELETE FROM dead_letter WHERE number <= ?", ((number or 0) - MOST_DEAD,))
        if epoch is None or lane is None or not letter.site:
            return
        key = letter.site, epoch, lane
        self._db.execute("INSERT OR IGNORE INTO hole VALUES (?,?,?,?,?)", (*key, seq, seq))
        self._db.execute(
            "INSERT INTO lane (site, epoch, lane, contiguous, refused) VALUES (?,?,?,0,1) "
            "ON CONFLICT DO UPDATE SET refused = refused + 1",
            key,
        )
        touched.add(key)

    def _note(self, state: SiteState, now_us: int) -> None:
        self._site(state.site, state.district)
        lat, lon = place_of(state.body) or (None, None)
        self._db.execute(
            "UPDATE site SET state=?, state_us=?, lat=coalesce(?, lat), lon=coalesce(?, lon) WHERE site=?",
            (json.dumps(state.body), now_us, lat, lon, state.site),
        )

    def _site(self, site: str, district: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO site (site, district) VALUES (?,?)", (site, district))

    def _advance(self, key: LaneKey) -> None:
        """Move the contiguous mark over what has arrived, and over what never will."""
        contiguous, highest = self._db.execute(
            "SELECT contiguous, highest FROM lane WHERE site=? AND epoch=? AND lane=?", key
        ).fetchone()
        for first, last in self._numbers(key, contiguous):
            if first > contiguous + 1:
                break
            contiguous = max(contiguous, last)
        (top,) = self._db.execute(
            "SELECT max(seq) FROM envelope WHERE site=? AND epoch=? AND lane=?", key
        ).fetchone()
        self._db.execute(
            "UPDATE lane SET contiguous=?, highest=? WHERE site=? AND epoch=? AND lane=?",
            (contiguous, max(highest, contiguous, top or 0), *key),
        )

    def _numbers(self, key: LaneKey, above: int, most: int = 1 << 62) -> Iterator[tuple[int, int]]:
        """Runs of numbers stored or given up, from the lowest."""
        yield from self._db.execute(
            "SELECT seq, seq FROM envelope WHERE site=? AND epoch=? AND lane=? AND seq>? UNION ALL "
            "SELECT first, last FROM hole WHERE site=? AND epoch=? AND lane=? AND last>? ORDER BY 1 LIMIT ?",
            (*key, above, *key, above, most),
        )

    def _ranges(self, key: LaneKey, contiguous: int) -> list[tuple[int, int]]:
        """Runs of committed numbers above the contiguous mark, the lowest first."""
        ranges: list[tuple[int, int]] = []
        for first, last in self._numbers(key, contiguous, 2000):
            if ranges and first <= ranges[-1][1] + 1:
                ranges[-1] = ranges[-1][0], max(last, ranges[-1][1])
            elif len(ranges) == MOST_RANGES:
                break
            else:
                ranges.append((first, last))
        return ranges


Store = SqliteSink


def _rows(one: Taken, identity: tuple[str, int, str, int], now_us: int) -> Iterator[tuple[object, ...]]:
    for place, (record, body) in enumerate(zip(one.envelope.records, one.bodies, strict=True)):
        kind = record["k"]
        yield *identity, place, kind, filed_us(record.get("t"), table_of(kind), now_us), body
