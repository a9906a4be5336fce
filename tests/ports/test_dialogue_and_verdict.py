"""A dialogue writes what its session says and hands on what it reads; silence is told from rubbish."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from rsu_agent.ports import dialogue
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.line_declared import LineDeclared
from rsu_agent.ports.line_faults import LineErrors
from rsu_agent.ports.received import Received
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import ENOUGH_BYTES, MOSTLY, OUTCOMES, Verdict
from rsu_agent.world.signal import Colour, Lamp, Programme, SignalReport

pytestmark = pytest.mark.anyio


class ScriptedLine:
    """Gives what was put in; keeps what is written."""

    def __init__(self, clock: FakeClock, *chunks: tuple[float, bytes]) -> None:
        self._clock, self._chunks = clock, list(chunks)
        self.written: list[tuple[float, bytes]] = []
        self.counts: LineErrors | None = None
        self.expected: list[float | None] = []

    def expect(self, rest_s: float | None) -> None:
        self.expected.append(rest_s)

    async def read(self) -> Received:
        if not self._chunks:
            await self._clock.sleep(1e6)
        at_s, data = self._chunks[0]
        await self._clock.sleep_until(at_s)
        self._chunks.pop(0)
        return Received(data, self._clock.now_s())

    async def write(self, data: bytes) -> None:
        self.written.append((self._clock.now_s(), data))

    def errors(self) -> LineErrors | None:
        return self.counts


class ScriptedSession:
    """Asks every second; every chunk is a report with so many lamps as it has bytes."""

    def __init__(self, lost_at_s: float = float("inf")) -> None:
        self.counters: dict[str, int] = {}
        self._due_s, self._lost_at_s = 0.0, lost_at_s

    def check(self, now_s: float) -> None:
        if now_s >= self._lost_at_s:
            raise DeviceLost("silent", "nothing", "check the wire")

    def next_bytes(self, now_s: float) -> bytes | None:
        if now_s < self._due_s:
            return None
        self._due_s = now_s + 1.0
        return b"?"

    def wake_s(self, now_s: float) -> float:
        return self._due_s

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        yield SignalReport(now_s, now_s, tuple(Lamp(n, Colour.RED) for n in range(len(data))))
        if data == b"two":
            yield Programme("x", (1,))


async def heard(
    line: ScriptedLine, session: ScriptedSession, clock: FakeClock, until_s: float
) -> list[object]:
    """What iterating gives until then; a DeviceLost is the last item."""
    source, got = Dialogue(line, session, clock), []

    async def listen() -> None:
        try:
            async for item in source:
                got.append(item)
        except DeviceLost as lost:
            got.append(lost)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(until_s - clock.now_s())
        tasks.cancel_scope.cancel()
    return got


async def test_it_asks_when_the_session_says_so_and_hands_on_every_item_in_order() -> None:
    clock = FakeClock(start_s=0.0)
    line = ScriptedLine(clock, (0.5, b"one"), (1.2, b"two"))
    got = await heard(line, ScriptedSession(), clock, 3.5)
    assert [type(item) for item in got] == [SignalReport, SignalReport, Programme]
    assert [at for at, _ in line.written] == pytest.approx([0.0, 1.0, 2.0, 3.0], abs=0.01)


async def test_a_tap_sees_both_directions() -> None:
    clock = FakeClock(start_s=0.0)
    line, seen = ScriptedLine(clock, (0.5, b"one")), []
    source = Dialogue(line, ScriptedSession(), clock)
    source.tap = lambda way, data, at_s: seen.append((way, data, at_s))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(source.__anext__)
        await clock.advance(0.6)
        tasks.cancel_scope.cancel()
    assert seen == [("out", b"?", 0.0), ("in", b"one", 0.5)]


async def test_a_lost_device_ends_it_and_the_uart_knows_better_what_to_do() -> None:
    clock = FakeClock(start_s=0.0)
    line = ScriptedLine(clock)
    (lost,) = await heard(line, ScriptedSession(lost_at_s=2.0), clock, 5.0)
    assert isinstance(lost, DeviceLost)
    assert lost.hint == "check the wire"
    clock, line = FakeClock(start_s=0.0), ScriptedLine(clock)
    line.counts = LineErrors(frame=50, parity=0, overrun=0, breaks=0)
    (lost,) = await heard(line, ScriptedSession(lost_at_s=2.0), line._clock, 5.0)
    assert isinstance(lost, DeviceLost)
    assert lost.hint == "frame errors: wrong baud rate"


async def test_a_session_that_is_always_due_does_not_stop_the_clock() -> None:
    class Hasty(ScriptedSession):
        def wake_s(self, now_s: float) -> float:
            return now_s - 5.0

    clock = FakeClock(start_s=0.0)
    assert dialogue.SHORTEST_WAIT_S > 0
    assert len(await heard(ScriptedLine(clock, (0.02, b"x")), Hasty(), clock, 0.05)) == 1


# Verdict


def verdict() -> Verdict:
    return Verdict(2.0, 0.0, "is it plugged in", "is the baud rate right")


def reason(own: Verdict, now_s: float) -> tuple[str, str] | None:
    try:
        own.check(now_s)
    except DeviceLost as lost:
        return lost.reason, lost.hint
    return None


def test_silence_is_silent_after_its_time_and_not_before() -> None:
    own = verdict()
    assert own.silent_at_s == 2.0
    assert reason(own, 2.0) is None
    assert reason(own, 2.1) == ("silent", "is it plugged in")
    own.good(2.1)
    assert reason(own, 4.0) is None


def test_bytes_without_a_frame_are_garbled_but_the_click_of_a_plug_is_not() -> None:
    own = verdict()
    own.bad(ENOUGH_BYTES - 1)
    assert reason(own, 2.1) == ("silent", "is it plugged in")
    own.bad(1)
    assert reason(own, 2.1) == ("garbled", "is the baud rate right")
    own.good(2.2)
    assert reason(own, 4.3) == ("silent", "is it plugged in")


def test_mostly_unreadable_frames_are_garbled_though_some_get_through() -> None:
    own = verdict()
    for n in range(OUTCOMES):
        own.good(0.1 * n) if n % 8 == 0 else own.bad(40)
        if reason(own, 0.1 * n) is not None:
            break
    assert reason(own, 0.1 * n) == ("garbled", "is the baud rate right")
    assert n >= MOSTLY


# Settings and sweep


@pytest.mark.parametrize(
    ("port", "network", "bounds", "byte_s"),
    [
        ("/dev/ttyS0", False, False, 10 / 9600),
        ("tcp://192.0.2.1:5", True, False, 0.0),
        ("udp://192.0.2.1:5", True, True, 0.0),
        ("udp-in://0.0.0.0:5", True, True, 0.0),
    ],
)
def test_a_port_tells_what_kind_of_line_it_is(port: str, network: bool, bounds: bool, byte_s: float) -> None:
    line = LineDeclared(port=port, baud=9600).line("listener")
    assert (line.on_network, line.keeps_bounds) == (network, bounds)
    assert line.byte_s == pytest.approx(byte_s)
    assert line.role == "listener"


def test_a_sweep_without_known_groups_never_ends() -> None:
    report = SignalReport(0.0, 0.0, (Lamp(1, Colour.RED),))
    assert list(Sweep().take(report, ())) == [report]


async def test_the_line_is_told_how_long_the_rest_of_a_frame_takes_where_the_session_knows() -> None:
    clock = FakeClock()
    for rest_s in (None, 0.004):
        line, session = ScriptedLine(clock, (clock.now_s() + 1.0, b"abc")), ScriptedSession()
        if rest_s is not None:
            session.rest_s = rest_s  # type: ignore[attr-defined]
        dialogue = Dialogue(line, session, clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dialogue.__anext__)
            await clock.advance(2.0)
            tasks.cancel_scope.cancel()
        assert line.expected == [rest_s]
