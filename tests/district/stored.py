"""Both databases with the same made-up content, for everything that reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from rsu_agent.district.postgres_sink import PostgresSink
from rsu_agent.district.sink import Batch, Sink, SiteState
from rsu_agent.district.store import SqliteSink
from rsu_agent.ports.envelope import Envelope
from tests.district.made import NOW_US, dead, envelope, prefix, taken

MINUTE_US = 60_000_000
FLOW = {
    "k": "flow",
    "d": 60.0,
    "ln": 3,
    "n": {"car": 4},
    "v": None,
    "o": 0.25,
    "mv": {"through": 4},
    "odd": [1],
}


@asynccontextmanager
async def sink_at(database: str) -> AsyncIterator[Sink]:
    if database.startswith("postgresql"):
        made = PostgresSink(database)
        await made.open()
    else:
        made = SqliteSink(Path(database))
    yield made
    await made.aclose()


def flow(minutes_ago: int) -> dict[str, object]:
    return FLOW | {"t": NOW_US - minutes_ago * MINUTE_US}


def later(one: Envelope, by_us: int) -> Envelope:
    """The same, so much later."""
    records = tuple({**record, "t": record["t"] + by_us} for record in one.records)
    return replace(one, utc_us=one.utc_us + by_us, records=records)


def content(now_us: int = NOW_US) -> Batch:
    """Three sites: one well, one with a lost camera and a hazard, one with numbers missing."""
    well = [envelope(n, flow(n), {"k": "health", "t": NOW_US, "d": "camera", "s": "ok", "w": "ok"},
                     clock_bound_s=0.002) for n in range(1, 31)]  # fmt: skip
    hazard = {"k": "event", "t": NOW_US - MINUTE_US, "i": "h1", "h": "wrong_way", "s": "on", "ev": "against"}
    over = {"k": "event", "t": NOW_US - MINUTE_US, "i": "h0", "h": "wrong_way", "s": "off", "ev": "gone"}
    ill = [
        envelope(1, {"k": "health", "t": NOW_US, "d": "camera", "s": "lost", "w": "frozen"}, site="site-2"),
        envelope(1, over, hazard, lane="hi", site="site-2"),
    ]
    holed: list[Envelope] = [envelope(n, site="site-3", version=1) for n in (1, 2, 9)]
    state = SiteState("pingshan", "site-2", {"on": 1, "lat": 22.7, "lon": 114.3, "sw": "2.1"})
    refused = dead(f"{prefix('site-3')}/up/lo", b"\xc1 nonsense")
    told = [taken(later(one, now_us - NOW_US)) for one in (*well, *ill, *holed)]
    return Batch(told, [refused], [state])
