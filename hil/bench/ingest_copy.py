"""A process that does nothing but COPY the rows of N envelopes into plain tables; prints its CPU seconds."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import anyio
import asyncpg

BATCH = 2_000
RECORDS = 3
FLOW = {"k": "flow", "d": 60.0, "ln": 3, "n": {"car": 4}, "v": 8.1, "o": 0.2, "h": 3.1, "hm": 0.9, "dl": 12.5}
BODY = json.dumps(FLOW | {"df": 55.0, "dn": 4, "du": 1, "mv": {"through": 4}, "rt": {"green": 5}})
LAYOUT = """CREATE TABLE bare_envelope (site text, epoch bigint, lane text, seq bigint, utc_us bigint,
  stored timestamptz); CREATE TABLE bare_fact (site text, epoch bigint, lane text, seq bigint, place integer,
  kind text, t timestamptz, stored timestamptz, body jsonb)"""


async def copy(address: str, count: int) -> float:
    """CPU seconds, the making of rows left out."""
    db = await asyncpg.connect(address)
    await db.execute(LAYOUT)
    now, taken_s = datetime.now(UTC), 0.0
    for first in range(0, count, BATCH):
        identities = [(f"site-{n % 100}", 7, "lo", n, 5, now) for n in range(first, first + BATCH)]
        facts: list[tuple[Any, ...]] = [
            (*row[:4], place, "flow", now, now, BODY) for row in identities for place in range(RECORDS)
        ]
        began_s = time.process_time()
        async with db.transaction():
            await db.copy_records_to_table("bare_envelope", records=identities)
            await db.copy_records_to_table("bare_fact", records=facts)
        taken_s += time.process_time() - began_s
    await db.close()
    return taken_s


if __name__ == "__main__":
    print(json.dumps({"cpu_s": anyio.run(copy, sys.argv[1], int(sys.argv[2]))}))
