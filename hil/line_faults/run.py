"""One line with its share of the faults: the product on the fake clock, struck, watched and judged."""

from __future__ import annotations

import random
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import anyio

from hil.devices.gbt20999_codec import Profile
from hil.devices.signal_plan import GROUPS, PHASES, conflicts
from hil.line_faults.draw import Episode, Line, draws
from hil.line_faults.judge import Episodes, Sent
from hil.line_faults.known import Carried
from hil.scenario.fake import CYCLE_S, FakeCrossing
from hil.score.timeline import LampTruth
from rsu_agent.outlets.doubts import Doubts
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.ports.assets import asset
from rsu_agent.settings.read import read_site

PLAN = 3  # short: many changes
STEP_S = 0.1
FIRST_S = 60.0
BACK_S = 20.0  # so long after a fault we wait for a word before the next one
KEPT_S = 30.0
TOLD_S = 0.2  # what was too old has become so, and been told
SPAT_INDEX = 3


class Lamps:
    """A truth log that keeps the lamps."""

    def __init__(self) -> None:
        self.groups: dict[int, LampTruth] = {}

    def write(self, entry: str, t: float, **fields: Any) -> None:
        """One entry."""
        if entry == "lamp":
            lamp = self.groups.setdefault(fields["group"], LampTruth())
            lamp.times.append(t)
            lamp.colours.append(fields["colour"])

    def forget(self, before_s: float) -> None:
        """What ended before this."""
        for lamp in self.groups.values():
            while len(lamp.times) > 1 and lamp.times[1] < before_s:
                del lamp.times[0], lamp.colours[0]


class Heard:
    """A truth log that keeps SPAT as it left, by lamp group."""

    def __init__(self, phases: dict[int, list[int]]) -> None:
        self._phases = phases
        self.frames: list[Sent] = []

    def write(self, entry: str, t: float, **fields: Any) -> None:
        """One datagram."""
        del entry
        frame = bytes.fromhex(fields["hex"])
        if frame[0] >> 4 == SPAT_INDEX:
            lights = {p.phase: p.light for p in read_spat(frame).phases}
            spoken = {g: lights.get(phase, 0) for phase, groups in self._phases.items() for g in groups}
            self.frames.append(Sent(t, spoken))


def never_together() -> list[tuple[int, int]]:
    """Pairs of lamp groups that the rig's matrix forbids."""
    pairs = {(phase, other) for phase in PHASES for other in conflicts(phase) if phase < other}
    return [(a, b) for phase, other in pairs for a in PHASES[phase] for b in PHASES[other]]


class Struck:
    """One line and its episodes."""

    def __init__(self, line: Line, seed: int, folder: Path) -> None:
        site = read_site(asset("config/virtual.yaml"))
        self._line = line
        self._lamps, self._air = Lamps(), Heard(site.settings.signals.phases)
        given = {"plan": PLAN, "seed": seed}
        self._carried = Carried(GROUPS, Profile(), line.manners.baud)
        self._crossing = FakeCrossing(
            given,
            folder,
            site,
            lamps=self._lamps,
            air=self._air,
            manners=line.manners,
            carried=self._carried.put,
        )
        self._cuts: list[tuple[float, float]] = []
        self._strange_s = 0.0, 0.0
        self._episodes = Episodes(self._lamps.groups, never_together(), line.recover_s)

    async def run(self, episodes: list[Episode]) -> tuple[Counter[str], list[str]]:
        """Calibrate, strike, judge. Raises TimeoutError: the crossing never spoke."""
        clock = self._crossing.clock
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._crossing.run)
            await self._until_valid(FIRST_S)
            if not self._valid():
                raise TimeoutError(f"{self._line.name}: nothing valid within {FIRST_S:g} s")
            await clock.advance(CYCLE_S[PLAN] + 2.0)
            self._carried.calm()
            for episode in episodes:
                await self._strike(episode)
            tasks.cancel_scope.cancel()
        figures = self._episodes.figures
        figures["set_frames"] = self._crossing.controller.writes
        return figures, self._episodes.stories

    async def _strike(self, episode: Episode) -> None:
        """One fault with fresh guard history, and what came of it."""
        clock = self._crossing.clock
        self._fresh()
        begin_s = clock.now_s()  # a doubt between here and the fault is the episode's, too
        await clock.advance(STEP_S)
        await self._apply(episode.fault, on=True)
        await clock.advance(episode.lasts_s)
        await self._apply(episode.fault, on=False)
        left_s = self._crossing.controller.line_free_s - clock.now_s()  # what a flood has left on the line
        await clock.advance(max(0.0, left_s) + self._carried.goods[-1].limit_s + TOLD_S)
        await self._until_valid(BACK_S)
        await clock.advance(episode.rest_s)
        window = begin_s, clock.now_s()
        self._episodes.figures["injected"] += 1
        self._episodes.judge(
            f"{self._line.name}, {episode.fault} for {episode.lasts_s:.2f} s",
            window,
            self._air.frames,
            self._carried.goods,
            self._cuts,
            self._strange_s,
        )
        self._forget(clock.now_s() - KEPT_S)

    def _fresh(self) -> None:
        """No doubt remembered, and the pace of the reports as it is in calm times, on both sides."""
        speaker = self._crossing.speaking.speaker
        speaker.doubts = Doubts(ends_silent=speaker.frames.ends_silent)
        pace = self._carried.afresh()
        history = self._crossing.speaking.speaker.signals.history
        history._intervals.extend(pace)
        history._paced(pace[-1])

    async def _apply(self, fault: str, *, on: bool) -> None:
        crossing = self._crossing
        now_s = crossing.clock.now_s()
        if fault != "unplug":
            name = "silence" if fault == "long_silence" else fault
            crossing.controller.act({"fault": name, "on": on})
            if fault == "replaced":
                self._strange_s = (now_s, now_s) if on else (self._strange_s[0], now_s)
        elif on:
            crossing.unplug()
            self._cuts.append((now_s, float("inf")))
        else:
            crossing.replug()
            self._cuts[-1] = self._cuts[-1][0], now_s

    async def _until_valid(self, seconds: float) -> None:
        clock = self._crossing.clock
        until_s = clock.now_s() + seconds
        while not self._valid() and clock.now_s() < until_s:
            if self._crossing.speaking.speaker.doubts.held_until_s > until_s:
                return  # doubted twice: the next episode has a fresh history
            await clock.advance(STEP_S)

    def _valid(self) -> bool:
        newest = self._crossing.speaking.newest
        return newest is not None and newest.valid

    def _forget(self, before_s: float) -> None:
        self._lamps.forget(before_s)
        self._air.frames = [frame for frame in self._air.frames if frame.t >= before_s]
        self._carried.goods = [good for good in self._carried.goods if good.last_s >= before_s]
        self._cuts = [cut for cut in self._cuts if cut[1] >= before_s]


def run_line(line: Line, count: int, seed: str) -> tuple[Counter[str], list[str]]:
    """(figures, stories of what went wrong) of so many faults on one line. Raises TimeoutError."""
    seed = f"{seed} {line.name}"
    random.seed(seed)  # of the product's back-off, too
    with tempfile.TemporaryDirectory(prefix="rsu-faults-") as folder:
        struck = Struck(line, zlib.crc32(seed.encode()), Path(folder))
        return anyio.run(struck.run, list(draws(count, seed)))
