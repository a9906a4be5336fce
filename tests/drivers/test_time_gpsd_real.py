"""gpsd: Debian's own, with a receiver that is a pseudo-terminal and some sentences."""

from __future__ import annotations

import functools
import operator
import os
import shutil
import socket
import subprocess
import threading
import tty
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from drivers.gpsd.driver import PLUGIN, Gpsd
from drivers.gpsd.link import SERIAL_LATENCY_S
from drivers.gpsd.settings import Settings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import TimeQuality

CLOCK = SystemClock()
PATH = os.environ.get("PATH", "") + ":/usr/sbin"
EVERY_S = 0.25
# Shared memory of its own: gpsd must not speak to another chronyd of this machine.
NAMESPACE = ["unshare", "--user", "--map-root-user", "--ipc"]


class Receiver:
    """A receiver on a pseudo-terminal; tells the machine's own time, shifted, with a fix or without."""

    def __init__(self) -> None:
        self._far, self._near = os.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self.fixed, self.ahead_s = True, 0.0
        self._off = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        os.set_blocking(self._far, False)
        while not self._off.wait(EVERY_S):
            for sentence in self._sentences():
                check = functools.reduce(operator.xor, sentence.encode())
                try:
                    os.write(self._far, f"${sentence}*{check:02X}\r\n".encode())
                except BlockingIOError:
                    break  # nobody reads yet

    def _sentences(self) -> Iterator[str]:
        at = datetime.fromtimestamp(CLOCK.utc_s() + self.ahead_s, UTC)
        time, date = at.strftime("%H%M%S.00"), at.strftime("%d%m%y")
        place, fixed = "2241.0000,N,11420.0000,E", self.fixed
        yield f"GPRMC,{time},{'A' if fixed else 'V'},{place},0.0,0.0,{date},,,{'A' if fixed else 'N'}"
        yield f"GPGGA,{time},{place},{int(fixed)},08,1.0,30.0,M,-2.0,M,,"
        yield f"GPGSA,A,{3 if fixed else 1},01,02,03,04,,,,,,,,,1.5,1.0,1.1"

    def end(self) -> None:
        self._off.set()
        self._thread.join()
        os.close(self._far)
        os.close(self._near)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.end()


@pytest.fixture
def gpsd(receiver: Receiver, tmp_path: Path) -> Iterator[Settings]:
    """A gpsd that never writes to the receiver (-b), and how to reach it."""
    if shutil.which("gpsd", path=PATH) is None:
        pytest.skip("gpsd is not installed (Debian package gpsd)")
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user and IPC namespaces may be made here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*NAMESPACE, "gpsd", "-N", "-n", "-b", "-S", str(port), receiver.port]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "PATH": PATH})
    yield Settings(port=port, period_s=0.5)
    process.kill()
    process.wait(10)


async def readings(settings: Settings, enough: Callable[[Gpsd, TimeQuality], bool]) -> list[TimeQuality]:
    """All readings up to the first that is enough, once gpsd has started."""
    with anyio.fail_after(60):
        while True:
            try:
                async with PLUGIN.open(settings, CLOCK) as source:
                    got = [await anext(source)]
                    while not enough(source, got[-1]):
                        got.append(await anext(source))
                    return got
            except DeviceLost:
                await anyio.sleep(0.1)


def synchronised(_: Gpsd, quality: TimeQuality) -> bool:
    return quality.synchronised


@pytest.mark.anyio
async def test_the_real_gpsd_without_a_pulse_is_bounded_by_the_serial_latency(gpsd: Settings) -> None:
    *_, quality = await readings(gpsd, synchronised)
    assert quality.source == "gpsd"
    assert quality.bound_s is not None
    assert quality.bound_s >= abs(quality.offset_s) + SERIAL_LATENCY_S
    assert abs(quality.offset_s) < 10.0, "the receiver tells this machine's time, in whole seconds"


@pytest.mark.anyio
async def test_a_receiver_that_tells_gps_time_for_utc_is_seen_in_the_offset(
    gpsd: Settings, receiver: Receiver
) -> None:
    receiver.ahead_s = 18.0
    *_, quality = await readings(gpsd, synchronised)
    assert quality.offset_s == pytest.approx(-18.0, abs=10.0)
    assert quality.bound_s is not None
    assert quality.bound_s > 8.0


@pytest.mark.anyio
async def test_the_real_gpsd_without_a_fix_is_not_synchronised(gpsd: Settings, receiver: Receiver) -> None:
    receiver.fixed = False
    got = await readings(gpsd, lambda source, _: source.counters["fix"] > 6)
    assert {(quality.synchronised, quality.bound_s) for quality in got} == {(False, None)}
