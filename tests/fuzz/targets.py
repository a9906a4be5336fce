"""Everything that reads bytes from outside: inputs, the errors it may raise, its bound on memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.chrony.wire import NotTracking, read_reply
from drivers.gbt20999.deframer import LARGEST_BYTES
from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.session import Session
from drivers.gbt20999.settings import Settings
from drivers.mjpeg_http.link import LARGEST_HEAD, LARGEST_PICTURE, MjpegReader, Refused
from drivers.ti_mmwave.configuration import Command
from drivers.ti_mmwave.console import LARGEST_ANSWER, Console
from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import LARGEST_BUFFER, Deframer
from drivers.ti_mmwave.numbering import Numbering
from drivers.ti_mmwave.radar_time import RadarTime
from rsu_agent.district import decode
from rsu_agent.district.sink import Batch, DeadLetter
from rsu_agent.district.store import SqliteSink, Store
from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.j2735 import frame
from rsu_agent.messages.recognise import recognise
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.dsrc_reader import read_spatem
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.ports.command import BadCommand
from rsu_agent.ports.envelope import BadEnvelope, pack_ack, unpack_ack, unpack_envelope
from rsu_agent.ports.link import Link, socket_pair
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.wire import geonet
from rsu_agent.wire.uper import Malformed
from tests.fuzz import can_radars, commands, controllers, line_radars, seeds
from tests.fuzz.inputs import any_input
from tests.fuzz.scratch import folder


@dataclass(frozen=True)
class Target:
    """`fresh` makes a reader: bytes in, size of what it keeps out. It may raise only `typed`."""

    name: str
    fresh: Callable[[], Callable[[bytes], int]]
    typed: tuple[type[Exception], ...]
    most_kept_bytes: int
    make: Callable[[random.Random], bytes]


def mutated(examples: Sequence[bytes]) -> Callable[[random.Random], bytes]:
    """Inputs from these seeds."""
    return lambda dice: any_input(dice, examples)


def gbt20999_session() -> Callable[[bytes], int]:
    """Deframer, link and session; the clock moves on with each chunk and it asks as on a pole."""
    session = Session(Settings(port="/dev/null", controller_id=0), 0.0, Memory(Shelf()))
    now_s = 0.0

    def read(data: bytes) -> int:
        nonlocal now_s
        now_s += 0.02
        session.next_bytes(now_s)
        list(session.receive(data, now_s))
        return len(session._link._deframer._raw or b"")

    return read


def ti_mmwave() -> Callable[[bytes], int]:
    """Deframer, numbers, clock fit and the reader of its frames; the clock moves on with each chunk."""
    deframer = Deframer(921_600)
    numbering, radar_time = Numbering(deframer.counters), RadarTime()
    reader = FrameReader(deframer.counters, doppler_limit_mps=11.57)
    now_s = 0.0

    def read(data: bytes) -> int:
        nonlocal now_s
        now_s += 0.02
        for raw in (*deframer.receive(data, now_s), *deframer.pause()):
            numbered = numbering.take(raw.number)
            measured_s = radar_time.measured_s(numbered.number, raw.header.cycles, raw.first_byte_s)
            reader.read(raw, numbered, measured_s)
        return len(deframer._buffer)

    return read


def ti_console() -> Callable[[bytes], int]:
    """A radar's command line that answers a command, and the next one when that has ended."""
    console, now_s = Console(Counter()), 0.0
    console.ask(Command("channelCfg 15 7 0", 1), now_s)

    def read(data: bytes) -> int:
        nonlocal now_s
        now_s += 0.02
        console.next_bytes(now_s)
        console.receive(data, now_s)
        if console.reply is not None:
            console.ask(Command("lowPower 0 0", 2), now_s)
        return len(console._held)

    return read


def mjpeg() -> Callable[[bytes], int]:
    """A camera's answer: its head, its parts, what is no picture."""
    reader = MjpegReader()

    def read(data: bytes) -> int:
        for picture in reader.receive(data, 0.0):
            assert picture.jpeg.startswith(b"\xff\xd8")
        return len(reader._buffer)

    return read


def stateless(function: Callable[[bytes], Any]) -> Callable[[], Callable[[bytes], int]]:
    """A reader that keeps nothing."""

    def read(data: bytes) -> int:
        function(data)
        return 0

    return lambda: read


