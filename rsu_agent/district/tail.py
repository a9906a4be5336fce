"""What is new in the database, for those who listen: hazards, devices that change, sites that come and go."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import anyio

from rsu_agent.district.condition import conditions
from rsu_agent.district.reading import MOST_ROWS, Fact, Reader, ReaderLost

log = logging.getLogger(__name__)
LOOK_S = 0.5
SITES_S = 2.0
REST = 20  # times as long as a look at all sites took: many of them are looked at less often
OVERLAP_US = 10_000_000  # transactions end in another order than they began: look back, drop what was seen
BEGIN_US = 900_000_000  # health is told once a minute: a quarter of an hour holds all of it
MOST_NEWS = 2_000  # kept for listeners that come back
MOST_DEVICES = 256  # of one site
KINDS = ("event", "health")


class Tail:
    """One follower of the database for all listeners of this process."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._since_us: dict[str, int] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._news: deque[tuple[int, str]] = deque(maxlen=MOST_NEWS)
        self._number = 0
        self._more = anyio.Event()
        self._words: dict[str, str] = {}
        self.health: dict[str, dict[str, dict[str, Any]]] = {}
        self.sites: list[dict[str, Any]] = []
        self.looked_us = 0  # when the database last answered
        self.trouble = ""

    async def run(self) -> None:
        """For ever."""
        next_s = 0.0
        while True:
            try:
                for kind in KINDS:
                    await self.look(kind, time.time_ns() // 1000)
                if (began_s := time.monotonic()) >= next_s:
                    await self.look_at_sites(time.time_ns() // 1000)
                    next_s = time.monotonic() + max(SITES_S, REST * (time.monotonic() - began_s))
                self.trouble = ""
            except ReaderLost as lost:
                if not self.trouble:
                    log.warning("the database does not answer: %s", lost)
                self.trouble = str(lost) or "no answer"
            await anyio.sleep(LOOK_S)

    async def look(self, kind: str, now_us: int) -> None:
        """New records of a kind; the first look only remembers."""
        first = kind not in self._since_us
        since_us = self._since_us.get(kind, now_us - BEGIN_US)
        facts = await self._reader.arrived(kind, since_us, MOST_ROWS)
        for fact in facts:
            identity = fact.kind, *fact.cursor[1:]
            if identity in self._seen:
                continue
            self._seen[identity] = fact.stored_us
            self._take(fact, quiet=first)
        full = len(facts) == MOST_ROWS
        newest_us = facts[-1].stored_us if facts else now_us
        if full:  # far behind: go on from the newest, past it where a whole answer arrived at one instant
            self._since_us[kind] = newest_us + (newest_us == since_us)
        else:
            self._since_us[kind] = max(since_us, newest_us - OVERLAP_US)
        if len(self._seen) > 4 * MOST_ROWS:
            oldest_us = min(self._since_us.values())
            self._seen = {key: us for key, us in self._seen.items() if us >= oldest_us}

    async def look_at_sites(self, now_us: int) -> None:
        """The condition of every site; a change of its word is news."""
        sites, lanes = await self._reader.sites(), await self._reader.lanes()
        self.sites = conditions(sites, lanes, self.health, now_us)
        self.looked_us = now_us
        words = {one["site"]: one["health"] for one in self.sites}
        for site, word in words.items():
            was = self._words.get(site)
            if was != word and (was is not None or self._words):
                self._tell("site", {"site": site, "health": word, "was": was, "t_us": now_us})
        self._words = words

    async def news(self, after: int | None) -> AsyncIterator[str]:
        """Server-sent events from now on, or from after a number that a listener had last."""
        number = self._number if after is None else after
        yield f": from {number}\nretry: 2000\n\n"
        while True:
            more = self._more
            for at, text in [entry for entry in self._news if entry[0] > number]:
                number = at
                yield text
            with anyio.move_on_after(15) as waited:
                await more.wait()
            if waited.cancelled_caught:
                yield ": still here\n\n"

    def _take(self, fact: Fact, *, quiet: bool) -> None:
        if fact.kind == "event":
            if not quiet:
                self._tell("hazard", fact.as_json())
            return
        device = str(fact.body.get("d", ""))[:64]
        devices = self.health.setdefault(fact.site, {})
        was = devices.get(device)
        if was is None and len(devices) >= MOST_DEVICES:
            return
        if was is not None and was["t_us"] > fact.t_us:
            return
        devices[device] = {"s": fact.body.get("s"), "w": fact.body.get("w"), "t_us": fact.t_us}
        if was is not None and was["s"] != fact.body.get("s") and not quiet:
            self._tell("device", fact.as_json() | {"was": was["s"]})

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        self._number += 1
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self._news.append((self._number, f"id: {self._number}\nevent: {event}\ndata: {text}\n\n"))
        self._more.set()
        self._more = anyio.Event()
