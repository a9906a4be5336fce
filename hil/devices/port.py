"""A pseudo-terminal under a name that can vanish and come back, as a serial adapter does."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import termios
import tty
from pathlib import Path

SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if re.fullmatch(r"B\d+", name)}


class Port:
    """`link` points at the slave while plugged in. baud: its rate until somebody sets another."""

    def __init__(self, link: Path, baud: int | None = None) -> None:
        self.link, self._baud = link, baud
        self._master: int | None = None
        self._slave: int | None = None
        self.plug()

    @property
    def plugged(self) -> bool:
        """Whether the port exists now."""
        return self._master is not None

    def fileno(self) -> int:
        """The master's descriptor."""
        assert self._master is not None
        return self._master

    def plug(self) -> None:
        """Make the port appear."""
        if self._master is not None:
            return
        self._master, slave = os.openpty()
        tty.setraw(slave)
        tty.setraw(self._master)
        os.set_blocking(self._master, False)
        self._set_speed(slave)
        self._slave = slave  # kept open so that reading does not fail while nobody has the port
        self.link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.link.unlink()
        self.link.symlink_to(os.ttyname(slave))

    @property
    def speed(self) -> int | None:
        """The rate that whoever has it open has set; None where it is not known."""
        return None if self._slave is None else SPEEDS.get(termios.tcgetattr(self._slave)[5])

    def _set_speed(self, slave: int) -> None:
        code = getattr(termios, f"B{self._baud}", None)
        if code is not None:
            told = termios.tcgetattr(slave)
            told[4] = told[5] = code
            termios.tcsetattr(slave, termios.TCSANOW, told)

    def unplug(self) -> None:
        """Make the port vanish; whoever has it open gets an error."""
        if self._master is None:
            return
        with contextlib.suppress(FileNotFoundError):
            self.link.unlink()
        os.close(self._master)
        if self._slave is not None:
            os.close(self._slave)
        self._master = self._slave = None

    def read(self) -> bytes:
        """What has arrived; empty when nothing has."""
        try:
            return os.read(self.fileno(), 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno == errno.EIO:
                return b""
            raise

    def write(self, data: bytes) -> None:
        """Send; a line that nobody reads loses bytes, as a real one does."""
        with contextlib.suppress(BlockingIOError):
            os.write(self.fileno(), data)