def district() -> Callable[[bytes], int]:
    """An envelope as the receiver takes it: unpacked, stored, acknowledged."""
    store = Store(folder() / "district.sqlite")

    def read(data: bytes) -> int:
        envelope = unpack_envelope(data)
        for key in store.commit([envelope], 0):
            pack_ack(store.ack(key))
        return 0

    return read


def receiver() -> Callable[[bytes], int]:
    """A message as the receiver takes it: stored, or a dead letter that is stored; never an error."""
    store = SqliteSink(folder() / "received.sqlite")

    def read(data: bytes) -> int:
        found = decode.read("rsu/1/district/site/up/hi", data)
        batch = Batch(dead=[found]) if isinstance(found, DeadLetter) else Batch(taken=[found])
        for key in store._commit(batch, 0)[0]:
            pack_ack(store.ack(key))
        return 0

    return read


def acknowledgement() -> Callable[[bytes], int]:
    """An acknowledgement as the outbox takes it."""
    lane = Lane(folder() / "lane.sqlite", 1 << 20)

    def read(data: bytes) -> int:
        ack = unpack_ack(data)
        lane.acknowledge(ack.contiguous, ack.ranges)
        lane.bury(ack.rejected)
        return 0

    return read


def process_link(data: bytes) -> None:
    """One message of a socket pair, then its end: a noun, or DeviceLost."""
    near, far = socket_pair()
    with near, far:
        if data:
            far.send(data[:60_000])
        far.close()
        try:
            Link(near).receive().send(None)  # never waits: the other end is closed
        except StopIteration:
            return


def chrony(data: bytes) -> None:
    """A datagram that should answer request 7."""
    read_reply(data, 7)


FRAMES = seeds.csae53()
TARGETS = (
    Target("gbt20999", gbt20999_session, (DeviceLost,), LARGEST_BYTES, seeds.gbt20999),
    Target("ti_mmwave", ti_mmwave, (), LARGEST_BUFFER, seeds.ti_mmwave),
    Target("ars40x", can_radars.reader("ars40x"), (), can_radars.MOST_ROWS, can_radars.inputs("ars40x")),
    Target(
        "nanoradar", can_radars.reader("nanoradar"), (), can_radars.MOST_ROWS, can_radars.inputs("nanoradar")
    ),
    Target("ti_console", ti_console, (), LARGEST_ANSWER, mutated(seeds.TI_ANSWERS)),
    Target("mjpeg", mjpeg, (Refused,), LARGEST_PICTURE + LARGEST_HEAD, mutated(seeds.MJPEG)),
    Target("csae53_codec", stateless(codec.decode), (Malformed,), 0, mutated(FRAMES)),
    Target("etsi_pdu", stateless(pdu.decode), (Malformed,), 0, mutated(seeds.etsi())),
    Target("j2735_frame", stateless(frame.decode), (Malformed,), 0, mutated(seeds.j2735())),
    Target("geonet", stateless(geonet.read), (geonet.NotGeo,), 0, mutated(seeds.geonet_frames())),
    Target("recognise", stateless(recognise), (Malformed,), 0, mutated([*FRAMES, *seeds.geonet_frames()])),
    Target("spat_reader", stateless(read_spat), (NotSpat,), 0, mutated(FRAMES)),
    Target("spatem_reader", stateless(read_spatem), (NotSpat,), 0, mutated(seeds.etsi_emitted())),
    Target("uplink_envelope", district, (BadEnvelope,), 0, seeds.envelope),
    Target("district_receiver", receiver, (), 0, seeds.envelope),
    Target("uplink_ack", acknowledgement, (BadEnvelope,), 0, seeds.acknowledgement),
    Target("command", commands.desk, (), commands.MOST_KEPT, commands.inputs),
    Target("command_answer", stateless(commands.answer), (BadCommand,), 0, commands.answers),
    Target("chrony_answer", stateless(chrony), (NotTracking,), 0, mutated([seeds.chrony_reply()])),
    Target("process_link", stateless(process_link), (DeviceLost,), 0, seeds.process_link),
    Target("gbt20999_plain", controllers.running(controllers.listener), (), 0, seeds.gbt20999),
    *(
        Target(name, fresh, () if name in controllers.NEVER_LOST else (DeviceLost,), most_bytes, make)
        for name, (fresh, most_bytes, make) in controllers.READERS.items()
    ),
    *(
        Target(name, fresh, (), most_bytes, make)
        for name, (fresh, most_bytes, make) in line_radars.READERS.items()
    ),
)
