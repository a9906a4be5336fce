"""SmartSensor HD: recorded bodies, two CRC-8, dates, invalid speeds, one question at a time, late answers."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ss125 import wire
from drivers.ss125.deframer import LARGEST_BYTES, Deframer, Frame
from drivers.ss125.driver import PLUGIN
from drivers.ss125.link import AT_ONCE, CLOCK_EVERY_S, Link
from drivers.ss125.settings import Settings
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

CAPTURES = Path(__file__).parents[2] / "drivers/ss125/captures/frames.txt"
VECTORS = {
    row.split()[0]: bytes.fromhex(row.split()[2])
    for row in CAPTURES.read_text().splitlines()
    if not row.startswith("#")
}
INVALID, VALID = VECTORS["event-invalid-speed"], VECTORS["event-67-mph"]
NO_EVENT = bytes((0x67, 0, 0)) + bytes(20)
MPH, FT = 0.44704, 0.3048


def crc8(data: bytes) -> int:
    """Polynomial 0x1C from 0, bit by bit."""
    value = 0
    for byte in data:
        for bit in range(7, -1, -1):
            top = value >> 7 ^ byte >> bit & 1
            value = (value << 1 ^ 0x1C * top) & 0xFF
    return value


def answer(body: bytes, sequence: int, sensor: int = 245, subnet: int = 0) -> bytes:
    """A frame of the sensor to us, laid out by hand (facts/radars 3.2)."""
    head = b"Z1" + bytes((0, 0, 0, subnet)) + sensor.to_bytes(2, "big") + bytes((sequence, len(body)))
    return head + bytes([crc8(head)]) + body + bytes([crc8(body)])


def packed(at: datetime) -> bytes:
    """Date and time as the sensor packs them."""
    day = at.year << 9 | at.month << 5 | at.day
    time = at.hour << 22 | at.minute << 16 | at.second << 10 | at.microsecond // 1000
    return day.to_bytes(4, "big") + time.to_bytes(4, "big")


def chosen(**more: object) -> Settings:
    return Settings.model_validate({"port": "tcp://192.0.2.1:10001", "sensor": 245, **more})


class Sensor:
    """Answers a link's questions: its clock, then the vehicles that wait."""

    def __init__(self, *events: bytes, shows: datetime | None = None) -> None:
        self.events, self.shows, self.asked = list(events), shows, []

    def hears(self, question: bytes) -> bytes:
        self.asked.append(question)
        message, sequence = question[11], question[8] + 1 & 0xFF
        if message == 0x0E:
            date = packed(self.shows) if self.shows else bytes(8)
            return answer(bytes((0x0E, 0, 0)) + date, sequence)
        if message == 0x6D:
            return answer(bytes((0x6D, 0, 2, 0, 0)), sequence)
        return answer(self.events.pop(0) if self.events else NO_EVENT, sequence)


def talk(
    sensor: Sensor, until_s: float, link: Link | None = None, **more: object
) -> tuple[list[RadarFrame], Link]:
    """The dialogue on a fake time; answers take 20 ms."""
    link = link or Link(chosen(**more), 0.0)
    frames, now_s = [], 0.0
    while now_s < until_s:
        if question := link.next_bytes(now_s):
            frames += link.receive(sensor.hears(question), now_s + 0.02)
        now_s = max(now_s + 0.025, min(link.wake_s(now_s + 0.02), until_s))
    return frames, link


def event(body: bytes, **more: object) -> bytes:
    return body[:-1]


def test_the_checks_of_recorded_bodies_hold_bit_by_bit_and_by_the_table() -> None:
    for body in (INVALID, VALID):
        assert crc8(body[:-1]) == body[-1] == wire.CRC.of(body[:-1])


def test_a_recorded_vehicle_is_read_in_metres_and_metres_a_second() -> None:
    told = wire.event(VALID, "imperial")
    assert (told.lane, told.vehicle_class, told.dwell_s) == (1, 2, 0.281)
    assert told.speed_mps == pytest.approx(67.75 * MPH)
    assert told.range_m == pytest.approx(92.0390625 * FT)
    assert told.length_m == pytest.approx(22.015625 * FT)
    assert told.stamp_s == datetime(2016, 12, 18, 22, 13, 2, 313_000, tzinfo=UTC).timestamp()


def test_a_speed_flagged_invalid_is_none_and_the_length_stays() -> None:
    told = wire.event(INVALID, "imperial")
    assert told.speed_mps is None
    assert told.length_m == pytest.approx(24.3125 * FT)
    assert told.range_m == pytest.approx(77.03125 * FT)
    assert told.stamp_s == datetime(2016, 12, 18, 22, 17, 32, 718_000, tzinfo=UTC).timestamp()


