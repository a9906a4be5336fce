"""Reading the inputs again and again (pymodbus' own PDUs and framer). Sans-IO; only a read can be built."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import ReadDiscreteInputsRequest, ReadDiscreteInputsResponse

from drivers.lamp_sense.colour import Head
from drivers.lamp_sense.settings import Settings
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Control, Lamp, LampGroup, Programme, SignalReport

AROUND_BYTES = 5  # address, function, count, checksum
REQUEST_BYTES = 8
LARGEST_BYTES = 512
MOST_UNASKED = 8  # more than answers that were awaited: no accident
EXCEPTIONS = {1: "no discrete inputs", 2: "no such input", 3: "too many inputs"}

SILENT_HINT = "check wire, polarity, termination, the box's address, baud rate and parity"
GARBLED_HINT = "bytes come but no replies: check baud rate and parity, or another master is on the line"


class Session:
    """Bytes and time in; bytes, reports and the programme out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._settings = settings
        self._byte_s = settings.line("master").byte_s
        self._framer = FramerRTU(DecodePDU(False))
        request = ReadDiscreteInputsRequest(address=0, count=settings.count, dev_id=settings.address)
        self._request = self._framer.buildFrame(request)
        first_s = now_s + settings.listen_first_s
        self._verdict = Verdict(settings.silent_after_s, first_s, SILENT_HINT, GARBLED_HINT)
        self._heads = {group: Head() for group in settings.groups}
        self._held = bytearray()
        self._due_s = first_s
        self._asked_s: float | None = None
        self._programme: Programme | None = None
        self._strange = 0
        self.counters: Counter[str] = Counter()

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:
        """The read that is due; one that was not answered is given up."""
        if self._asked_s is not None:
            if now_s < self._deadline_s():
                return None
            self.counters["timeouts"] += 1
            self._garbled()
        if now_s < self._due_s:
            return None
        self._due_s = max(self._due_s + 1 / self._settings.poll_hz, now_s)
        self._asked_s = now_s
        self._held.clear()
        self.counters["queries"] += 1
        return self._request

    def wake_s(self, now_s: float) -> float:
        """When something is due."""
        return max(now_s, self._due_s if self._asked_s is None else self._deadline_s())

    def _deadline_s(self) -> float:
        size = REQUEST_BYTES + AROUND_BYTES + self._settings.count // 8 + 1
        return (self._asked_s or 0.0) + size * self._byte_s + self._settings.reply_timeout_s

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take a chunk. Raises DeviceLost for another master."""
        self.counters["bytes"] += len(data)
        self._held += data
        if self._held.startswith(self._request):  # an adapter that hears itself
            del self._held[: len(self._request)]
        if len(self._held) > LARGEST_BYTES:
            self._garbled()
            return
        reply = self._reply()
        if reply is not None:
            self._held.clear()
            yield from self._answered(reply, now_s)

    def _reply(self) -> ModbusPDU | None:
        """A whole reply of the box, if the bytes so far are one."""
        try:
            return self._framer.handleFrame(bytes(self._held), self._settings.address, 0)[1]
        except (ModbusException, ValueError, IndexError):
            self._garbled()
            return None

    def _garbled(self) -> None:
        """What stands in the buffer is no reply."""
        if self._held:
            self.counters["garbled"] += 1
            self._verdict.bad(len(self._held))
        self._held.clear()
        self._asked_s = None

    def _answered(self, reply: ModbusPDU, now_s: float) -> Iterator[SignalReport | Programme]:
        if self._asked_s is None:
            self._unasked()
            return
        self._asked_s = None
        self._strange = max(0, self._strange - 1)
        if isinstance(reply, ExceptionResponse):
            self.counters["refusals"] += 1
            code = int(reply.exception_code)
            raise DeviceLost(
                "refused", f"the box says: {EXCEPTIONS.get(code, f'exception {code}')}", SILENT_HINT
            )
        if not isinstance(reply, ReadDiscreteInputsResponse) or len(reply.bits) < self._settings.count:
            self.counters["garbled"] += 1
            self._verdict.bad(AROUND_BYTES)
            return
        self._verdict.good(now_s)
        self.counters["frames"] += 1
        if self._programme is None:
            self._programme = _programme(self._settings)
            yield self._programme
        self.counters["reports"] += 1
        size = AROUND_BYTES + self._settings.count // 8 + 1
        first_s = now_s - size * self._byte_s
        yield SignalReport(
            first_s, now_s, self._lamps(reply.bits, first_s), complete=True, control=Control.UNKNOWN
        )

    def _unasked(self) -> None:
        """A reply of its box that was not awaited: late, or to somebody else. Raises DeviceLost for many."""
        self.counters["unasked"] += 1
        self._strange += 1
        if self._strange >= MOST_UNASKED:
            raise DeviceLost(
                "busy",
                "SER07 another master on the line (replies to questions that were not ours)",
                "use a port of our own; where the box is slow, raise reply_timeout_s",
            )

    def _lamps(self, bits: Sequence[bool], at_s: float) -> tuple[Lamp, ...]:
        def lit(number: int | None) -> bool:
            return number is not None and bits[number] is not self._settings.inverted

        return tuple(
            Lamp(group, self._heads[group].see(lit(own.red), lit(own.yellow), lit(own.green), at_s))
            for group, own in sorted(self._settings.groups.items())
        )


def _programme(settings: Settings) -> Programme:
    named = {group: own.model_dump(exclude_none=True) for group, own in sorted(settings.groups.items())}
    lamps = tuple(
        LampGroup(group, None, " ".join(f"{colour} {number}" for colour, number in own.items()))
        for group, own in named.items()
    )
    return Programme(hashlib.sha256(repr(named).encode()).hexdigest(), tuple(named), lamps=lamps)
