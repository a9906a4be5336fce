"""Lines of gpsd with their origin, and some made like them."""

from __future__ import annotations

import json
from typing import Any

from drivers.gpsd.link import Link
from drivers.gpsd.settings import Settings

# Origin: gpsd 3.22 (Debian 12) fed with NMEA on a pseudo-terminal; satellites shortened to two.
GREETING = b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}\n'
DEVICES = (
    b'{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/pts/2","activated":'
    b'"2026-11-26T08:58:45.354Z","native":0,"bps":38400,"parity":"N","stopbits":1,"cycle":1.00}]}\n'
)
TOFF = (
    b'{"class":"TOFF","device":"/dev/pts/2","real_sec":1795683525, "real_nsec":0,'
    b'"clock_sec":1795683525,"clock_nsec":840375783}\n'
)
FIX = (
    b'{"class":"TPV","device":"/dev/pts/2","mode":3,"time":"2026-11-26T08:58:45.000Z","ept":0.005,'
    b'"lat":22.683333333,"lon":114.333333333,"altHAE":28.0000,"altMSL":30.0000,"alt":30.0000,"track":0.0000,'
    b'"magtrack":356.9113,"magvar":-3.1,"speed":0.000,"geoidSep":-2.000,"eph":19.000}\n'
)
SKY = (
    b'{"class":"SKY","device":"/dev/pts/2","xdop":1.15,"hdop":1.00,"nSat":8,"uSat":8,"satellites":['
    b'{"PRN":1,"el":40.0,"az":83.0,"ss":46.0,"used":true,"gnssid":0,"svid":1},'
    b'{"PRN":2,"el":17.0,"az":308.0,"ss":41.0,"used":false,"gnssid":0,"svid":2}]}\n'
)
NO_FIX = b'{"class":"TPV","device":"/dev/pts/2","mode":1}\n'
# The same gpsd where RMC says void: the dilutions alone make a mode 3, without any time.
HOLLOW = (
    b'{"class":"TPV","device":"/dev/pts/2","mode":3,"lat":22.683333333,"lon":114.333333333,"eph":19.000}\n'
)
# Origin: the example of gpsd_json(5), in one line; it gives the precision of a poor pulse.
MANUAL = (
    b'{"class":"PPS","device":"/dev/ttyUSB0", "real_sec":1330212592, "real_nsec":343182,'
    b'"clock_sec":1330212592,"clock_nsec":343184, "precision":-3}\n'
)
# Origin: a recording of a kernel pulse in the tests of a public gpsd client.
PPS = (
    b'{"class":"PPS","device":"/dev/pps0","real_sec":1666298551,"real_nsec":0,"clock_sec":1666298551,'
    b'"clock_nsec":1881,"precision":-20}\n'
)


def line(**said: Any) -> bytes:
    """Any report."""
    return json.dumps(said).encode() + b"\n"


def pulse(offset_ns: int, device: str = "/dev/ttyS0", **more: Any) -> bytes:
    """A pulse at which our clock was so far ahead of the true second."""
    real = 1_790_000_000
    at_ns = real * 10**9 + offset_ns
    clock = {"clock_sec": at_ns // 10**9, "clock_nsec": at_ns % 10**9}
    return line(
        **{"class": "PPS", "device": device, "real_sec": real, "real_nsec": 0, "precision": -20}
        | clock
        | more
    )


def fix(device: str = "/dev/ttyS0", **more: Any) -> bytes:
    """A fix with a time."""
    return line(**{"class": "TPV", "device": device, "mode": 3, "time": "2026-11-26T08:58:45.000Z"} | more)


def told(data: bytes, at_s: float = 100.0, **settings: Any) -> Link:
    """A link of a site, opened at 100 s, that was given these bytes."""
    link = Link(Settings(**settings), 100.0)
    link.receive(data, at_s)
    return link
