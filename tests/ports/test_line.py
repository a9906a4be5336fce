"""A serial line over real pseudo-terminals: bytes, locks, unplugging, listening."""

from __future__ import annotations

import errno
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.line_faults import LineErrors, diagnosis, lost_on_opening
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
ALL_BYTES = bytes(range(256))


class Pty:
    """A pseudo-terminal whose master end plays the device."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)

    def hang_up(self) -> None:
        if self.master >= 0:
            os.close(self.master)
        self.master = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    pair = Pty()
    yield pair
    pair.hang_up()


async def test_every_byte_value_passes_both_ways_unchanged(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200), CLOCK) as line:
        os.write(pty.master, ALL_BYTES)
        got = b""
        while len(got) < 256:
            got += (await line.read()).data
        await line.write(ALL_BYTES)
        assert got == ALL_BYTES
        assert os.read(pty.master, 4096) == ALL_BYTES


async def test_a_chunk_carries_the_instant_of_its_arrival(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200), CLOCK) as line:
        before_s = CLOCK.now_s()
        os.write(pty.master, b"x")
        received = await line.read()
        assert before_s <= received.arrived_s <= CLOCK.now_s()


async def test_a_cancelled_read_loses_no_byte(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 9600), CLOCK) as line:
        with anyio.move_on_after(0.01):
            await line.read()
        os.write(pty.master, b"kept")
        assert (await line.read()).data == b"kept"


async def test_more_than_the_kernel_holds_is_written_whole(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200), CLOCK) as line, anyio.create_task_group() as tasks:
        tasks.start_soon(line.write, ALL_BYTES * 512)
        os.set_blocking(pty.master, False)
        got = b""
        while len(got) < 256 * 512:
            await anyio.wait_readable(pty.master)
            got += os.read(pty.master, 65536)
        assert got == ALL_BYTES * 512


async def test_pulling_the_plug_ends_the_line_with_closed(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200), CLOCK) as line:
        pty.hang_up()
        with pytest.raises(DeviceLost) as lost:
            await line.read()
        assert lost.value.reason == "closed"


async def test_a_second_opener_is_told_that_the_port_is_busy(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200), CLOCK):
        with pytest.raises(DeviceLost) as lost:
            async with open_line(LineSettings(pty.path, 115200), CLOCK):
                pass
        assert lost.value.reason == "busy"
        assert "fuser" in lost.value.hint


async def test_a_port_can_be_opened_again_after_it_was_closed(pty: Pty) -> None:
    for _ in range(3):
        async with open_line(LineSettings(pty.path, 115200), CLOCK) as line:
            os.write(pty.master, b"again")
            assert (await line.read()).data == b"again"


async def test_bytes_from_before_the_opening_are_thrown_away(pty: Pty) -> None:
    os.write(pty.master, b"stale")
    async with open_line(LineSettings(pty.path, 115200), CLOCK) as line:
        os.write(pty.master, b"fresh")
        assert (await line.read()).data == b"fresh"


async def test_a_listener_hears_but_cannot_write_a_single_byte(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200, role="listener"), CLOCK) as line:
        os.write(pty.master, b"overheard")
        assert (await line.read()).data == b"overheard"
        with pytest.raises(PermissionError):
            await line.write(b"never")
        fd = line._fd  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="Bad file descriptor") as refused:
            os.write(fd, b"never")
        assert refused.value.errno == errno.EBADF


async def test_a_missing_port_is_missing_and_a_file_is_no_serial_port(tmp_path: Path) -> None:
    with pytest.raises(DeviceLost) as lost:
        async with open_line(LineSettings(str(tmp_path / "none"), 115200), CLOCK):
            pass
    assert lost.value.reason == "missing"
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceLost):
        async with open_line(LineSettings(str(tmp_path / "file"), 115200), CLOCK):
            pass


async def test_a_pseudo_terminal_counts_no_uart_errors(pty: Pty) -> None:
    async with open_line(LineSettings(pty.path, 115200, dtr=False, rts=True, rs485=True), CLOCK) as line:
        assert line.errors() is None


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EACCES, "permission"), (errno.EBUSY, "busy"), (errno.EAGAIN, "busy"), (errno.ENOENT, "missing")],
)
def test_each_error_of_opening_has_its_reason_and_a_hint(number: int, reason: str) -> None:
    lost = lost_on_opening("/dev/x", OSError(number, os.strerror(number)))
    assert lost.reason == reason
    assert lost.hint


@pytest.mark.parametrize(
    ("errors", "word"),
    [
        (LineErrors(frame=50, parity=0, overrun=0, breaks=2), "baud"),
        (LineErrors(frame=5, parity=90, overrun=0, breaks=0), "parity"),
        (LineErrors(frame=0, parity=0, overrun=0, breaks=40), "polarity"),
        (LineErrors(frame=0, parity=0, overrun=9, breaks=0), "slow"),
        (LineErrors(frame=1, parity=1, overrun=0, breaks=1), ""),
        (None, ""),
    ],
)
def test_the_uart_counts_name_the_fault_of_the_wire(errors: LineErrors | None, word: str) -> None:
    assert word in diagnosis(errors)
    assert bool(diagnosis(errors)) == bool(word)


def test_parity_and_stop_bits_lengthen_a_byte_on_the_wire() -> None:
    assert LineSettings("x", 9600).byte_s == pytest.approx(10 / 9600)
    assert LineSettings("x", 9600, parity="even", stop_bits=2).byte_s == pytest.approx(12 / 9600)
