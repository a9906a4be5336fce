"""Live data: only what went on air, in time or not at all, never kept, never late by a backlog."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import msgpack
import pytest

from hil.devices.vehicle_codec import decode
from rsu_agent.messages.csae53.frames import CsaeRoad
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.etsi.frames import EtsiRoad
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.live_rates import Rates
from rsu_agent.outlets.live_road import objects_body
from rsu_agent.outlets.live_signals import HOLDS_US, LEAST_US, spat_body
from rsu_agent.outlets.message_sets import MESSAGE_SETS, speech_of
from rsu_agent.outlets.spat_reader import PhaseRead, SpatRead
from rsu_agent.outlets.summary_kinds import faults
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.live import RATES_HOLD_S, LiveTap
from rsu_agent.runtime.live_sender import SPAT_SHARE, LiveSender
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import RoadUser, UserClass
from tests.runtime.spoken import BEGINNING, IN_AMERICA, IN_EUROPE, Life

pytestmark = pytest.mark.anyio
ORIGIN = GeoPoint(22.7, 114.3)
UTC_S = 1_790_000_000.25
Sent = list[tuple[float, str, dict[str, Any]]]


def tap_of(life: Life, beginning: dict[str, Any], own: Rates) -> tuple[LiveTap, Sent]:
    """A tap on the air of a life, and (monotonic s, stream, body) of what it gives."""
    said, given = speech_of(beginning), Sent()
    rules = MESSAGE_SETS[said.standard].rules(said)
    kind = life.speaking.speaker.frames.kind

    def send(topic: str, body: dict[str, Any]) -> bool:
        given.append((life.clock.now_s(), topic.removeprefix("live "), body))
        return True

    tap = LiveTap(said.standard, kind, rules, own, life.clock, life.trust, send)
    life.air.ears.append(tap)
    return tap, given


async def troubled(tmp_path: Path, beginning: dict[str, Any], own: Rates) -> tuple[Life, Sent]:
    """A life in which the radio refuses, the line is lost and the clock is trusted from the tenth second."""
    life = Life(tmp_path, FakeClock(), beginning)
    _, given = tap_of(life, beginning, own)
    async with anyio.create_task_group() as tasks:
        for task in (life.controller, life.radio, life.speaking.run):
            tasks.start_soon(task)
        await life.clock.advance(10.0)
        life.synchronise()
        await life.clock.advance(20.0)
        life.ears.deaf = True
        await life.clock.advance(3.0)
        life.speaking.doubt("line_lost")
        life.silent = True
        await life.clock.advance(12.0)
        life.silent = False
        await life.clock.advance(20.0)
        tasks.cancel_scope.cancel()
    life.recorder.close()
    return life, given


@pytest.mark.parametrize("beginning", [BEGINNING, IN_EUROPE, IN_AMERICA], ids=lambda each: each["standard"])
async def test_live_spat_is_what_went_on_air_and_nothing_that_was_held(
    tmp_path: Path, beginning: dict[str, Any]
) -> None:
    life, given = await troubled(tmp_path, beginning, Rates(1.0, 0.0, 0.0, frames=True))
    heard = [frame.hex() for _, frame in life.ears.heard]
    assert len(given) > 20
    assert {body["f"][0] for _, _, body in given} <= set(heard)
    assert [fault for _, _, body in given for fault in faults(body)] == []
    assert [body["q"] for _, _, body in given] == list(range(1, len(given) + 1))
    assert min(at_s for at_s, _, _ in given) >= 1010.0, "no instant is told before the clock is trusted"


async def test_live_spat_comes_on_change_and_once_a_second_and_a_vehicle_reads_the_same_lights(
    tmp_path: Path,
) -> None:
    _, given = await troubled(tmp_path, BEGINNING, Rates(1.0, 0.0, 0.0, frames=True))
    calm = [(at_s, body) for at_s, _, body in given if 1012.0 <= at_s < 1030.0]
    assert max(b[0] - a[0] for a, b in pairwise(calm)) <= 1.1
    assert len(calm) < 60, "not every frame"
    lights: list[Any] = []
    for _, body in calm:
        _, value = decode(bytes.fromhex(body["f"][0]))
        phases = value["intersections"][0]["phases"]
        told = {"protected-green": "green", "permissive-green": "green", "flashing-green": "green_flash"}
        names = [phase["phaseStates"][0]["light"] for phase in phases]
        assert [told.get(name, name) for name in names] == [phase["c"] for phase in body["ph"]]
        lights.append(names)
    changes = sum(a != b for a, b in pairwise(lights))
    assert changes >= 4


async def test_when_spat_falls_silent_the_last_live_word_ends_by_itself(tmp_path: Path) -> None:
    life, given = await troubled(tmp_path, BEGINNING, Rates(1.0, 0.0, 0.0))
    offset_us = round((life.clock.utc_s() - life.clock.now_s()) * 1e6)
    for at_s, _, body in given:
        now_us = round(at_s * 1e6) + offset_us
        assert now_us < body["u"] <= now_us + HOLDS_US


def spat(*phases: PhaseRead) -> dict[str, Any]:
    rules = MESSAGE_SETS["csae53-2020"].rules(speech_of(BEGINNING))
    return spat_body(SpatRead(1, 2, 0, 12, 0, phases), rules, 1_000_000_000)


@pytest.mark.parametrize(
    ("phase", "holds_us"),
    [
        (PhaseRead(1, 6), HOLDS_US),
        (PhaseRead(1, 6, likely=120), HOLDS_US),
        (PhaseRead(1, 6, likely=9), 900_000),
        (PhaseRead(1, 6, likely=40, least=7), 700_000),
        (PhaseRead(1, 6, likely=1), LEAST_US),
        (PhaseRead(1, 6, likely=-5), HOLDS_US),
    ],
)
def test_live_spat_holds_no_longer_than_the_nearest_end_that_is_foretold(
    phase: PhaseRead, holds_us: int
) -> None:
    body = spat(phase)
    assert body["u"] - body["t"] == holds_us


class Air:
    """Rounds of road frames into a tap, on the fake clock."""

    def __init__(self, own: Rates, standard: str = "csae53-2020") -> None:
        self.clock = FakeClock(100.0, UTC_S)
        self.trusted = True
        trust = SimpleNamespace(
            instant=lambda now_s, utc_s: Instant(now_s, utc_s if self.trusted else None),
        )
        self.given: Sent = []
        rules = cast("Any", None)
        self.tap = LiveTap(standard, "SPAT", rules, own, self.clock, cast("Any", trust), self._send)

    def _send(self, topic: str, body: dict[str, Any]) -> bool:
        self.given.append((self.clock.now_s(), topic.removeprefix("live "), body))
        return True

    def round(self, frames: list[tuple[str, bytes]]) -> None:
        for kind, frame in frames:
            self.tap.sent(kind, frame, self.clock.now_s())
        self.tap.round_over()

    @property
    def instant(self) -> Instant:
        return Instant(self.clock.now_s(), self.clock.utc_s())


def road() -> CsaeRoad:
    return CsaeRoad(ORIGIN, b"12345678", {"camera": "camera"}, {"wrong_way": 904}, Counts())


def users(count: int) -> list[RoadUser]:
    body = (4.5, 1.8, 1.5, 0.3)
    return [
        RoadUser(n, UserClass.BUS, 3.0 + n, 20.0, 0.0, -8.0, 8.0, 180.0, *body, ("camera",), 0.0)
        for n in range(count)
    ]


HAZARD = Hazard(3, HazardKind.WRONG_WAY, 1.0, None, 3.0, 20.0, 1, 4, 180.0, "x")


@pytest.mark.parametrize(("hz", "count"), [(0.0, 0), (1.0, 3), (5.0, 15), (10.0, 30)])
async def test_road_users_come_at_the_rate_of_the_site_with_all_parts_of_a_cycle(
    hz: float, count: int
) -> None:
    air, makers = Air(Rates(1.0, hz, hz)), road()
    for _ in range(30):
        air.round(makers.users(users(40), air.instant))
        await air.clock.advance(0.1)
    assert len(air.given) == count
    for at_s, stream, body in air.given:
        assert (stream, len(body["ob"])) == ("objs", 40)
        assert faults(body) == []
        assert abs(body["t"] - (UTC_S + at_s - 100.0) * 1e6) < 2000
        first = body["ob"][0]
        assert (first["c"], first["v"], first["hd"], first["ln"]) == ("bus", 8.0, 180.0, 4.5)
        assert (round(first["lat"], 6), first["src"]) == (22.700181, "video")


async def test_nothing_is_said_of_road_users_of_whom_nothing_went_on_air() -> None:
    air = Air(Rates(1.0, 10.0, 10.0))
    air.round([])
    air.trusted = False
    air.round(road().users(users(2), air.instant))
    assert air.given == []


async def test_an_event_is_said_at_once_when_it_begins_and_then_at_its_rate() -> None:
    air, makers = Air(Rates(1.0, 0.5, 0.5)), road()
    for n in range(60):
        air.round(makers.users(users(1), air.instant))
        air.round(makers.hazards([HAZARD] if n >= 13 else [], air.instant))
        await air.clock.advance(0.1)
    events = [(round(at_s - 100.0, 1), body) for at_s, stream, body in air.given if stream == "event"]
    assert [at_s for at_s, _ in events] == [1.3, 3.3, 5.3]
    assert faults(events[0][1]) == []
    (event,) = events[0][1]["ev"]
    assert (event["i"], event["y"], event["r"], event["s"]) == (3, 904, 5.0, "on")


async def test_a_denm_that_cancels_is_said_at_once() -> None:
    air, makers = Air(Rates(1.0, 0.1, 0.1), "etsi"), EtsiRoad(ORIGIN, 7)
    for n in range(20):
        air.round(makers.hazards([HAZARD] if n < 10 else [], air.instant))
        await air.clock.advance(0.1)
    told = [(round(at_s - 100.0, 1), body["ev"][0]["s"]) for at_s, _, body in air.given]
    assert told == [(0.0, "on"), (1.0, "off")]


async def test_what_is_leased_holds_while_the_uplink_process_says_so() -> None:
    air, makers = Air(Rates(1.0, 1.0, 1.0)), road()
    air.tap.rates_told(Rates(1.0, 10.0, 1.0, frames=True).plain())
    for _ in range(60):
        air.round(makers.users(users(1), air.instant))
        await air.clock.advance(0.1)
    leased = [at_s for at_s, _, body in air.given if "f" in body]
    assert len(leased) == pytest.approx(RATES_HOLD_S * 10, abs=1)
    assert len(air.given) - len(leased) == pytest.approx(3, abs=1)


@pytest.mark.parametrize("value", [{}, {"spat": 1, "objs": 99, "event": 1, "frames": False}, {"spat": "x"}])
async def test_rates_that_cannot_be_change_nothing(value: dict[str, Any]) -> None:
    air = Air(Rates(1.0, 1.0, 1.0))
    air.tap.rates_told(value)
    air.round(road().users(users(1), air.instant))
    assert len(air.given) == 1


async def test_frames_that_cannot_be_read_cost_a_count_and_not_the_core() -> None:
    air = Air(Rates(1.0, 10.0, 10.0))
    air.round([("RSM", b"\xff" * 40)])
    air.round([("RSI", b"")])
    assert air.given == []


def test_the_instant_of_a_state_is_found_on_both_sides_of_a_full_minute() -> None:
    def at(mark: int, utc_us: int) -> int:
        rsu = {"ptcType": "rsu", "secMark": mark}
        body = objects_body([{"refPos": {}, "participants": [rsu]}], utc_us, 1)
        assert body is not None
        return int(body["t"])

    minute_us = 1_789_999_980_000_000
    assert at(59_900, minute_us + 20_000) == minute_us - 100_000
    assert at(100, minute_us + 150_000) == minute_us + 100_000


class Line:
    """A connection: slow while `held`, broken when told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any], int]] = []
        self.free = anyio.Event()
        self.free.set()
        self.broken = False

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        await self.free.wait()
        if self.broken:
            raise DeviceLost("closed")
        assert not retain
        self.sent.append((topic, msgpack.unpackb(payload), qos))


