"""Which of several databases has a site, and that none is ever taken for another shard than its own."""

from __future__ import annotations

import zlib

import asyncpg

WHOLE = 0, 1  # (number, of how many) of a district with one database


def shard_of(site: str, shards: int) -> int:
    """Which database has a site, 0 to shards - 1: CRC-32 (IEEE 802.3) of its name in UTF-8, modulo."""
    return zlib.crc32(site.encode()) % shards


def shard_of_topic(topic: str, shards: int) -> int:
    """Of rsu/1/{district}/{site}/...; what has no site goes to shard 0, to be refused there."""
    parts = topic.split("/")
    return shard_of(parts[3], shards) if len(parts) > 3 else 0


async def claim(db: asyncpg.Connection, shard: tuple[int, int]) -> None:
    """Note in the database which shard it is; ends the process where it is another one already."""
    await db.execute("INSERT INTO shard VALUES ($1, $2) ON CONFLICT DO NOTHING", *shard)
    number, of = await db.fetchrow("SELECT number, shards FROM shard")
    if (number, of) != shard:
        told = f"the database holds shard {number} of {of}, it was started as {shard[0]} of {shard[1]}"
        raise SystemExit(f"{told}: name all --database in the order in which they were made")
