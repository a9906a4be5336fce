"""Recordings made by the real speaker, schedule, air and recorder on the fake clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.ports import nouns
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.recording import Entry, Recorder, RecordingFile
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.beginning import START, speaker_of
from rsu_agent.runtime.map_memory import MapMemory
from rsu_agent.runtime.speaking import Speaking
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.world.health import TimeQuality
from rsu_agent.world.signal import (
    Colour,
    Control,
    Lamp,
    Phase,
    Plan,
    Programme,
    SignalReport,
    Stage,
    StageReport,
    StageSlot,
    StageState,
    Step,
)

CYCLE_S = 20.0
LOSING = (Step(Colour.GREEN_FLASH, 2.0), Step(Colour.YELLOW, 2.0))
PROGRAMME = Programme(
    "p",
    (1, 5),
    (Phase(1, (1,), LOSING), Phase(2, (5,), LOSING)),
    (Stage(1, (1,)), Stage(2, (2,))),
    (Plan(1, CYCLE_S, (StageSlot(1, 10.0), StageSlot(2, 10.0))),),
    ((1, 2),),
)
BEGINNING = {
    "version": "test",
    "nouns": nouns.version(),
    "site": "t",
    "standard": "csae53-2020",
    "phases": [[1, [1]], [3, [5]]],
    "arrows": [5],
    "identity": [12, 0],
    "test_ids": True,
    "rights": [],
    "revision": 1,
    "station": 1,
    "edition": "2020",
}
IN_EUROPE = {
    **BEGINNING,
    "standard": "etsi",
    "phases": [],
    "rights": [[1, "permissive"], [5, "protected"]],
}
IN_AMERICA = {**IN_EUROPE, "standard": "j2735", "edition": "2016"}
MEMORY = MapMemory("", "", 1, 0.0, 0.0)


def colour_at(into_s: float) -> Colour:
    """The lamp of the stage that began so long ago."""
    for end_s, colour in ((6.0, Colour.GREEN), (8.0, Colour.GREEN_FLASH), (10.0, Colour.YELLOW)):
        if into_s < end_s:
            return colour
    return Colour.RED


def report(now_s: float) -> SignalReport:
    into = now_s % CYCLE_S
    lamps = (Lamp(1, colour_at(into)), Lamp(5, colour_at((into - 10.0) % CYCLE_S)))
    stage = StageReport(1 + (into >= 10), StageState.RUNNING, float(int(into % 10)))
    return SignalReport(now_s - 0.0031, now_s, lamps, True, Control.FIXED_TIME, 1, stage)


class Ears:
    """A radio that keeps what it is given; `deaf` makes it refuse."""

    open_receiver = None

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.deaf = False

    async def send(self, kind: str, payload: bytes) -> None:
        if self.deaf:
            raise DeviceLost("closed")
        self.heard.append((kind, payload))

    def last_word(self, _kind: str, _payload: bytes) -> None: ...

    async def drop_repeats(self) -> None: ...


class Life:
    """One life of an agent that speaks SPAT, on the fake clock."""

    def __init__(self, folder: Path, clock: FakeClock, beginning: dict[str, Any]) -> None:
        self.clock, self.ears, self.silent = clock, Ears(), False
        self.recorder = Recorder(folder, 8, "t")
        self.recorder.record(START, clock.now_s(), **beginning, utc_s=clock.utc_s())
        self.trust = TimeTrust(drift_ppm=5.0)
        self.radio_keeper = DeviceKeeper("radio", clock, lambda _health: None)
        self.air = Air(clock, self.recorder, self.radio_keeper)
        speaker = speaker_of(beginning, Counts())
        self.speaking = Speaking(speaker, self.air, self.trust, clock, self.recorder, None, MEMORY)

    def says(self, noun: SignalReport | Programme) -> None:
        topic = "/programme" if isinstance(noun, Programme) else "/report"
        self.recorder.record(topic, self.clock.now_s(), noun=nouns.pack(noun))
        self.speaking.saw(noun)

    async def controller(self) -> None:
        """Ten reports a second, a little off the grid of the frames."""
        self.says(PROGRAMME)
        while True:
            await self.clock.sleep(0.0987)
            if not self.silent:
                self.says(report(self.clock.now_s()))

    async def radio(self) -> None:
        while True:
            try:
                await self.air.use(self.ears)
            except DeviceLost:
                self.ears.deaf = False
                await self.clock.sleep(0.5)

    def synchronise(self) -> None:
        self.trust.read(TimeQuality("test", True, 0.0, 0.001, self.clock.now_s()))


async def live(
    folder: Path, clock: FakeClock, seconds: float, beginning: dict[str, Any] = BEGINNING
) -> list[bytes]:
    """A life with every kind of trouble in its middle; the SPAT datagrams that left."""
    life = Life(folder, clock, beginning)
    async with anyio.create_task_group() as tasks:
        for task in (life.controller, life.radio, life.speaking.run):
            tasks.start_soon(task)
        await clock.advance(seconds / 4)
        life.synchronise()
        life.speaking.doubt("last_word")
        await clock.advance(3.0)
        life.ears.deaf = True
        await clock.advance(seconds / 4)
        life.speaking.doubt("line_lost")
        life.silent = True
        await clock.advance(1.2)
        life.silent = False
        await clock.advance(seconds / 2)
        tasks.cancel_scope.cancel()
    life.recorder.close()
    return [payload for kind, payload in life.ears.heard if kind in ("SPAT", "SPATEM")]


def write(path: Path, entries: list[Entry]) -> Path:
    """A whole recording of these entries."""
    file = RecordingFile(path)
    for entry in entries:
        file.add(entry)
    file.close()
    return path


def without_tears(entries: Any) -> list[Entry]:
    return [entry for entry in entries if entry.topic != "/torn"]
