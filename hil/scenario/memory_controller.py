"""The virtual controller on the in-memory line and the fake clock: its own model and codec, no process."""

from __future__ import annotations

from typing import Any

import anyio

from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.line_spoiler import LineSpoiler
from hil.devices.signal_model import SignalModel
from hil.truth import TruthLog
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.memory_line import MemoryEnd

BITS_A_BYTE = 10


class MemoryController:
    """What hil/devices/controller.py is on a pseudo-terminal; `end` is the device's end of the line."""

    def __init__(
        self, end: MemoryEnd, clock: Clock, truth: TruthLog, *, plan: int, seed: int, mode: str = "fixed"
    ) -> None:
        self._end, self._clock, self._truth = end, clock, truth
        self.model = SignalModel(clock.now_s(), plan=plan, seed=seed)
        self._front = Front(self.model, Profile(), Manners(), seed)
        if mode != "fixed":
            self.model.set_mode(mode, clock.now_s())
        self.model.utc_less_now_s = clock.utc_s() - clock.now_s()
        self._line = LineSpoiler()
        self._byte_s = BITS_A_BYTE / self._front.manners.baud
        self._free_s = 0.0
        self._nudged = anyio.Event()
        for group, colour in self.model.lamps.items():
            truth.write("lamp", clock.now_s(), group=group, colour=colour)

    async def run(self) -> None:
        """For ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen)
            while True:
                now_s = self._clock.now_s()
                await self._lamps(now_s)
                for frame in self._front.due(now_s):
                    await self._send(frame, None)
                self._nudged = anyio.Event()
                reply_s = self._front.next_s()
                due_s = min(self.model.next_s(), now_s + 1.0 if reply_s is None else reply_s)
                with self._clock.move_on_after(max(0.0, due_s - now_s)):
                    await self._nudged.wait()

    def act(self, step: dict[str, Any]) -> None:
        """A step of the scenario: a fault of the line, another plan or mode."""
        now_s = self._clock.now_s()
        if "plan" in step:
            self.model.set_plan(step["plan"], now_s)
        elif "mode" in step:
            self.model.set_mode(step["mode"], now_s)
        elif "do" in step:
            shone = getattr(self.model, step["do"])(step["what"], now_s)
            self._shine(shone or [])
        elif step["fault"] == "freeze":
            self._front.frozen = bool(step["on"])
        else:
            self._line.obey(step["fault"], bool(step["on"]))
        self._truth.write("fault", now_s, device="controller", name=str(step), on=True)
        self._nudged.set()

    async def _listen(self) -> None:
        while True:
            received = await self._end.read()
            self._front.hear(received.data, received.arrived_s)
            self._nudged.set()

    async def _lamps(self, now_s: float) -> None:
        shone, learnt = self.model.advance(now_s)
        self._shine(shone)
        if learnt:
            known = {group: self.model.known[group] for group in learnt}
            for frame in self._front.changed(learnt, now_s):
                await self._send(frame, known)

    def _shine(self, shone: list[tuple[float, int, str]]) -> None:
        for true_s, group, colour in shone:
            self._truth.write("lamp", true_s, group=group, colour=colour)

    async def _send(self, frame: bytes, colours: dict[int, str] | None) -> None:
        data, whole = self._line.spoil(frame)
        if not data:
            return
        await self._end.write(data)
        self._free_s = max(self._free_s, self._clock.now_s()) + len(data) * self._byte_s
        if colours and whole:
            self._truth.write("wire", self._free_s, colours=colours)