def test_a_sensor_set_to_metric_units_is_read_so() -> None:
    told = wire.event(VALID, "metric")
    assert told.speed_mps == pytest.approx(67.75 / 3.6)
    assert told.length_m == pytest.approx(22.015625)


@pytest.mark.parametrize(
    ("raw", "speed"),
    [("80375e", 55.3671875), ("ffed40", -19.25), ("800000", 0.0), ("005123", None), ("7fffff", None)],
)
def test_speeds_have_a_flag_a_sign_and_a_fraction_away_from_zero(raw: str, speed: float | None) -> None:
    assert wire._fixed24(bytes.fromhex(raw)) == speed  # the first two are the vendor's own examples


@pytest.mark.parametrize("raw", ["00000000" * 2, "000fc1ff" + "00000000", "000fc192" + "ffffffff"])
def test_a_date_that_is_none_is_none(raw: str) -> None:
    assert wire.date_s(bytes.fromhex(raw)) is None


def test_a_question_is_the_worked_one() -> None:
    assert wire.request(245, 0, 0, wire.EVENT) == VECTORS["request-event"]


def test_the_worked_answer_is_a_frame() -> None:
    (frame,) = Deframer().receive(VECTORS["answer-invalid-speed"], 0.0)
    assert isinstance(frame, Frame)
    assert (frame.head.sender, frame.head.sequence, frame.body) == (245, 1, INVALID[:-1])


def test_vehicles_are_told_as_passings_and_an_empty_answer_as_an_empty_frame() -> None:
    frames, link = talk(Sensor(event(VALID), event(INVALID)), 1.0)
    passings = [passing for frame in frames for passing in frame.passings]
    assert [p.zone for p in passings] == [1, 0]
    assert [p.speed_mps for p in passings] == [pytest.approx(67.75 * MPH), None]
    assert passings[1].length_m == pytest.approx(24.3125 * FT)
    assert frames[-1].passings == ()
    assert (link.counters["vehicles"], link.counters["invalid_speeds"]) == (2, 1)


def test_after_a_vehicle_the_next_is_asked_for_at_once_but_not_for_ever() -> None:
    bodies = [event(VALID)[:11] + bytes([n]) + event(VALID)[12:] for n in range(60)]
    frames, _ = talk(Sensor(*bodies), 2.0)
    zones = [p.zone for frame in frames for p in frame.passings]
    assert zones[:AT_ONCE] == list(range(AT_ONCE))
    assert 36 <= len(zones) < 60, "then at its own pace"


def test_the_same_vehicle_told_twice_is_one() -> None:
    frames, link = talk(Sensor(event(VALID), event(VALID)), 1.0)
    assert sum(len(frame.passings) for frame in frames) == 1
    assert link.counters["repeated"] == 1


def test_a_vehicle_that_waited_in_the_sensor_has_the_instant_of_its_stamp() -> None:
    shows = datetime(2016, 12, 18, 22, 17, 32, 718_000, tzinfo=UTC)  # 270.405 s after it passed
    link = Link(chosen(), 1000.0)
    sensor = Sensor(event(VALID), shows=shows)
    list(link.receive(sensor.hears(link.next_bytes(1000.0) or b""), 1000.1))
    question = link.next_bytes(1000.2) or b""
    (frame,) = link.receive(sensor.hears(question), 1000.3)
    assert frame.passings[0].at_s == pytest.approx(1000.05 - 270.405)
    assert frame.measured_s == 1000.3


@pytest.mark.parametrize(
    "shows", [None, datetime(2016, 12, 20, tzinfo=UTC), datetime(2016, 12, 18, tzinfo=UTC)]
)
def test_without_a_clock_or_with_a_wild_one_the_arrival_counts(shows: datetime | None) -> None:
    frames, link = talk(Sensor(event(VALID), shows=shows), 1.0)
    (passing,) = [p for frame in frames for p in frame.passings]
    assert 0.0 < passing.at_s < 1.0
    assert link.counters["stamps_refused"] + link.counters["bad_dates"] <= 1


def test_the_clock_is_asked_at_start_and_every_minute_and_nothing_is_ever_written() -> None:
    sensor = Sensor(shows=datetime(2026, 1, 1, tzinfo=UTC))
    talk(sensor, 2 * CLOCK_EVERY_S + 5.0)
    assert [question[11] for question in sensor.asked].count(0x0E) == 3
    assert {question[13] for question in sensor.asked} == {wire.READ}


