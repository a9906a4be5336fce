"""The virtual controller's NTCIP 1202 face: SNMPv1 requests in, answers out, over UDP or PMPP. Sans-IO."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hil.devices.ber import (
    GET,
    GET_NEXT,
    RESPONSE,
    SET,
    Oid,
    SnmpMessage,
    Varbind,
    build_message,
    read_message,
)
from hil.devices.controller_view import ControllerView
from hil.devices.ntcip_objects import NtcipObjects
from hil.devices.pmpp_codec import STMF, UI_POLL, PmppFrame, PmppReader, build_frame

UDP, PMPP = "udp", "pmpp"
SNMP_V1 = 0
NO_ERROR, TOO_BIG, NO_SUCH_NAME, READ_ONLY = 0, 1, 2, 4
LONGEST = 4096  # octets of a datagram that is looked at
MOST_WAITING = 16  # requests; more are lost, as in a unit that is kept too busy
BITS_AN_OCTET = 10  # 8N1


@dataclass(frozen=True, slots=True)
class NtcipManners:
    """How this unit behaves. Carriage: `udp`, a datagram is a message, or `pmpp`, a stream of frames."""

    carriage: str = UDP
    community: bytes = b"public"
    address: int = 1  # on the serial line
    baud: int = 19200  # of the serial line
    reply_delay_s: tuple[float, float] = (0.015, 0.045)
    most_varbinds: int = 64
    absent: tuple[Oid, ...] = ()  # prefixes of objects that this unit lacks


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request whose answer falls due; frame: what it came in, None: a datagram."""

    at_s: float
    message: SnmpMessage
    frame: PmppFrame | None


class NtcipFront:
    """Answers what it hears, one request after another; says nothing unasked and obeys no SET."""

    def __init__(self, view: ControllerView, manners: NtcipManners, seed: int = 1) -> None:
        self.manners = manners
        self.objects = NtcipObjects(view, manners.absent)
        self.writes = 0  # every SET heard, to whomever and whatever its version
        self._random = random.Random(seed)
        self._reader = PmppReader()
        self._waiting: list[Waiting] = []
        self._line_s = self._busy_s = float("-inf")  # until then octets arrive, until then it thinks
        self._now_s = 0.0
        self._frozen: dict[Oid, bytes] | None = None

    @property
    def frozen(self) -> bool:
        """While true all values, sysUpTime too, are those of the latest instant before it was set."""
        return self._frozen is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        if on != self.frozen:
            self._frozen = self.objects.snapshot(self._now_s) if on else None

    def opened(self, now_s: float) -> None:
        """The line or socket is up; the first time, the unit boots."""
        self.closed()
        self._tick(now_s)

    def closed(self) -> None:
        """Half a frame and the answers not yet given are forgotten."""
        self._reader = PmppReader()
        self._waiting.clear()
        self._line_s = self._busy_s = float("-inf")

    def hear(self, data: bytes, now_s: float) -> None:
        """A datagram, or octets of the serial line, whose last bit arrives after their time on the wire."""
        self._tick(now_s)
        arrived_s = now_s
        if self.manners.carriage == PMPP:
            arrived_s = max(self._line_s, now_s) + len(data) * BITS_AN_OCTET / self.manners.baud
            self._line_s = arrived_s
        for message, frame in self._requests(data):
            self.writes += message.pdu == SET
            if self._mine(message, frame) and len(self._waiting) < MOST_WAITING:
                self._busy_s = max(self._busy_s, arrived_s) + self._random.uniform(
                    *self.manners.reply_delay_s
                )
                self._waiting.append(Waiting(self._busy_s, message, frame))

    def changed(self, groups: list[int], now_s: float) -> list[bytes]:  # noqa: ARG002
        """Nothing: a unit of this kind speaks when asked."""
        self._tick(now_s)
        return []

    def due(self, now_s: float) -> list[bytes]:
        """Answers whose time has come, with the values of this instant."""
        self._tick(now_s)
        ready = [waiting for waiting in self._waiting if waiting.at_s <= now_s]
        self._waiting = self._waiting[len(ready) :]  # they stand in the order of their time
        return [self._carried(self._answer(waiting.message, now_s), waiting.frame) for waiting in ready]

    def next_s(self) -> float | None:
        """When the next answer is due."""
        return self._waiting[0].at_s if self._waiting else None

    def _tick(self, now_s: float) -> None:
        self._now_s = now_s
        if self.objects.booted_s is None:
            self.objects.booted_s = now_s

    def _requests(self, data: bytes) -> Iterator[tuple[SnmpMessage, PmppFrame | None]]:
        if self.manners.carriage == PMPP:
            frames = self._reader.feed(data)
            heard = [(read_message(frame.payload), frame) for frame in frames]
            yield from ((message, frame) for message, frame in heard if message is not None)
        elif len(data) <= LONGEST and (message := read_message(data)) is not None:
            yield message, None

    def _mine(self, message: SnmpMessage, frame: PmppFrame | None) -> bool:
        if frame is not None and (frame.group or frame.address != self.manners.address):
            return False
        asks = message.pdu in (GET, GET_NEXT, SET)
        return asks and message.version == SNMP_V1 and message.community == self.manners.community

    def _carried(self, message: SnmpMessage, frame: PmppFrame | None) -> bytes:
        payload = build_message(message)
        if frame is None:
            return payload
        return build_frame(replace(frame, payload=payload, control=UI_POLL, ipi=STMF))

    def _answer(self, message: SnmpMessage, now_s: float) -> SnmpMessage:
        if len(message.varbinds) > self.manners.most_varbinds:
            return _refusal(message, TOO_BIG, 0)
        found: list[Varbind] = []
        for index, row in enumerate(message.varbinds, 1):
            name: Oid | None = row.oid
            if message.pdu == GET_NEXT:
                name = self.objects.after(row.oid)
            value = None if name is None else self._value(name, now_s)
            if name is None or value is None:
                return _refusal(message, NO_SUCH_NAME, index)
            if message.pdu == SET:
                return _refusal(message, READ_ONLY, index)
            found.append(Varbind(name, value))
        return replace(message, pdu=RESPONSE, error=NO_ERROR, index=0, varbinds=tuple(found))

    def _value(self, name: Oid, now_s: float) -> bytes | None:
        return self.objects.get(name, now_s) if self._frozen is None else self._frozen.get(name)


def _refusal(message: SnmpMessage, error: int, index: int) -> SnmpMessage:
    """The request itself, sent back with an error and the place of what caused it."""
    return replace(message, pdu=RESPONSE, error=error, index=index)
