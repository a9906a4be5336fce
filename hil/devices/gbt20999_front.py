"""The virtual controller's front end: requests in, replies and traps out, delays and quirks. Sans-IO."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass

from hil.devices.gbt20999_codec import Address, Message, Profile, Reader, build
from hil.devices.gbt20999_values import CODES, Values
from hil.devices.signal_model import SignalModel

QUERY, REPLY, REFUSAL, TRAP, BEAT, BEAT_REPLY = 0x10, 0x20, 0x21, 0x60, 0x70, 0x80
NOT_PRESENT = b"\x30"
Entries = tuple[tuple[int, Address, bytes], ...]


@dataclass(frozen=True)
class Manners:
    """How this unit behaves."""

    baud: int = 115200
    reply_delay_s: tuple[float, float] = (0.002, 0.005)
    traps: bool = True
    most_values: int = 255
    serials: str = "own"  # of replies: own count, echo of the request, or next after it
    beat_reply: int = BEAT_REPLY  # 0x71 in one public tool
    beat_counted: bool = False
    wildcard: bool = False  # row 0 asks for all rows of lamps
    escaped: bool = True  # not on UDP
    trap_period_s: float | None = None  # all lamps again and again; None: on changes only


class Front:
    """Answers what it hears; `due` gives the frames to put on the line now."""

    def __init__(self, model: SignalModel, profile: Profile, manners: Manners, seed: int = 1) -> None:
        self.model, self.profile, self.manners = model, profile, manners
        self.values = Values(model)
        self._reader = Reader(profile, escaped=manners.escaped)
        self._random = random.Random(seed)
        self._later: list[tuple[float, Message]] = []
        self._serial = 0
        self._trapped_s: float | None = None
        self._frozen: dict[Address, bytes] | None = None
        self.writes = 0  # anything but queries and heartbeats heard: a reader of signals must never send it

    @property
    def frozen(self) -> bool:
        """Whether answers repeat what was true when it froze; then there are no traps."""
        return self._frozen is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._frozen = {} if on else None

    def replace(self, on: bool) -> None:
        """Another unit stands in the cabinet: its number is another one."""
        self.profile = dataclasses.replace(self.profile, controller=99 if on else 0)

    def opened(self, now_s: float) -> None:
        """A line is up: periodic traps count from now."""
        self._trapped_s = now_s

    def closed(self) -> None:
        """Nothing that was asked is answered any more."""
        self._later.clear()
        self._reader = Reader(self.profile, escaped=self.manners.escaped)

    def changed(self, groups: list[int], now_s: float) -> list[bytes]:
        """A trap of the groups that have changed, where the unit sends traps."""
        return [self.trap(groups, now_s)] if self.manners.traps and not self.frozen else []

    def hear(self, data: bytes, now_s: float) -> None:
        """Bytes from the line; their last bit arrives after their time on the wire."""
        for message in self._reader.feed(data):
            wire_s = len(data) * 10 / self.manners.baud
            delay_s = self._random.uniform(*self.manners.reply_delay_s)
            self._later.append((now_s + wire_s + delay_s, message))

    def next_s(self) -> float | None:
        """When the next reply or periodic trap is due."""
        due = [at for at, _ in self._later]
        if (trap_s := self._next_trap_s()) is not None:
            due.append(trap_s)
        return min(due, default=None)

    def _next_trap_s(self) -> float | None:
        period_s = self.manners.trap_period_s
        if period_s is None or self._trapped_s is None or self.frozen:
            return None
        return self._trapped_s + period_s

    def due(self, now_s: float) -> list[bytes]:
        """Replies and periodic traps whose time has come, with the values of this instant."""
        frames = []
        trap_s = self._next_trap_s()
        if trap_s is not None and now_s >= trap_s:
            self._trapped_s = now_s
            frames.append(self.trap(list(self.model.known), now_s))
        ready = [message for at, message in self._later if at <= now_s]
        self._later = [(at, message) for at, message in self._later if at > now_s]
        return frames + [frame for message in ready for frame in self._answer(message, now_s)]

    def trap(self, groups: list[int], now_s: float) -> bytes:
        """An unsolicited report of these groups and the running stage."""
        stage = self.model.stage(now_s)[0]
        entries: list[tuple[int, Address, bytes]] = [
            (i, (3, 3, 1, group), bytes([CODES[self.model.known[group]]]))
            for i, group in enumerate(groups, 1)
        ]
        stage_value = self.values.get((13, 2, 4, 1), now_s) or bytes([stage])
        entries.append((len(entries) + 1, (13, 2, 4, 1), stage_value))
        return self._frame(TRAP, tuple(entries), 0, 0)

    def _answer(self, message: Message, now_s: float) -> list[bytes]:
        if message.kind == BEAT:
            return [self._reply(self.manners.beat_reply, (), message, bare=not self.manners.beat_counted)]
        if message.kind != QUERY:
            self.writes += 1
            return []
        if len(message.entries) > self.manners.most_values:
            refused = tuple((i, address, b"\x12") for i, address, _ in message.entries[:1])
            return [self._reply(REFUSAL, refused, message)]
        found: list[tuple[int, Address, bytes]] = []
        missing: list[tuple[int, Address, bytes]] = []
        for index, address in self._asked(message):
            value = self._value(address, now_s)
            (missing if value is None else found).append(
                (index, address, NOT_PRESENT if value is None else value)
            )
        frames = []
        if found:
            frames.append(self._reply(REPLY, tuple(found), message))
        if missing:
            frames.append(self._reply(REFUSAL, tuple(missing), message))
        return frames

    def _value(self, address: Address, now_s: float) -> bytes | None:
        """The value now, or the one it had when it was frozen."""
        if self._frozen is None:
            return self.values.get(address, now_s)
        if address not in self._frozen:
            value = self.values.get(address, now_s)
            if value is None:
                return None
            self._frozen[address] = value
        return self._frozen[address]

    def _asked(self, message: Message) -> list[tuple[int, Address]]:
        """The rows asked for; row 0 of the lamps is all of them where the unit knows wildcards."""
        asked: list[tuple[int, Address]] = []
        for index, address, _ in message.entries:
            if self.manners.wildcard and address == (3, 3, 1, 0):
                asked += [(index, (3, 3, 1, group)) for group in self.model.known]
            else:
                asked.append((index, address))
        return asked

    def _reply(self, kind: int, entries: Entries, to: Message, *, bare: bool = False) -> bytes:
        serial = {"echo": to.serial, "next": to.serial + 1}.get(self.manners.serials)
        return self._frame(kind, entries, to.host, to.crossing, bare=bare, serial=serial)

    def _frame(
        self,
        kind: int,
        entries: Entries,
        host: int,
        crossing: int,
        *,
        bare: bool = False,
        serial: int | None = None,
    ) -> bytes:
        self._serial = (self._serial + 1) & 0xFF
        serial = self._serial if serial is None else serial & 0xFF
        message = Message(kind, host, self.profile.controller, crossing, serial, entries)
        return build(message, self.profile, escaped=self.manners.escaped, bare_heartbeat=bare)