def body(n: int, until_s: float, size: int = 0) -> dict[str, Any]:
    return {"k": "objs", "n": n, "u": round(until_s * 1e6), "x": "x" * size}


async def sending(sender: LiveSender, line: Line, clock: FakeClock, doing: Any) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run, line)
        await doing()
        await clock.advance(0.001)
        tasks.cancel_scope.cancel()


async def test_the_newest_of_each_stream_goes_out_unacknowledged_and_spat_first() -> None:
    clock, line = FakeClock(10.0, UTC_S), Line()
    sender = LiveSender("rsu/1/d/s", 50_000.0, clock)
    for n in range(5):
        sender.take("objs", body(n, UTC_S + 9))
    sender.take("spat", body(7, UTC_S + 9))
    sender.take("video", body(8, UTC_S + 9))
    await sending(sender, line, clock, lambda: clock.advance(0.001))
    assert [(topic, told["n"], qos) for topic, told, qos in line.sent] == [
        ("rsu/1/d/s/live/spat", 7, 0),
        ("rsu/1/d/s/live/objs", 4, 0),
    ]


async def test_what_does_not_hold_any_more_when_the_line_is_free_is_not_sent() -> None:
    clock, line = FakeClock(10.0, UTC_S), Line()
    sender = LiveSender("rsu/1/d/s", 50_000.0, clock)
    line.free = anyio.Event()

    async def slow() -> None:
        sender.take("objs", body(1, UTC_S + 1.5))
        await clock.advance(0.1)
        sender.take("objs", body(2, UTC_S + 1.6))
        await clock.advance(2.0)
        line.free.set()
        await clock.advance(0.1)
        sender.take("objs", body(3, UTC_S + 5.0))

    await sending(sender, line, clock, slow)
    assert [told["n"] for _, told, _ in line.sent] == [1, 3]


