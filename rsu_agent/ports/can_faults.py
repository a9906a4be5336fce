"""What goes wrong on a CAN bus, said so that a technician knows the next step."""

from __future__ import annotations

import errno

from rsu_agent.ports.line_faults import lost_on_opening as serial_lost
from rsu_agent.ports.trouble import DeviceLost

BUS_OFF = 0x40  # linux/can/error.h: the class of error that an error frame's identifier tells
UP = "ip link set {} up type can bitrate 500000 restart-ms 100"
NO_CAN = "modprobe can can_raw; inside a container the host's interface must be handed in"

# by interface, then by error number
_OPENING: dict[str, dict[int, tuple[str, str]]] = {
    "socketcan": {
        errno.EAFNOSUPPORT: ("refused", NO_CAN),
        errno.EPROTONOSUPPORT: ("refused", NO_CAN),
        errno.ENODEV: ("missing", "name of the interface? ip -br link show type can"),
        errno.ENETDOWN: ("down", UP.format("can0")),
        errno.EPERM: (
            "permission",
            "the agent's unit may not open CAN sockets: AF_CAN in RestrictAddressFamilies",
        ),
        errno.EACCES: (
            "permission",
            "the agent's unit may not open CAN sockets: AF_CAN in RestrictAddressFamilies",
        ),
    },
    "socketcand": {
        errno.ECONNREFUSED: ("refused", "is socketcand running there? check host and port"),
        errno.EHOSTUNREACH: ("timeout", "check address and cable"),
        errno.ENETUNREACH: ("timeout", "check address and cable"),
    },
}
_OPEN: dict[int, tuple[str, str]] = {
    errno.ENETDOWN: ("down", UP.format("can0")),
    errno.ENODEV: ("missing", "the interface has gone: check the adapter's plug"),
}
_ELSE = {
    "socketcan": "check the interface: ip -details link show type can",
    "slcan": "is it an slcan adapter? check plug and baud rate",
    "socketcand": "does that server offer this bus?",
}


def lost_on_opening(interface: str, where: str, error: Exception) -> DeviceLost:
    """What an error of opening means."""
    cause = _os_error(error)
    if interface == "slcan" and cause is not None:
        return serial_lost(where, cause)
    number = _number(error)
    reason, hint = _OPENING.get(interface, {}).get(number, ("refused", _ELSE[interface]))
    return DeviceLost(reason, f"{where}: {_said(error)}", hint)


def lost_while_open(where: str, error: Exception) -> DeviceLost:
    """The bus ended: unplugged, taken down, or the server has gone."""
    reason, hint = _OPEN.get(
        _number(error), ("closed", "check the adapter; the bus is opened again by itself")
    )
    return DeviceLost(reason, f"{where}: {_said(error)}", hint)


def bus_off(where: str) -> DeviceLost:
    """Too many errors: the controller has left the bus."""
    return DeviceLost("bus_off", where, f"wrong bitrate, or no 120 ohm at both ends; {UP.format('can0')}")


def queue_full(error: Exception) -> bool:
    """Whether frames only wait because nobody on the bus acknowledges them."""
    return _number(error) in (errno.ENOBUFS, errno.EAGAIN) or "buffer full" in str(error).lower()


def _said(error: Exception) -> str:
    """python-can puts whole tracebacks into some of its texts: the first line is what was said."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip()


def _os_error(error: BaseException) -> OSError | None:
    """What the system said, which python-can and anyio wrap."""
    inner = error.__cause__
    if isinstance(inner, OSError) and getattr(error, "errno", None) is None:
        return inner
    return error if isinstance(error, OSError) else None


def _number(error: Exception) -> int:
    cause = _os_error(error)
    told = cause.errno if cause is not None else getattr(error, "error_code", None)
    return told if isinstance(told, int) else 0
