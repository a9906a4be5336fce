"""The virtual controller on the in-memory line and the fake clock: its own model and codec, no process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio

from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.line_spoiler import LineSpoiler
from hil.devices.signal_model import SignalModel
from hil.truth import Log
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.memory_line import MemoryEnd
from rsu_agent.ports.trouble import DeviceLost

BITS_A_BYTE = 10


class MemoryController:
    """What hil/devices/controller.py is on a pseudo-terminal; `end` is the device's end of the line."""

    def __init__(
        self,
        end: MemoryEnd,
        clock: Clock,
        truth: Log,
        *,
        plan: int,
        seed: int,
        mode: str = "fixed",
        manners: Manners | None = None,
        carried: Callable[[bytes, float], None] = lambda _data, _last_s: None,
    ) -> None:
        """carried: told of all that is put on the line, and when its last byte has passed it."""
        self._end, self._clock, self._truth, self._carried = end, clock, truth, carried
        self.model = SignalModel(clock.now_s(), plan=plan, seed=seed)
        self._front = Front(self.model, Profile(), manners or Manners(), seed)
        if mode != "fixed":
            self.model.set_mode(mode, clock.now_s())
        self.model.utc_less_now_s = clock.utc_s() - clock.now_s()
        self._line, self._echoes = LineSpoiler(seed), False
        self._byte_s = BITS_A_BYTE / self._front.manners.baud
        self._free_s = 0.0
        self._nudged, self._back = anyio.Event(), anyio.Event()
        for group, colour in self.model.lamps.items():
            truth.write("lamp", clock.now_s(), group=group, colour=colour)

    async def run(self) -> None:
        """For ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._listen)
            while True:
                now_s = self._clock.now_s()
                await self._lamps(now_s)
                if now_s >= self._free_s:  # an answer is made when it can leave: it holds what is true then
                    for frame in self._front.due(now_s):
                        await self._send(frame, None)
                self._nudged = anyio.Event()
                reply_s = self._front.next_s()
                reply_s = now_s + 1.0 if reply_s is None else max(reply_s, self._free_s)
                due_s = min(self.model.next_s(), reply_s)
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
        else:
            self._fault(step["fault"], on=bool(step["on"]))
        self._truth.write("fault", now_s, device="controller", name=str(step), on=True)
        self._nudged.set()

    def plugged(self, end: MemoryEnd) -> None:
        """The line is up again, at another end."""
        self._end, self._free_s = end, 0.0
        self._front.closed()
        self._back.set()

    @property
    def line_free_s(self) -> float:
        """When the last byte written so far has passed the line."""
        return self._free_s

    @property
    def writes(self) -> int:
        """Frames heard that were neither queries nor heartbeats."""
        return self._front.writes

    def _fault(self, name: str, *, on: bool) -> None:
        match name:
            case "freeze":
                self._front.frozen = on
            case "replaced":
                self._front.replace(on)
            case "echo":
                self._echoes = on
            case _:
                self._line.obey(name, on)

    async def _listen(self) -> None:
        while True:
            try:
                received = await self._end.read()
            except DeviceLost:
                self._back = anyio.Event()
                await self._back.wait()
                continue
            if self._echoes:
                await self._put(received.data)
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
        if data and await self._put(data) and colours and whole:
            self._truth.write("wire", self._free_s, colours=colours)

    async def _put(self, data: bytes) -> bool:
        """Bytes onto the line; whether there is one."""
        try:
            await self._end.write(data)
        except DeviceLost:
            return False
        self._free_s = max(self._free_s, self._clock.now_s()) + len(data) * self._byte_s
        self._carried(data, self._free_s)
        return True
