"""Time sources: chronyd's command protocol against the real chronyd, and the source that knows nothing."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.chrony import driver as chrony_driver
from drivers.chrony.driver import PLUGIN, Settings
from drivers.chrony.wire import NotTracking, Tracking, chrony_float, read_reply, request
from drivers.no_time.driver import PLUGIN as NO_TIME
from drivers.no_time.driver import Settings as NoSettings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost

CLOCK = SystemClock()
CHRONYD = shutil.which("chronyd", path=os.environ.get("PATH", "") + ":/usr/sbin")


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def chronyd(tmp_path: Path) -> Iterator[int]:
    """A chronyd of its own: no NTP port, no touching of the clock (-x)."""
    if CHRONYD is None:
        pytest.skip("chronyd is not installed (Debian package chrony)")
    port = free_port()
    (tmp_path / "chrony.conf").write_text(
        f"local stratum 1\ncmdport {port}\nport 0\nbindcmdaddress 127.0.0.1\n"
        f"bindcmdaddress /\npidfile {tmp_path}/pid\ndriftfile {tmp_path}/drift\n"
    )
    user = "root" if os.geteuid() == 0 else str(os.geteuid())
    command = [CHRONYD, "-d", "-x", "-u", user, "-f", str(tmp_path / "chrony.conf")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield port
    process.terminate()
    process.wait(10)


@pytest.mark.anyio
async def test_the_real_chronyd_answers_our_request(chronyd: int) -> None:
    reading = None
    with anyio.fail_after(20):
        while reading is None:
            try:
                async with PLUGIN.open(Settings(port=chronyd, period_s=0.2), CLOCK) as source:
                    reading = await anext(source)
            except DeviceLost:
                await anyio.sleep(0.1)  # it is starting
    assert reading.source == "chrony"
    assert reading.leap == "none"
    assert not reading.synchronised, "it serves its own clock, which nothing disciplines"
    assert reading.bound_s is None
    assert reading.read_s <= CLOCK.now_s()


@pytest.mark.anyio
async def test_no_chronyd_is_refused_with_a_hint() -> None:
    async with PLUGIN.open(Settings(port=free_port()), CLOCK) as source:
        with pytest.raises(DeviceLost) as lost:
            await anext(source)
    assert lost.value.reason == "refused"
    assert "systemctl" in lost.value.hint


@pytest.mark.anyio
async def test_a_chronyd_that_does_not_answer_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrony_driver, "REPLY_S", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        async with PLUGIN.open(Settings(port=deaf.getsockname()[1]), CLOCK) as source:
            with pytest.raises(DeviceLost) as lost:
                await anext(source)
    assert lost.value.reason == "silent"


def reply(sequence: int, leap: int = 0, floats: tuple[int, ...] = (0,) * 9, status: int = 0) -> bytes:
    """A tracking reply of protocol 6, 104 bytes: head, reference, stratum, leap, time, floats."""
    head = struct.pack(">BBBBHHHHHHIII", 6, 2, 0, 0, 33, 5, status, 0, 0, 0, sequence, 0, 0)
    return (
        head
        + struct.pack(">I20sHH12s", 0x0A000001, bytes(20), 1, leap, bytes(12))
        + struct.pack(">9I", *floats)
    )


@pytest.mark.anyio
async def test_an_answer_to_another_request_is_passed_over() -> None:
    """Rubbish, a late answer and then the right one come back; the bound is made of its parts."""
    one_millisecond = 0xEE000000 | 0x106250  # about 2**-9 * 0.512
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            data, client = server.recvfrom(2048)
            asked = struct.unpack_from(">I", data, 8)[0]
            floats = (one_millisecond, 0, 0, 0, 0, 0, one_millisecond, one_millisecond, 0)
            for answer in (b"rubbish", reply(asked - 1 & 0xFFFFFFFF), reply(asked, leap=1, floats=floats)):
                server.sendto(answer, client)

        thread = threading.Thread(target=serve)
        thread.start()
        async with PLUGIN.open(Settings(port=server.getsockname()[1]), CLOCK) as source:
            reading = await anext(source)
        thread.join()
    part_s = chrony_float(one_millisecond)
    assert reading.bound_s == pytest.approx(2.5 * part_s)
    assert (reading.synchronised, reading.leap) == (True, "insert")


def test_the_request_is_as_long_as_its_reply_so_that_it_cannot_amplify() -> None:
    assert len(request(7)) == len(reply(7)) == 104
    assert request(7)[:12].hex() == "060100000021000000000007"


@pytest.mark.parametrize(
    ("raw", "value"),
    [(0, 0.0), (0x02800000, 0.5), (0x03800000, -0.5), (0x04400000, 0.25 * 2), (0x06800000, 2.0)],
)
def test_chronys_float_is_a_signed_coefficient_of_25_bits_and_a_signed_exponent(
    raw: int, value: float
) -> None:
    assert chrony_float(raw) == pytest.approx(value)


@pytest.mark.parametrize("leap", [3, 9])
def test_an_unsynchronised_or_unknown_leap_is_unsynchronised(leap: int) -> None:
    assert read_reply(reply(1, leap=leap), 1).leap == "unsynchronised"


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_no_datagram_can_do_more_than_be_refused(data: bytes, sequence: int) -> None:
    for candidate in (data, reply(sequence)[:60] + data):
        try:
            assert isinstance(read_reply(candidate, sequence), Tracking)
        except NotTracking:
            continue


@pytest.mark.anyio
async def test_without_a_time_source_the_clock_is_never_trusted() -> None:
    async with NO_TIME.open(NoSettings(), CLOCK) as source:
        reading = await anext(source)
    assert (reading.synchronised, reading.bound_s) == (False, None)
