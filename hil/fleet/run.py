"""One run of the fleet: poles live, lose the line, come back; afterwards the district holds all of it."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import psutil

from hil.fleet.light import LightPoles
from hil.fleet.line import Line
from hil.fleet.plan import Plan
from hil.fleet.real import RealPoles
from hil.fleet.tally import Key, Tally, counted, missed, p99
from hil.mosquitto import MOSQUITTO, mosquitto
from hil.postgres import INITDB, MISSING, cluster
from hil.processes import RigFailure
from hil.receiver import QUEUES, cpu_s, receiver
from hil.uplink_chaos.compare import read_held

LOOK_S = 0.05
CONNECTED_S = 60.0
FIRST_LIFE = 0.3  # of the life before the outage
STORM_EVERY_S = 5.0
FILES_A_POLE = 16


@dataclass(frozen=True, slots=True)
class District:
    """Where the poles send to. process, database: of a receiver of our own; None: somebody else's."""

    host: str
    port: int
    process: psutil.Process | None = None
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at an instant."""

    at_s: float
    envelopes: int
    cpu_s: float | None


@contextmanager
def own_district(folder: Path, *, postgres: bool) -> Iterator[District]:
    """mosquitto and a receiver, a process each. Raises RigFailure."""
    if MOSQUITTO is None:
        raise RigFailure("mosquitto is not installed (make tools), and no --host was named")
    if postgres and INITDB is None:
        raise RigFailure(MISSING)
    with ExitStack() as stack:
        port = stack.enter_context(mosquitto(folder, QUEUES))
        database = stack.enter_context(cluster()) if postgres else str(folder / "district.sqlite")
        process = stack.enter_context(receiver(database, port, folder))
        yield District("127.0.0.1", port, process, database)


def simulate(plan: Plan, host: str = "", port: int = 1883) -> dict[str, Any]:
    """The figures. host: a broker with somebody else's receiver; none = our own. Raises RigFailure."""
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rsu-fleet-") as name, ExitStack() as stack:
        folder = Path(name)
        district = District(host, port)
        if not host:
            district = stack.enter_context(own_district(folder, postgres=plan.postgres))
        run = Run(plan, district, folder)
        try:
            anyio.run(run.live)
        finally:
            run.poles.close()
        figures = run.figures()
    return {**figures, "missed": missed(figures), "run_s": round(time.monotonic() - began_s, 1)}


class Run:
    """Poles of one kind, and what happens to them."""

    def __init__(self, plan: Plan, district: District, folder: Path) -> None:
        _room_for_files(plan)
        self._plan, self._district = plan, district
        self._line, self._tally, self._producing = Line(), Tally(), anyio.Event()
        where = district.host, district.port
        self.poles: RealPoles | LightPoles
        if plan.is_light:
            self.poles = LightPoles(plan, where, self._line, self._tally)
        else:
            self.poles = RealPoles(plan, where, self._line, self._tally, folder / "poles")
        self._marks: dict[Key, int] = {}
        self._back_s = 0.0
        self._return_s: float | None = None
        self._first = self._last = self._now()
        self._drained = False

    async def live(self) -> None:
        """All of it."""
        async with anyio.create_task_group() as tasks:
            if self._plan.backlog:
                self._come_back()
            tasks.start_soon(self.poles.run, self._producing)
            await self._until(CONNECTED_S, lambda: self._line.connected > 0)
            if self._line.connected == 0:
                raise RigFailure(f"no connection to {self._district.host}:{self._district.port}")
            # the wave of the start, a word of every pole, is no part of the life that is measured
            await self._until(CONNECTED_S, lambda: self._tally.envelopes >= self._plan.sites)
            self._first = self._now()
            await self._lives()
            self._last = self._now()
            self._producing.set()
            self._drained = await self._until(self._plan.drain_s, lambda: self.poles.drained)
            await self._until(self._plan.drain_s, lambda: not self._marks or self._return_s is not None)
            tasks.cancel_scope.cancel()

    async def _lives(self) -> None:
        first_s = self._plan.for_s * FIRST_LIFE if self._plan.outage_s else self._plan.for_s
        await self._rest(first_s)
        if not self._plan.outage_s:
            return
        self._line.up = False
        self._line.cut()
        await self._rest(self._plan.outage_s)
        self._come_back()
        self._line.up = True
        await self._rest(self._plan.for_s - first_s)

    def _come_back(self) -> None:
        """From now on all return: what they hold is to be answered."""
        self._marks, self._return_s = self.poles.marks, None
        self._back_s = time.monotonic()
        self._tally.returning_from_us = time.time_ns() // 1000

    async def _rest(self, seconds: float) -> None:
        """Live so long, in a storm where one is asked for."""
        end_s, storm_s = time.monotonic() + seconds, time.monotonic() + STORM_EVERY_S

        def over() -> bool:
            nonlocal storm_s
            now_s = time.monotonic()
            if self._plan.storm and now_s >= storm_s:
                storm_s = now_s + STORM_EVERY_S
                self._line.cut()
            return now_s >= end_s

        await self._until(seconds + 1.0, over)

    async def _until(self, seconds: float, true: Callable[[], bool]) -> bool:
        """Whether it has become true in time."""
        end_s = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end_s:
                return False
            self._look()
            await anyio.sleep(LOOK_S)
        return True

    def _look(self) -> None:
        """Whether all that return have returned; then the high lane's word is no longer theirs."""
        if self._marks and self._return_s is None and self._tally.reached(self._marks):
            self._return_s = time.monotonic() - self._back_s
            self._tally.returning_from_us = None

    def _now(self) -> Moment:
        process = self._district.process
        return Moment(time.monotonic(), self._tally.envelopes, cpu_s(process) if process else None)

    def figures(self) -> dict[str, Any]:
        """What was measured; rates and CPU are of the life, counts of the whole run."""
        tally, plan = self._tally, self._plan
        given = self.poles.given
        lost = duplicates = None
        if self._district.database is not None:
            found = counted(given, read_held(self._district.database))
            lost, duplicates = found.lost, found.duplicates
        return {
            "sites": plan.sites,
            "poles": self.poles.name,
            "connections": self._line.opened,
            "cuts": self._line.cuts,
            "versions": plan.versions,
            "backlog": plan.backlog,
            "receiver": None if self._district.process is None else "postgres" if plan.postgres else "sqlite",
            "envelopes": sum(given.values()),
            "records_timed": tally.records,
            "lag_p99_s": p99(tally.record),
            "sealed_p99_s": p99(tally.sealed),
            "drained": self._drained,
            "lost": lost,
            "duplicates": duplicates,
            "resent": self.poles.resent,
            **self._rates(),
            "return_s": None if self._return_s is None else round(self._return_s, 2),
            "return_hi_p99_s": tally.returned_hi.p_s(0.99),
            "seed": plan.seed,
        }

    def _rates(self) -> dict[str, float | None]:
        first, last = self._first, self._last
        seconds, count = last.at_s - first.at_s, last.envelopes - first.envelopes
        used_s = None if first.cpu_s is None or last.cpu_s is None else last.cpu_s - first.cpu_s
        return {
            "seconds": round(seconds, 2),
            "envelopes_per_s": round(count / seconds, 1),
            "receiver_cpu_s": None if used_s is None else round(used_s, 2),
            "cores": None if used_s is None else round(used_s / seconds, 3),
            "cpu_us_per_envelope": round(used_s / count * 1e6, 1) if used_s is not None and count else None,
        }


def _room_for_files(plan: Plan) -> None:
    """As many open files as the poles need, where the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1024 + FILES_A_POLE * (0 if plan.is_light else plan.sites)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
