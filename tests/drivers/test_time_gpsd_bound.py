"""gpsd: the bound made of pulse and fix, and what a lost gpsd is called."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from gpsd_lines import DEVICES, FIX, GREETING, HOLLOW, NO_FIX, PPS, SKY, TOFF, fix, line, pulse, told

from drivers.gpsd.driver import PLUGIN, Gpsd
from drivers.gpsd.link import FRESH_S, MOST_DEVICES
from drivers.gpsd.settings import Settings
from drivers.gpsd.wire import WATCH
from rsu_agent.ports import memory_line
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.memory_line import MemoryEnd
from rsu_agent.ports.trouble import DeviceLost


def test_the_bound_is_the_pulses_offset_and_precision_and_its_age_is_told() -> None:
    link = told(fix() + pulse(-150_000), 103.0)
    quality = link.quality(104.0)
    assert (quality.source, quality.synchronised, quality.leap) == ("gpsd", True, "none")
    assert quality.offset_s == pytest.approx(-0.00015)
    assert quality.bound_s == pytest.approx(0.00015 + 2.0**-20)
    assert quality.read_s == 103.0, "whoever coasts adds the drift since then"


NOT_SYNCHRONISED = {
    "nothing": b"",
    "a pulse without a fix": pulse(100),
    "a pulse of a receiver that lost its fix, another one has": pulse(100) + fix(mode=1) + fix("/dev/ttyS1"),
    "a fix without a pulse or serial time": fix(),
    "a hollow fix": HOLLOW + pulse(100, "/dev/pts/2"),
    "simulated": fix(status=8) + pulse(100),
    "serial time without a fix": TOFF,
}


@pytest.mark.parametrize("data", NOT_SYNCHRONISED.values(), ids=NOT_SYNCHRONISED)
def test_without_fix_and_pulse_the_clock_is_not_synchronised(data: bytes) -> None:
    quality = told(data).quality(100.0)
    assert (quality.synchronised, quality.bound_s) == (False, None)


def test_without_a_pulse_the_serial_time_is_bounded_far_beyond_trust() -> None:
    quality = told(TOFF + FIX).quality(100.0)
    assert quality.synchronised
    assert quality.offset_s == pytest.approx(0.840375783)
    assert quality.bound_s == pytest.approx(0.840375783 + 1.0 + 0.005)


def test_a_device_of_pulses_only_counts_with_the_fix_of_the_receiver_beside_it() -> None:
    assert told(FIX + PPS).quality(100.0).bound_s == pytest.approx(1881e-9 + 2.0**-20)


def test_of_two_receivers_the_worse_counts_unless_the_site_names_one() -> None:
    both = fix("/dev/a") + fix("/dev/b") + pulse(100, "/dev/a") + pulse(-18_000_000_000, "/dev/b")
    assert told(both).quality(100.0).offset_s == pytest.approx(-18.0)
    assert told(both, devices=["/dev/a"]).quality(100.0).offset_s == pytest.approx(1e-7)


def test_reports_grow_old() -> None:
    link = told(fix() + pulse(100))
    assert link.quality(100.0 + FRESH_S).synchronised
    assert not link.quality(100.1 + FRESH_S).synchronised


def test_a_receiver_with_other_leap_seconds_than_the_site_is_not_believed() -> None:
    def synchronised(leap: int | None) -> bool:
        said: dict[str, Any] = {} if leap is None else {"leapseconds": leap}
        return told(fix(**said) + pulse(100), leap_seconds=18).quality(100.0).synchronised

    assert (synchronised(18), synchronised(None), synchronised(16)) == (True, True, False)


def test_devices_without_number_are_not_all_kept() -> None:
    link = told(b"".join(fix(f"/dev/{number}") + pulse(number, f"/dev/{number}") for number in range(100)))
    assert len(link._fixes) == len(link._pulses) == MOST_DEVICES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GREETING + DEVICES, "silent"),
        (GREETING + line(**{"class": "DEVICES", "devices": []}), "missing"),
        (b"220 smtp ready\r\n", "garbled"),
        (GREETING.replace(b'"proto_major":3', b'"proto_major":4'), "refused"),
    ],
)
def test_a_gpsd_of_no_use_is_lost_in_a_word_with_the_next_step(data: bytes, reason: str) -> None:
    lost = told(data).lost(105.0)
    assert lost is not None
    assert lost.reason == reason
    assert lost.hint


def test_a_gpsd_that_reports_is_not_lost() -> None:
    link = told(DEVICES + b"rubbish\n" + NO_FIX, 103.0)
    assert link.lost(107.9) is None
    lost = link.lost(108.0)
    assert lost is not None
    assert lost.reason == "silent"


@asynccontextmanager
async def in_memory(clock: FakeClock) -> AsyncIterator[tuple[Gpsd, MemoryEnd]]:
    far = memory_line.plug("gpsd", clock)
    async with open_line(LineSettings("memory:gpsd", baud=0), clock) as near:
        yield Gpsd(near, Settings(), clock), far


async def next_reading(source: Gpsd, clock: FakeClock, seconds: float) -> Any:
    """What the source gives while so much time passes: a reading, or why it is lost."""
    got: list[Any] = []

    async def read() -> None:
        try:
            got.append(await anext(source))
        except DeviceLost as lost:
            got.append(lost)

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await clock.advance(seconds)
    return got[0]


@pytest.mark.anyio
async def test_a_reading_comes_every_period_and_silence_ends_them() -> None:
    clock = FakeClock()
    async with in_memory(clock) as (source, far):
        await far.write(GREETING + DEVICES + SKY + FIX + PPS)
        first = await next_reading(source, clock, 1.0)
        assert (first.synchronised, first.read_s) == (True, 1000.0)
        assert source.satellites_used == 8
        assert (await next_reading(source, clock, 1.0)).synchronised
        for _ in range(2):
            await next_reading(source, clock, 1.0)
        lost = await next_reading(source, clock, 1.0)
    assert isinstance(lost, DeviceLost)
    assert lost.reason == "silent"
    assert source.counters == {"version": 1, "devices": 1, "sky": 1, "fix": 1, "pulse": 1}


@pytest.mark.anyio
async def test_a_connection_that_ends_is_closed_with_a_word_of_gpsd() -> None:
    clock = FakeClock()
    async with in_memory(clock) as (source, _):
        memory_line.unplug("gpsd")
        lost = await next_reading(source, clock, 1.0)
    assert lost.reason == "closed"
    assert "systemctl status gpsd" in lost.hint


@pytest.mark.anyio
async def test_all_that_is_ever_sent_is_the_wish_to_watch() -> None:
    assert len(WATCH) <= 81, "gpsd_json(5): at most 80 characters and the newline"
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = Settings(port=server.getsockname()[1], period_s=0.2)
        async with PLUGIN.open(settings, SystemClock()) as source:
            peer, _ = server.accept()
            peer.sendall(GREETING + DEVICES + FIX + PPS)
            assert (await anext(source)).synchronised
        with peer:
            assert peer.makefile("rb").read() == WATCH


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "not:an:address"])
async def test_no_gpsd_is_refused_with_a_hint(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(DeviceLost) as lost:
        async with PLUGIN.open(Settings(host=host, port=port), SystemClock()):
            pass
    assert lost.value.reason == "refused"
    assert lost.value.hint
