"""A scenario on the fake clock: driver link to guard and outlets in one process, lines and air in memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from drivers.gbt20999.driver import open_controller
from drivers.gbt20999.memory import Shelf
from drivers.gbt20999.settings import Settings
from hil.devices.gbt20999_front import Manners
from hil.scenario.expect import Evidence
from hil.scenario.memory_controller import MemoryController
from hil.scenario.read import Scenario
from hil.truth import Log, TruthLog
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.outlets.spat_speaker import LINE_LOST
from rsu_agent.ports import memory_line
from rsu_agent.ports.assets import asset
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import SignalSource
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.recording import Recorder
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.beginning import beginning, speaker_of, with_revision
from rsu_agent.runtime.speaking import Speaking
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.settings.read import SiteRead, read_site
from rsu_agent.settings.speech import speech
from rsu_agent.world.health import TimeQuality
from rsu_agent.world.signal import Colour
from rsu_agent.world.witness import HeadSeen, HeadsSeen

CYCLE_S = {1: 60.0, 2: 80.0, 3: 28.0}
FIRST_VALID_S = 60.0
STEP_S = 0.1
PICTURE_LATE_S = 0.06
TAIL_S = 3.0  # so that the last changes have their end and their air


class MemoryRadio:
    """The air: each datagram goes into the truth log at the instant it is sent."""

    open_receiver: None = None

    def __init__(self, clock: Clock, truth: Log) -> None:
        self._clock, self._truth = clock, truth
        self.counters: dict[str, int] = Counter()

    async def send(self, kind: str, payload: bytes) -> None:
        """Sent is received."""
        self.counters[kind] += 1
        self._truth.write("air", self._clock.now_s(), hex=payload.hex())

    def last_word(self, _kind: str, _payload: bytes) -> None:
        """There is no parent."""

    async def drop_repeats(self) -> None:
        """The air holds nothing."""


class FakeCrossing:
    """Controller, line, the product from driver link to radio, all on one fake clock."""

    def __init__(
        self,
        given: Mapping[str, Any],
        run_dir: Path,
        site: SiteRead,
        *,
        lamps: Log | None = None,
        air: Log | None = None,
        manners: Manners | None = None,
        **controller: Any,
    ) -> None:
        """controller: what else its MemoryController is to know."""
        self._site, self.clock = site, FakeClock()
        self._line, self._manners = f"scenario-{os.getpid()}-{id(self)}", manners or Manners()
        end = memory_line.plug(self._line, self.clock, baud=self._manners.baud)
        self.controller = MemoryController(
            end,
            self.clock,
            lamps or TruthLog(run_dir, "controller"),
            plan=given.get("plan", 1),
            seed=given.get("seed", 1),
            mode=given.get("mode", "fixed"),
            manners=self._manners,
            **controller,
        )
        self._radio = MemoryRadio(self.clock, air or TruthLog(run_dir, "vehicle"))
        recorder = Recorder(run_dir / "recordings", 0, site.settings.site.id)  # 0 MB: keeps nothing
        self._keepers = [DeviceKeeper(kind, self.clock, lambda _: None) for kind in ("controller", "radio")]
        self._air, self._recorder = Air(self.clock, recorder, self._keepers[1]), recorder
        self._trust = TimeTrust(site.settings.time.drift_ppm)
        said, memory = with_revision(
            speech(site.settings, site.crossing), site.crossing, None, self.clock.utc_s()
        )
        counts = Counts()
        speaker = speaker_of(beginning(site.settings.site.id, said), counts)
        self._maps = MESSAGE_SETS[said.standard].map(said, site.crossing, counts)
        self.speaking = Speaking(speaker, self._air, self._trust, self.clock, recorder, None, memory)

    async def run(self) -> None:
        """Until cancelled."""
        settings = Settings(port=f"{memory_line.PREFIX}{self._line}", baud=self._manners.baud)
        shelf = Shelf()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.controller.run)
                tasks.start_soon(self._know_the_time)
                tasks.start_soon(self._look_at_heads)
                tasks.start_soon(self._air.use, self._radio)
                tasks.start_soon(
                    self._keepers[0].keep,
                    lambda: open_controller(settings, self.clock, shelf),
                    self._listen,
                )
                tasks.start_soon(self.speaking.run)
                tasks.start_soon(self.speaking.run_map, self._maps)
        finally:
            memory_line.unplug(self._line)
            self._recorder.close()

    def unplug(self) -> None:
        """Pull the line's plug."""
        memory_line.unplug(self._line)

    def replug(self) -> None:
        """Put it back under the same name."""
        self.controller.plugged(memory_line.plug(self._line, self.clock, baud=self._manners.baud))

    async def _listen(self, reports: SignalSource) -> None:
        try:
            async for item in reports:
                self._keepers[0].serving()
                self.speaking.saw(item)
        except DeviceLost:
            self.speaking.doubt(LINE_LOST)
            raise

    async def _look_at_heads(self) -> None:
        """What cameras see, as the truth has it: ten pictures a second, each told a little later."""
        watched = {
            camera.name: [head.group for head in camera.heads] for camera in self._site.settings.cameras
        }
        since_s: dict[int, tuple[str, float]] = {}
        while True:
            captured_s, lamps = self.clock.now_s(), dict(self.controller.model.lamps)
            for group, colour in lamps.items():
                if since_s.get(group, ("",))[0] != colour:
                    since_s[group] = colour, captured_s
            await self.clock.sleep(PICTURE_LATE_S)
            for camera, groups in watched.items():
                heads = [HeadSeen(g, Colour(lamps[g]), since_s[g][1], captured_s) for g in groups]
                self.speaking.saw_heads(HeadsSeen(camera, captured_s, tuple(heads)))
            await self.clock.sleep_until(captured_s + STEP_S)

    async def _know_the_time(self) -> None:
        while True:
            now_s = self.clock.now_s()
            self._trust.read(TimeQuality("rig", True, 0.0, 0.001, now_s))
            await self.clock.sleep(1.0)


async def _drive(scenario: Scenario, crossing: FakeCrossing) -> float:
    """Move the clock through the scenario; the first scored second. Raises TimeoutError: nothing valid."""
    clock = crossing.clock
    while crossing.speaking.first_valid_s is None:
        if clock.now_s() > 1000.0 + FIRST_VALID_S:
            raise TimeoutError(f"no valid SPAT within {FIRST_VALID_S:g} s of fake time")
        await clock.advance(STEP_S)
    warm_s = scenario.given.get("warm_s", CYCLE_S[scenario.given.get("plan", 1)])
    t0: float = crossing.speaking.first_valid_s + warm_s
    for step in scenario.when:
        await clock.advance(max(0.0, t0 + step["at_s"] - clock.now_s()))
        crossing.controller.act(step)
    await clock.advance(t0 + scenario.given["seconds"] + TAIL_S - clock.now_s())
    return t0


async def _run(scenario: Scenario, run_dir: Path) -> Evidence:
    site = read_site(asset("config/virtual.yaml"))
    crossing = FakeCrossing(scenario.given, run_dir, site)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(crossing.run)
        t0 = await _drive(scenario, crossing)
        tasks.cancel_scope.cancel()
    return Evidence(run_dir, site.settings.signals.phases, t0)


def run_fake(scenario: Scenario, run_dir: Path) -> Evidence:
    """Run on the fake clock in this process; the files are in `run_dir`. Raises TimeoutError."""
    return anyio.run(_run, scenario, run_dir)
