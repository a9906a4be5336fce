"""OPS243: plain and JSON lines, arrays and quotes, units, signs, resets, commands only when asked."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.ops243.driver import PLUGIN
from drivers.ops243.link import AGAIN_S, BETWEEN_S, Link
from drivers.ops243.settings import Settings
from drivers.ops243.sign_check import SignCheck
from drivers.ops243.wire import LONGEST_LINE, Data, Garbled, Said, read_line
from rsu_agent.ports.devices import RadarFrame, SpeedReading
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

CAPTURES = Path(__file__).parents[2] / "drivers/ops243/captures/lines.txt"
LINES = [row.split(None, 1)[1].encode() for row in CAPTURES.read_text().splitlines()]
UTC_AHEAD_S = 1_700_000_000.0


def chosen(**more: object) -> Settings:
    return Settings.model_validate({"port": "memory:ops", "latency_ms": 0, **more})


def run(*lines: bytes, step_s: float = 0.1, **more: object) -> tuple[list[RadarFrame], Link]:
    link = Link(chosen(**more), 0.0, UTC_AHEAD_S)
    return [f for n, line in enumerate(lines) for f in link.receive(line + b"\r\n", 1.0 + n * step_s)], link


def only(*lines: bytes, **more: object) -> SpeedReading:
    """The one speed of these lines."""
    (frame,), _ = run(*lines, **more)
    (reading,) = frame.speeds
    return reading


def test_every_captured_line_is_read() -> None:
    read = [read_line(line) for line in LINES]
    assert not [each for each in read if isinstance(each, Garbled)]
    assert sum(isinstance(each, Said) for each in read) == 5


def test_a_plain_number_is_a_speed_towards_the_sensor() -> None:
    assert only(b"3.6") == SpeedReading(-3.6, False)
    assert only(b"-3.6") == SpeedReading(3.6, True)
    assert only(b"3.6", positive="outbound") == SpeedReading(3.6, True)


@pytest.mark.parametrize(
    ("line", "clock_s"), [(b"137.429,3.6", None), (b"137.429,55,3.6", 137.429), (b"310, 3.6", None)]
)
def test_the_speed_stands_last_whatever_else_is_on(line: bytes, clock_s: float | None) -> None:
    read = read_line(line)
    assert isinstance(read, Data)
    assert (read.speeds[0].value, read.clock_s) == (3.6, clock_s)


def test_the_word_for_the_direction_counts_before_the_sign() -> None:
    assert only(b'{"speed":0.58,"direction":"inbound","time":105,"tick":135}') == SpeedReading(-0.58, False)
    assert only(b'{"speed":0.58,"direction":"outbound"}') == SpeedReading(0.58, True)
    assert only(b'{"speed":-0.58,"direction":"inbound"}') == SpeedReading(-0.58, False)


def test_quoted_numbers_and_arrays_are_taken() -> None:
    (frame,), _ = run(b'{"unit":"mph","speed":["20.0","-12.5",3],"direction":["outbound","inbound"]}')
    assert [(round(r.speed_mps, 4), r.away) for r in frame.speeds] == [
        (8.9408, True),
        (-5.588, False),
        (-1.3411, False),
    ]


@pytest.mark.parametrize(
    ("units", "mps"), [("mps", 10.0), ("kmh", 2.7778), ("mph", 4.4704), ("fps", 3.048), ("cmps", 0.1)]
)
def test_every_unit_dies_at_the_wire(units: str, mps: float) -> None:
    assert abs(only(b"10", units=units).speed_mps) == pytest.approx(mps, abs=1e-4)


def test_the_unit_in_the_line_counts_first_then_the_echo_then_the_site_file() -> None:
    assert only(b'"mph",-10', units="kmh").speed_mps == pytest.approx(4.4704)
    assert only(b'{"Units":"cm-per-sec"}', b"-10", units="kmh").speed_mps == pytest.approx(0.1)
    assert only(b'{"Units":"cm-per-sec"}', b'{"speed":-10,"unit":"m/s"}').speed_mps == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"abc", "number"),
        (b"1,2,3,4", "number"),
        (b"nan", "number"),
        (b"1e999", "number"),
        (b"1_0", "number"),
        (b'"furlongs",3', "unit"),
        (b'{"speed":3,"unit":"furlongs"}', "unit"),
        (b'{"speed":true}', "number"),
        (b'{"speed":["x"]}', "number"),
        (b'{"speed":NaN}', "json"),
        (b'{"speed":', "json"),
        (b"[1,2]", "json"),
        (b"[" * 1000, "json"),
        (b'{"speed":' + b"9" * 900 + b"}", "number"),
    ],
)
def test_what_is_wrong_with_a_line_is_named(line: bytes, why: str) -> None:
    _, link = run(line)
    assert link.counters[f"garbled_{why}"] == 1


def test_a_line_that_never_ends_is_given_up_and_the_next_is_read() -> None:
    link = Link(chosen(), 0.0, 0.0)
    for _ in range(20):
        assert list(link.receive(b"7" * 400, 1.0)) == []
        assert link.kept_bytes <= LONGEST_LINE + 400
    (frame,) = link.receive(b"\r\n-2.0\r\n", 1.0)
    assert frame.speeds == (SpeedReading(2.0, True),)
    assert link.counters["garbled_long"] == 1


def test_a_zero_is_a_frame_in_which_nothing_moves_and_a_wild_speed_is_left_out() -> None:
    (idle, wild), link = run(b"0.0", b"900")
    assert (idle.speeds, wild.speeds) == ((), ())
    assert link.counters["too_fast"] == 1


def test_a_range_line_belongs_to_the_speed_beside_it_and_grows_old() -> None:
    frames, _ = run(b'{"unit":"ft","range":"100"}', b"-5", b"-5", b"-5", b"-5")
    ranges = [frame.speeds[0].range_m for frame in frames]
    assert ranges[:2] == [pytest.approx(30.48)] * 2
    assert ranges[2:] == [None, None]


def approach(sign: float, count: int) -> list[bytes]:
    """A vehicle that comes nearer at 10 m/s; the sensor gives its speed with this sign."""
    lines = []
    for n in range(count):
        lines.append(b'{"unit":"m","range":"%.1f"}' % (150 - 3.0 * n))
        lines.append(b"%.1f" % (sign * 10))
    return lines


def test_a_sign_against_the_range_is_found_and_then_no_direction_is_told() -> None:
    frames, link = run(*approach(-1.0, 30), step_s=0.15)
    assert frames[0].speeds[0].away is True, "as the sign says, which is wrong"
    assert link.sign_mismatch
    assert (frames[-1].speeds[0].speed_mps, frames[-1].speeds[0].away) == (10.0, None)
    assert link.counters["sign_mismatch"] > 0


def test_a_sign_with_the_range_is_believed() -> None:
    frames, link = run(*approach(1.0, 30), step_s=0.15)
    assert not link.sign_mismatch
    assert frames[-1].speeds[0] == SpeedReading(-10.0, False, pytest.approx(63.0))


def test_a_mismatch_ends_when_the_range_agrees_again_and_slow_or_jumping_ranges_tell_nothing() -> None:
    check = SignCheck()
    for n in range(12):
        check.see(-5.0, 10.0 + 1.5 * n, 0.3 * n)
    assert check.mismatch
    for n in range(12, 30):
        check.see(5.0, 10.0 + 1.5 * n, 0.3 * n)
    assert not check.mismatch
    still = SignCheck()
    for n in range(100):
        still.see(-5.0, 100.0 if n % 2 else 10.0, 0.3 * n)
        still.see(-0.5, 10.0 + n, 0.3 * n)
    assert still._verdicts == []


def sent(link: Link, until_s: float, start_s: float = 0.0) -> list[bytes]:
    """What goes out in this time."""
    out, now_s = [], start_s
    while now_s < until_s:
        if data := link.next_bytes(now_s):
            out.append(data)
        now_s += BETWEEN_S / 2
    return out


def test_nothing_is_sent_unless_the_site_asks() -> None:
    assert sent(Link(chosen(), 0.0, 0.0), 5.0) == []
    assert not chosen().writes


def test_units_json_and_zeros_are_set_one_command_at_a_time_and_the_clock_last() -> None:
    link = Link(chosen(configure=True, units="kmh", set_clock=True), 0.0, UTC_AHEAD_S)
    *commands, clock = sent(link, 2.0)
    assert commands == [b"UK", b"OJ", b"OS", b"OU", b"BZ"]
    assert clock in (b"C=1700000000\r\n", b"C=1700000001\r\n")


@pytest.mark.parametrize(
    ("units", "command"), [("mps", b"UM"), ("kmh", b"UK"), ("mph", b"US"), ("fps", b"UF"), ("cmps", b"UC")]
)
def test_each_unit_has_its_command(units: str, command: bytes) -> None:
    assert sent(Link(chosen(configure=True, units=units), 0.0, 0.0), 1.0)[0] == command


@pytest.mark.parametrize("sign", [b'{"Product":"OPS243"}', b"3.2,40,1.0"])
def test_after_a_reset_everything_is_set_again_once(sign: bytes) -> None:
    link = Link(chosen(configure=True, set_clock=True), 0.0, UTC_AHEAD_S)
    first = sent(link, 2.0)
    later_s = AGAIN_S + 5.0
    list(link.receive(b"%.3f,40,1.0\r\n" % (UTC_AHEAD_S + later_s), later_s))
    assert sent(link, later_s + 1, later_s) == []
    list(link.receive((sign + b"\r\n") * 3, later_s + 1))
    again = sent(link, later_s + 3, later_s + 1)
    assert again[:-1] == first[:-1]
    assert int(again[-1][2:]) == pytest.approx(UTC_AHEAD_S + later_s + 1, abs=2)
    assert link.counters["resets"] == 1


def test_a_clock_that_falls_back_is_a_reset_even_where_it_was_never_set() -> None:
    _, link = run(b"500.0,40,1.0", b"2.0,40,1.0", step_s=AGAIN_S + 1)
    assert link.counters["resets"] == 1


STREAM = b"".join(b"%d.5\r\n" % n for n in range(1, 9)) + LINES[2] + b"\n"


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=30))
def test_any_lines_survive_any_split(cuts: set[int]) -> None:
    link = Link(chosen(), 0.0, 0.0)
    places = [0, *sorted(cuts), len(STREAM)]
    frames = [frame for a, b in pairwise(places) for frame in link.receive(STREAM[a:b], 1.0)]
    assert [-frame.speeds[0].speed_mps for frame in frames] == [n + 0.5 for n in range(1, 9)] + [0.58]


@given(st.binary(max_size=200))
def test_noise_costs_at_most_its_own_line(noise: bytes) -> None:
    frames, _ = run(noise, b"-7.25")
    assert frames[-1].speeds == (SpeedReading(7.25, True, frames[-1].speeds[0].range_m),)


@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([*LINES, b"\r\n"])), max_size=30))
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    link = Link(chosen(configure=True, set_clock=True), 0.0, 0.0)
    for n, chunk in enumerate(chunks):
        list(link.receive(chunk, float(n)))
        link.next_bytes(float(n))
    assert link.kept_bytes <= LONGEST_LINE


def test_silence_is_a_loss_only_where_the_site_says_so() -> None:
    Link(chosen(), 0.0, 0.0).check(1e5)
    with pytest.raises(DeviceLost, match="silent"):
        Link(chosen(silence_s=5.0), 0.0, 0.0).check(6.0)


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["ops243"] is PLUGIN


@pytest.mark.anyio
async def test_over_a_line_it_is_configured_then_heard() -> None:
    clock = FakeClock()
    far = plug("ops", clock)
    got: list[RadarFrame] = []

    async def listen() -> None:
        async with PLUGIN.open(chosen(configure=True, units="kmh"), clock) as radar:
            async for frame in radar:
                got.append(frame)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(2.0)
        assert (await far.read()).data == b"UKOJOSOUBZ"
        await far.write(b'{"speed":"36","direction":"outbound","unit":"km/h"}\r\n')
        await clock.advance(0.1)
        tasks.cancel_scope.cancel()
    unplug("ops")
    assert got[0].speeds == (SpeedReading(pytest.approx(10.0), True),)
