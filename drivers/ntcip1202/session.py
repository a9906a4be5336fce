"""Reading one NTCIP 1202 controller: what to ask when, and what the answers say. Sans-IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from drivers.ntcip1202 import oids, snmp, state
from drivers.ntcip1202.ber import Malformed, Oid, Value
from drivers.ntcip1202.carriage import Carried, Datagrams, Pmpp
from drivers.ntcip1202.oids import BANKS, Bank
from drivers.ntcip1202.pmpp import Garbled
from drivers.ntcip1202.settings import Settings
from rsu_agent.ports.named_groups import NamedGroups
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Colour, Control, Lamp, Programme, SignalReport

SLOW_PERIOD_S = 0.5
CONFIGURATION_S = 60.0  # read again: it may be changed at the cabinet
LEARN_S = 2.0  # outputs lit in so long exist; one that lights up later is added
GET_AROUND_BYTES, GET_OBJECT_BYTES, REPLY_MORE_BYTES = 40, 21, 3

SILENT_HINT = "check wire or address, PMPP address and community; the unit must take SNMPv1"
GARBLED_HINT = "bytes come but no SNMP: check baud rate and parity, and that the port speaks NTCIP 2101"


class Session:
    """Bytes and time in; bytes, reports and programmes out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._settings = settings
        wire = settings.line(settings.role)
        self._byte_s = wire.byte_s
        self._carriage = Datagrams() if wire.keeps_bounds else Pmpp(settings.address, wire.byte_s)
        first_s = now_s + settings.listen_first_s
        self._verdict = Verdict(settings.silent_after_s, first_s, SILENT_HINT, GARBLED_HINT)
        self._groups = NamedGroups(settings.groups)
        self._sweep = Sweep()
        self._banks = list(BANKS)
        self._absent: set[Oid] = set()
        self._known: dict[Oid, Value] = {}
        self._waiting: list[tuple[Oid, ...]] = []  # batches of the poll that has begun
        self._most = settings.most_objects
        self._poll_s = self._slow_s = self._configured_s = first_s
        self._asked: tuple[int, tuple[Oid, ...], float, bytes] | None = None
        self._request = 0
        self._learnt_s: float | None = None
        self._control: Control | None = None
        self._programme: Programme | None = None
        self._uptime = 0
        self.counters: Counter[str] = Counter()

    # What leaves

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:
        """The query that is due, one at a time."""
        if self._settings.role == "listener" or now_s < self._free_s():
            return None
        if self._asked is not None:
            self.counters["timeouts"] += 1
            if any(oid[: len(PHASE_TABLE)] == PHASE_TABLE for oid in self._asked[1]):
                self._configured_s = now_s
            self._asked = None
        asked = self._choose(now_s)
        if not asked:
            return None
        self._request = self._request % 0x7FFFFFFF + 1
        data = self._carriage.wrapped(snmp.get(self._settings.community, self._request, asked))
        self._asked = self._request, asked, now_s, data
        self.counters["queries"] += 1
        return data

    def wake_s(self, now_s: float) -> float:
        """When something is due."""
        if self._settings.role == "listener":
            return self._verdict.silent_at_s
        due_s = now_s if self._waiting else min(self._poll_s, self._slow_s, self._configured_s)
        return max(self._free_s(), due_s, now_s)

    def _free_s(self) -> float:
        """When the next query may leave: after the answer, or once it has been given up."""
        if self._asked is None:
            return float("-inf")
        _, asked, asked_s, _ = self._asked
        size = 2 * (GET_AROUND_BYTES + GET_OBJECT_BYTES * len(asked)) + REPLY_MORE_BYTES * len(asked)
        return asked_s + size * self._byte_s + self._settings.reply_timeout_s

    def _choose(self, now_s: float) -> tuple[Oid, ...]:
        if self._waiting:
            return self._waiting.pop(0)
        if now_s >= self._poll_s:
            self._poll_s = max(self._poll_s + 1 / self._settings.poll_hz, now_s)
            self._waiting = self._batches([bank.oids for bank in self._banks])
        elif now_s >= self._slow_s:
            self._slow_s = now_s + SLOW_PERIOD_S
            rest: list[tuple[Oid, ...]] = [bank.oids for bank in BANKS if bank not in self._banks]
            single: list[tuple[Oid, ...]] = [
                (oid,) for oid in (oids.FLASH_STATUS, oids.PATTERN, *oids.PREEMPTS, oids.UPTIME)
            ]
            self._waiting = self._batches(single + rest)
        elif now_s >= self._configured_s and self._learnt_s is not None:
            self._configured_s = now_s + CONFIGURATION_S
            self._waiting = self._batches([(oid,) for oid in self._configuration()])
        return self._waiting.pop(0) if self._waiting else ()

    def _configuration(self) -> Iterator[Oid]:
        phases = sorted({number for kind, number in self._groups.known if kind in ("phase", "ped")})
        return (oids.phase_item(column, phase) for phase in phases for column in oids.COLUMNS)

    def _batches(self, together: Sequence[tuple[Oid, ...]]) -> list[tuple[Oid, ...]]:
        """Queries of at most so many objects; objects that belong together stay so."""
        made: list[tuple[Oid, ...]] = []
        for belonging in together:
            if self._absent & set(belonging):
                continue
            if made and len(made[-1]) + len(belonging) <= self._most:
                made[-1] += belonging
            else:
                made.append(belonging)
        return made

    # What comes in

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take a chunk, or one datagram. Raises DeviceLost for another master."""
        self.counters["bytes"] += len(data)
        for found in self._carriage.receive(data, now_s):
            if isinstance(found, Garbled):
                self._garbled(found.why, found.size)
                continue
            try:
                message = snmp.parse(found.payload)
            except Malformed as wrong:
                self._garbled("snmp", len(found.payload))
                self.counters[f"snmp_{str(wrong).split()[0]}"] += 1
                continue
            yield from self._message(message, found, now_s)

    def _garbled(self, why: str, size: int) -> None:
        self.counters["garbled"] += 1
        self.counters[f"garbled_{why}"] += 1
        self._verdict.garbled(why, size)

    def _message(
        self, message: snmp.Message, came: Carried, now_s: float
    ) -> Iterator[SignalReport | Programme]:
        if message.kind in snmp.REQUESTS:
            self._asking(message)
            return
        self._verdict.good(now_s)
        self.counters["frames"] += 1
        mine = self._asked is not None and message.request == self._asked[0]
        if self._settings.role == "master" and not mine:
            self.counters["unasked"] += 1
            return
        asked = self._asked[1] if self._asked is not None else ()
        self._asked = None
        if message.error:
            self._refused(message, asked)
        else:
            yield from self._told(dict(message.values), came, now_s)

    def _asking(self, message: snmp.Message) -> None:
        """Somebody asks: ourselves on a line that echoes, or another host, to which a master gives way."""
        if self._asked is not None and message.request == self._asked[0] and message.kind == snmp.GET_REQUEST:
            return
        self.counters["others_ask"] += 1
        if self._settings.role == "master":
            raise DeviceLost(
                "busy",
                f"SER07 another master on the line (request {message.request})",
                "this line belongs to another host: use role: listener or a port of our own",
            )

    def _refused(self, message: snmp.Message, asked: tuple[Oid, ...]) -> None:
        """An object that the unit does not have is not asked for again, nor those that belong to it."""
        self.counters["refusals"] += 1
        if message.error == snmp.TOO_BIG:
            self._most = max(3, min(self._most, len(asked)) // 2)
            self._waiting = [*self._batches(_by_bank(asked)), *self._waiting]
            return
        if 1 <= message.error_index <= len(asked):
            absent = asked[message.error_index - 1]
            self._absent.add(absent)
            self._banks = [bank for bank in self._banks if absent not in bank.oids]
            rest = _by_bank([oid for oid in asked if oid != absent])
            self._waiting = [*self._batches(rest), *self._waiting]

    def _told(
        self, values: dict[Oid, Value], came: Carried, now_s: float
    ) -> Iterator[SignalReport | Programme]:
        self._uptimes(values)
        self._known |= {oid: value for oid, value in values.items() if oid[: len(PHASE_TABLE)] == PHASE_TABLE}
        shown = dict(state.colours(values))
        if self._groups.learn(output for output, colour in shown.items() if colour is not Colour.DARK):
            self._configured_s = now_s
        if shown and self._learnt_s is None:
            self._learnt_s = now_s
        self._narrow(values)
        yield from self._programme_news(now_s)
        told = state.control(values)
        self._control = told or self._control
        flash = self._control is Control.FLASH  # then the phases' bits are not what shines
        lamps = tuple(
            Lamp(group, Colour.UNKNOWN if flash else shown[output])
            for output, group in self._groups.known.items()
            if output in shown
        )
        self.counters["reports"] += 1
        groups = self._programme.groups if self._programme else ()
        status = values.get(oids.FLASH_STATUS)
        made = SignalReport(
            came.first_byte_s,
            came.last_byte_s,
            lamps,
            complete=bool(groups) and {lamp.group for lamp in lamps} >= set(groups),
            control=told,
            plan=state.plan(values),
            preempt=state.preempt(values),
            fault_flash=None if status is None else status in state.FAULT_FLASHES,
        )
        yield from self._sweep.take(made, groups)

    def _programme_news(self, now_s: float) -> Iterator[Programme]:
        """Told once the outputs have been looked at for a while, and whenever it has changed."""
        if self._learnt_s is None or (not self._settings.groups and now_s - self._learnt_s < LEARN_S):
            return
        made = state.programme(self._groups, self._known)
        if made.groups and (self._programme is None or made.fingerprint != self._programme.fingerprint):
            self._programme = made
            yield made

    def _narrow(self, values: dict[Oid, Value]) -> None:
        """Banks in which nothing shines are asked for slowly: a slow line has better to do."""
        for bank in BANKS:
            if set(bank.oids) <= values.keys() and not self._absent & set(bank.oids):
                if state.quiet(bank, values) and not self._lit(bank):
                    self._banks = [each for each in self._banks if each is not bank]
                elif bank not in self._banks:
                    self._banks.append(bank)

    def _lit(self, bank: Bank) -> bool:
        """Whether any output of the bank has ever shone, or the site file names it."""
        numbers = range(bank.first, bank.first + 8)
        return any(kind == bank.kind and number in numbers for kind, number in self._groups.known)

    def _uptimes(self, values: dict[Oid, Value]) -> None:
        uptime = values.get(oids.UPTIME)
        if isinstance(uptime, int):
            if uptime < self._uptime:
                self.counters["reboots"] += 1
                self._configured_s = float("-inf")
            self._uptime = uptime


PHASE_TABLE = (*oids.ASC, 1, 2)


def _by_bank(asked: Sequence[Oid]) -> list[tuple[Oid, ...]]:
    """Objects again as they belong together; a bank that has lost one is left out."""
    of_bank = {oid: bank for bank in BANKS for oid in bank.oids}
    banks = [bank.oids for bank in BANKS if set(bank.oids) <= set(asked)]
    return [*banks, *((oid,) for oid in asked if oid not in of_bank)]