async def test_after_a_lost_connection_only_the_present_is_told() -> None:
    clock, line = FakeClock(10.0, UTC_S), Line()
    sender = LiveSender("rsu/1/d/s", 50_000.0, clock)
    sender.take("objs", body(1, UTC_S + 1.5))
    await clock.advance(60.0)
    sender.take("spat", body(2, UTC_S + 61.5))
    await sending(sender, line, clock, lambda: clock.advance(0.001))
    assert [told["n"] for _, told, _ in line.sent] == [2]


async def test_the_bandwidth_is_kept_and_spat_has_its_share_of_it() -> None:
    clock, line = FakeClock(10.0, UTC_S), Line()
    sender = LiveSender("rsu/1/d/s", 10_000.0, clock)

    async def much() -> None:
        for n in range(100):
            sender.take("objs", body(n, UTC_S + 99, size=2_000))
            sender.take("spat", body(n, UTC_S + 99, size=300))
            await clock.advance(0.1)

    await sending(sender, line, clock, much)
    sizes = [(topic, len(msgpack.packb(told))) for topic, told, _ in line.sent]
    assert sum(size for _, size in sizes) <= 10 * 10_000 + 10_000 + SPAT_SHARE
    assert sum(topic.endswith("spat") for topic, _ in sizes) == 100
    assert sum(topic.endswith("objs") for topic, _ in sizes) >= 25


async def test_a_message_beyond_all_measure_is_not_sent() -> None:
    clock, line = FakeClock(10.0, UTC_S), Line()
    sender = LiveSender("rsu/1/d/s", 1e9, clock)
    sender.take("objs", body(1, UTC_S + 9, size=70_000))
    await sending(sender, line, clock, lambda: clock.advance(0.001))
    assert line.sent == []