def test_events_that_wait_are_cleared_once_where_the_site_asks() -> None:
    sensor = Sensor()
    _, link = talk(sensor, 3.0, clear_first=True)
    writes = [question for question in sensor.asked if question[13] == wire.WRITE]
    assert [question[11] for question in writes] == [wire.CLEAR]
    assert sensor.asked[0] is writes[0]
    assert link.counters["results"] == 1


def test_a_question_without_an_answer_costs_its_timeout_and_a_late_answer_is_not_the_next_ones() -> None:
    link = Link(chosen(), 0.0)
    sensor = Sensor(event(VALID))
    late = sensor.hears(link.next_bytes(0.0) or b"")
    assert link.next_bytes(0.1) is None
    again = link.next_bytes(0.6)
    assert again is not None
    assert list(link.receive(late, 0.65)) == []
    assert (link.counters["timeouts"], link.counters["unasked"]) == (1, 1)


@pytest.mark.parametrize(
    "wrong", [{"sensor": 9}, {"subnet": 3}, {"sequence": 7}, {"body": bytes((0x71, 0, 0))}]
)
def test_an_answer_of_another_sensor_or_to_another_question_is_not_ours(wrong: dict[str, object]) -> None:
    link = Link(chosen(), 0.0)
    link.next_bytes(0.0)
    reply = {"body": bytes((0x0E, 0, 0)) + bytes(8), "sequence": 1, **wrong}
    assert list(link.receive(answer(**reply), 0.1)) == []  # type: ignore[arg-type]
    assert link.counters["unasked"] == 1


@pytest.mark.parametrize("code", [b"\x00\x05", b"\xff\xff", b"\x00"])
def test_a_result_that_is_no_success_is_a_refusal(code: bytes) -> None:
    link = Link(chosen(), 0.0)
    link.next_bytes(0.0)
    list(link.receive(answer(bytes((0x0E, 0, 2)) + code, 1), 0.1))
    assert link.counters["refusals"] == 1


@pytest.mark.parametrize(("at", "why"), [(9, "head"), (20, "body"), (34, "body")])
def test_a_flipped_bit_costs_its_frame_only(at: int, why: str) -> None:
    good = answer(event(VALID), 5)
    broken = good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]
    deframer = Deframer()
    found = list(deframer.receive(broken + good, 0.0))
    assert [f.head.sequence for f in found if isinstance(f, Frame)] == [5]
    assert why in [f.why for f in found if not isinstance(f, Frame)]


STREAM = b"".join(answer(event(VALID)[:11] + bytes([n]) + b"Z1" * 6, n) for n in range(6))


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=40))
def test_any_frames_survive_any_split(cuts: set[int]) -> None:
    deframer, places = Deframer(), [0, *sorted(cuts), len(STREAM)]
    found = [f for a, b in pairwise(places) for f in deframer.receive(STREAM[a:b], 1.0)]
    assert [f.head.sequence for f in found if isinstance(f, Frame)] == list(range(6))
    assert len(found) == 6


@given(st.binary(max_size=200))
def test_noise_never_costs_the_next_good_frame(noise: bytes) -> None:
    deframer = Deframer()
    found = [f for n in range(3) for f in deframer.receive(noise + VECTORS["answer-invalid-speed"], 2.0 * n)]
    assert sum(isinstance(f, Frame) and f.body == INVALID[:-1] for f in found) >= 2


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"Z1", *VECTORS.values()])), max_size=30))
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    link = Link(chosen(), 0.0)
    for n, chunk in enumerate(chunks):
        link.next_bytes(n * 0.3)
        list(link.receive(chunk, n * 0.3))
    assert link.kept_bytes <= LARGEST_BYTES


def test_a_sensor_that_never_answers_is_silent() -> None:
    with pytest.raises(DeviceLost) as lost:
        Link(chosen(), 0.0).check(6.0)
    assert lost.value.reason == "silent"
    assert "subnet" in lost.value.hint


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["ss125"] is PLUGIN


@pytest.mark.anyio
async def test_over_a_line_it_asks_and_gives_what_it_hears() -> None:
    clock = FakeClock()
    far = plug("ss", clock, baud=9600)
    sensor = Sensor(event(VALID), shows=datetime(2016, 12, 18, 22, 13, 3, tzinfo=UTC))
    got: list[RadarFrame] = []

    async def reply() -> None:
        while True:
            await far.write(sensor.hears((await far.read()).data))

    async def listen() -> None:
        async with PLUGIN.open(chosen(port="memory:ss"), clock) as radar:
            async for frame in radar:
                got.append(frame)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(reply)
        tasks.start_soon(listen)
        await clock.advance(2.0)
        tasks.cancel_scope.cancel()
    unplug("ss")
    assert [p.zone for frame in got for p in frame.passings] == [1]
    assert len(got) >= 5, "empty answers are frames too"
