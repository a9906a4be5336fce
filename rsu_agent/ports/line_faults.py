"""What goes wrong on a byte line, said so that a technician knows the next step."""

from __future__ import annotations

import errno
import fcntl
import struct
from dataclasses import dataclass

from rsu_agent.ports.trouble import DeviceLost

TIOCGICOUNT = 0x545D  # asm-generic/ioctls.h; the `serial` of every UART driver that counts
_ICOUNT = struct.Struct("20i")  # cts dsr rng dcd rx tx frame overrun parity brk buf_overrun, 9 reserved
_FRAME, _OVERRUN, _PARITY, _BREAK = 6, 7, 8, 9
FEW = 3  # errors that a plug going in may cause by itself

_OPENING: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("missing", "check the plug and the name: ls -l /dev/serial/by-id"),
    errno.ENXIO: ("missing", "check the plug and the name: ls -l /dev/serial/by-id"),
    errno.ENODEV: ("missing", "check the plug and the name: ls -l /dev/serial/by-id"),
    errno.EACCES: ("permission", "add the agent's user to the group dialout, or install the udev rule"),
    errno.EPERM: ("permission", "add the agent's user to the group dialout, or install the udev rule"),
    errno.EAGAIN: ("busy", "another program holds the port: fuser -v names it"),
    errno.ENOTTY: ("refused", "this is not a serial port"),
    errno.EBUSY: ("busy", "another program holds the port: fuser -v names it"),
}


def lost_on_opening(port: str, error: OSError) -> DeviceLost:
    """What an error of opening means; SerialException is an OSError too."""
    reason, hint = _OPENING.get(error.errno or 0, ("closed", "unplug and replug the adapter"))
    return DeviceLost(reason, f"{port}: {error}", hint)


def lost_while_open(port: str, error: OSError | None = None) -> DeviceLost:
    """The line ended: end of file, EIO or a hang-up, which all mean unplugged."""
    detail = f"{port}: {error}" if error else f"{port}: end of file"
    return DeviceLost("closed", detail, "check the plug; the line is opened again by itself")


@dataclass(frozen=True, slots=True)
class LineErrors:
    """The UART's own counts since the port's driver was loaded."""

    frame: int
    parity: int
    overrun: int
    breaks: int

    def since(self, before: LineErrors) -> LineErrors:
        """What was added since an earlier reading."""
        return LineErrors(
            self.frame - before.frame,
            self.parity - before.parity,
            self.overrun - before.overrun,
            self.breaks - before.breaks,
        )


def read_line_errors(fd: int) -> LineErrors | None:
    """The counts of an open port, or None where it keeps none (pseudo-terminals, some adapters)."""
    try:
        counts = _ICOUNT.unpack(fcntl.ioctl(fd, TIOCGICOUNT, bytes(_ICOUNT.size)))
    except OSError:
        return None
    return LineErrors(counts[_FRAME], counts[_PARITY], counts[_OVERRUN], counts[_BREAK])


def diagnosis(errors: LineErrors | None) -> str:
    """The likely fault of the wire (field-rules 1.3), or an empty string when the counts tell nothing."""
    if errors is None:
        return ""
    if errors.parity > FEW and errors.parity >= errors.frame:
        return "parity errors: wrong parity"
    if errors.frame > FEW and errors.frame >= errors.breaks:
        return "frame errors: wrong baud rate"
    if errors.breaks > FEW:
        return "only breaks: line open or polarity swapped"
    if errors.overrun > FEW:
        return "overruns: this machine is too slow or too busy"
    return ""
