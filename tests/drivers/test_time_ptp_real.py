"""PTP: the real ptp4l of Debian, a master and a slave in a network of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from drivers.ptp.driver import PLUGIN
from drivers.ptp.settings import Settings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.world.health import TimeQuality

CLOCK = SystemClock()
PATH = os.environ.get("PATH", "") + ":/usr/sbin"

# Two ptp4l on a veth pair in a network and user namespace of their own, where nobody may touch the clock:
# the kernel refuses. Both ends stamp with this machine's clock, so the master's UTC offset is 0 here.
NETWORK = """
ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up || exit 9
how="-S -2 --logAnnounceInterval -3 --logSyncInterval -3 --logMinDelayReqInterval -3"
servo="--pi_proportional_const 0.7 --pi_integral_const 0.3"
ptp4l -i v0 $how --clockClass 6 --clockAccuracy 0x21 --priority1 10 --uds_address $1/master >&2 &
master=$!
ptp4l -i v1 $how -s $servo --uds_address $1/slave >&2 &
slave=$!
until [ -S $1/master ] && [ -S $1/slave ]; do
  kill -0 $master || exit 1
  sleep 0.05
done
pmc -u -b 0 -s $1/master -i $1/pmc "SET GRANDMASTER_SETTINGS_NP clockClass 6 clockAccuracy 0x21 \\
offsetScaledLogVariance 0x4e5d currentUtcOffset 0 leap61 1 leap59 0 currentUtcOffsetValid 1 \\
ptpTimescale 1 timeTraceable 1 frequencyTraceable 1 timeSource 0x20" >&2
echo ready
read _
kill $master
read _
kill $slave
wait
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A master and a slave that answer; a line on stdin ends the master."""
    missing = [name for name in ("ptp4l", "pmc", "ip", "unshare") if shutil.which(name, path=PATH) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian packages linuxptp, iproute2)")
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user and network namespaces may be made here")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*NAMESPACE, "sh", "-c", NETWORK, "sh", str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PATH": PATH},
        )
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"ready\n":
            if process.wait(10) == 9:
                pytest.skip("no veth pair may be made here")
            pytest.fail((tmp_path / "log").read_text())
        yield tmp_path, process
    finally:
        process.communicate(timeout=10)  # its stdin closes: it ends both


async def reading_that_is(synchronised: bool, source: AsyncIterator[TimeQuality]) -> TimeQuality:
    """The next reading that is so."""
    one = await anext(source)
    while one.synchronised is not synchronised:
        one = await anext(source)
    return one


def asked(folder: Path, who: str) -> Settings:
    return Settings(
        socket=str(folder / who),
        reply_socket=str(folder / f"to-{who}"),
        software_timestamping=True,
        period_s=0.2,
    )


@pytest.mark.anyio
async def test_the_real_ptp4l_answers_as_slave_and_as_grandmaster(
    network: tuple[Path, subprocess.Popen[bytes]],
) -> None:
    folder, process = network
    assert process.stdin is not None
    with anyio.fail_after(60):
        async with PLUGIN.open(asked(folder, "slave"), CLOCK) as source:
            slave = await reading_that_is(True, source)
            async with PLUGIN.open(asked(folder, "master"), CLOCK) as own:
                master = await reading_that_is(True, own)
            process.stdin.write(b"\n")
            process.stdin.flush()
            alone = await reading_that_is(False, source)
    assert (slave.source, slave.leap) == ("ptp", "insert")
    assert slave.bound_s is not None
    assert abs(slave.offset_s) + 1e-7 < slave.bound_s
    assert master.bound_s == pytest.approx(1e-7)
    assert alone.bound_s is None, "its master has gone"
