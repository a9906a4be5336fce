"""What a batch leaves beside the facts: states of sites, their places, raw envelopes, dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from rsu_agent.district.facts import as_json, place_of
from rsu_agent.district.sink import Batch, DeadLetter, Taken

MOST_DEAD = 100_000  # dead letters kept; the oldest go


async def note(db: asyncpg.Connection, batch: Batch, raw: Sequence[Taken], now: datetime) -> None:
    """States of sites, and envelopes of a version that is not ours."""
    if raw:
        rows = [(*one.key, one.envelope.seq, one.envelope.version, one.raw, now) for one in raw]
        await db.copy_records_to_table("raw_envelope", records=rows)
    for state in sorted({s.site: s for s in batch.states}.values(), key=lambda s: s.site):
        lat, lon = place_of(state.body) or (None, None)
        await db.execute(
            "INSERT INTO site (site, district, lat, lon, state, stated) VALUES ($1, $2, $3, $4, $5, $6) "
            "ON CONFLICT (site) DO UPDATE SET state = excluded.state, stated = excluded.stated, "
            "lat = coalesce(excluded.lat, site.lat), lon = coalesce(excluded.lon, site.lon)",
            state.site, state.district, lat, lon, as_json(state.body), now,
        )  # fmt: skip


async def place(db: asyncpg.Connection, places: Mapping[str, tuple[float, float]]) -> None:
    """Where sites say they are."""
    for site, (lat, lon) in sorted(places.items()):
        await db.execute("UPDATE site SET lat = $2, lon = $3 WHERE site = $1", site, lat, lon)


async def bury(db: asyncpg.Connection, dead: Sequence[DeadLetter], now: datetime) -> None:
    """Dead letters; one that comes again stands once."""
    if not dead:
        return
    rows = []
    for letter in dead:
        epoch, lane, seq = letter.identity or (None, None, None)
        row = (now, letter.site, letter.topic, letter.reason, letter.detail, epoch, lane, seq)
        rows.append((*row, letter.size, letter.payload))
    await db.executemany(
        "INSERT INTO dead_letter (stored, site, topic, reason, detail, epoch, lane, seq, size, bytes) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        rows,
    )
    await db.execute(
        "DELETE FROM dead_letter WHERE number <= (SELECT max(number) FROM dead_letter) - $1", MOST_DEAD
    )


async def forget(db: asyncpg.Connection, before: datetime) -> int:
    """Sweep identities stored before that, up to each lane's first gap; how many went."""
    gone = await db.fetchval(
        "WITH old AS (DELETE FROM envelope e USING site_lane l WHERE (l.site, l.epoch, l.lane) = "
        "(e.site, e.epoch, e.lane) AND e.stored < $1 AND e.seq < coalesce(lower(l.gaps), l.hw + 1) "
        "RETURNING e.site, e.epoch, e.lane, e.seq), "
        "top AS (SELECT site, epoch, lane, max(seq) AS seq FROM old GROUP BY 1, 2, 3), "
        "raised AS (UPDATE site_lane l SET floor = greatest(floor, top.seq) FROM top WHERE "
        "(l.site, l.epoch, l.lane) = (top.site, top.epoch, top.lane)) SELECT count(*) FROM old",
        before,
    )
    return int(gone)
