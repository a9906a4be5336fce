"""The dialogue: one question outstanding, answers matched by address, everything else told apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from drivers.gbt20999.deframer import Deframer
from drivers.gbt20999.ids import width
from drivers.gbt20999.plain import PlainDeframer
from drivers.gbt20999.wire import (
    FOREIGN_KINDS,
    OVERHEAD_BYTES,
    Address,
    Dialect,
    Frame,
    Garbled,
    Identity,
    Kind,
    heartbeat_reply,
    query,
)

ECHOES = 8  # questions whose echo may still be under way on a slow line


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to what was asked; delay_s is what the controller took, bits on the wire apart."""

    asked: tuple[Address, ...]
    frame: Frame
    delay_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """The error reply to what was asked. named: the addresses it names; code: its error byte."""

    asked: tuple[Address, ...]
    named: frozenset[Address]
    code: int


@dataclass(frozen=True, slots=True)
class Unasked:
    """A trap, or a reply that comes after its time."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class HeartbeatAsked:
    """The controller asks whether a host is there."""


@dataclass(frozen=True, slots=True)
class OtherMaster:
    """Someone else asks or commands on this line."""

    frame: Frame


Event = Answer | Refusal | Unasked | HeartbeatAsked | OtherMaster | Garbled


def request_bytes(count: int) -> int:
    """Size of a query for so many values, escapes apart."""
    return OVERHEAD_BYTES + 6 * count


def reply_bytes(addresses: tuple[Address, ...]) -> int:
    """Expected size of its reply."""
    return request_bytes(len(addresses)) + sum(width(address) for address in addresses)


def deframer(dialect: Dialect, byte_s: float, *, datagrams: bool) -> Deframer | PlainDeframer:
    """What finds frames on such a line."""
    if dialect.escaped and not datagrams:
        return Deframer(dialect.checksum, byte_s)
    return PlainDeframer(dialect.checksum, byte_s, datagrams=datagrams)


class Link:
    """Sans-IO: questions and bytes in, bytes and events out."""

    def __init__(
        self, identity: Identity, dialect: Dialect, byte_s: float, *, datagrams: bool = False
    ) -> None:
        self._identity, self._dialect, self._byte_s = identity, dialect, byte_s
        self._deframer = deframer(dialect, byte_s, datagrams=datagrams)
        self._sequence = 0
        self._sent: deque[tuple[int, tuple[Address, ...]]] = deque(maxlen=ECHOES)
        self.asked: tuple[Address, ...] = ()
        self.asked_s = 0.0
        self.transfer_s = 0.0  # on the wire: the newest question and its answer

    def ask(self, addresses: tuple[Address, ...], now_s: float) -> bytes:
        """The query's bytes. The question before it is given up."""
        self._sequence = self._sequence % 255 + 1
        self.asked, self.asked_s = addresses, now_s
        self._sent.append((self._sequence, addresses))
        self.transfer_s = (request_bytes(len(addresses)) + reply_bytes(addresses)) * self._byte_s
        return query(self._identity, self._sequence, addresses, self._dialect)

    @property
    def rest_s(self) -> float | None:
        """How long the rest of the frame under way takes on the wire; None: not known."""
        rest = self._deframer.rest_bytes
        return None if rest is None else rest * self._byte_s

    def give_up(self) -> tuple[Address, ...]:
        """Wait for the answer no longer; gives what was asked."""
        asked, self.asked = self.asked, ()
        return asked

    def heartbeat(self) -> bytes:
        """The answer to a heartbeat query."""
        self._sequence = self._sequence % 255 + 1
        return heartbeat_reply(self._identity, self._sequence, self._dialect)

    def receive(self, data: bytes, now_s: float) -> Iterator[Event]:
        """Events of a chunk read at now_s. Frames of unknown types give none."""
        for found in self._deframer.receive(data, now_s):
            event = found if isinstance(found, Garbled) else self._event(found)
            if event is not None:
                yield event

    def _event(self, frame: Frame) -> Event | None:
        match frame.kind:
            case Kind.REPLY:
                return self._reply(frame)
            case Kind.ERROR_REPLY:
                return self._refusal(frame)
            case Kind.TRAP:
                return Unasked(frame)
            case Kind.HEARTBEAT_QUERY:
                return HeartbeatAsked()
            case kind if kind in FOREIGN_KINDS:
                return None if self._is_own_echo(frame) else OtherMaster(frame)
        return None

    def _reply(self, frame: Frame) -> Event:
        if not self.asked or (
            frame.values and not any(value.address in self.asked for value in frame.values)
        ):
            return Unasked(frame)
        delay_s = frame.last_byte_s - self.asked_s - self.transfer_s
        return Answer(self.give_up(), frame, max(0.0, delay_s))

    def _refusal(self, frame: Frame) -> Event | None:
        named = frozenset(value.address for value in frame.values)
        if not self.asked or (named and not named & set(self.asked)):
            return None  # the refusal of a question that was given up
        codes = [value.data[0] for value in frame.values if value.data]
        return Refusal(self.give_up(), named, codes[0] if codes else 0)

    def _is_own_echo(self, frame: Frame) -> bool:
        """Some RS-485 adapters hear themselves."""
        heard = (frame.sequence, tuple(value.address for value in frame.values))
        return frame.kind == Kind.QUERY and heard in self._sent
