"""gpsd: its JSON reports, read as the manual says and from any bytes."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from gpsd_lines import DEVICES, FIX, GREETING, HOLLOW, MANUAL, NO_FIX, PPS, SKY, TOFF, fix, line, pulse, told
from hypothesis import given
from hypothesis import strategies as st

from drivers.gpsd.wire import (
    LONGEST_LINE,
    Devices,
    Fix,
    Garbled,
    LineCutter,
    Pulse,
    SerialTime,
    Sky,
    Version,
    read_line,
)

READ = [
    (GREETING, Version("3.22", 3)),
    (DEVICES, Devices(("/dev/pts/2",))),
    (TOFF, SerialTime("/dev/pts/2", 0.840375783)),
    (FIX, Fix("/dev/pts/2", True, None, 0.005)),
    (NO_FIX, Fix("/dev/pts/2", False, None, 0.0)),
    (HOLLOW, Fix("/dev/pts/2", False, None, 0.0)),
    (SKY, Sky("/dev/pts/2", 8)),
    (MANUAL, Pulse("/dev/ttyUSB0", 2e-9, 0.125)),
    (PPS, Pulse("/dev/pps0", 1881e-9, 2.0**-20)),
    (fix(status=8), Fix("/dev/ttyS0", False, None, 0.0)),  # simulated
    (fix(status=5), Fix("/dev/ttyS0", False, None, 0.0)),  # dead reckoning
    (fix(leapseconds=18, status=2), Fix("/dev/ttyS0", True, 18, 0.0)),
    (pulse(-3_000_000_000), Pulse("/dev/ttyS0", -3.0, 2.0**-20)),
    (pulse(0, qErr=-12_000), Pulse("/dev/ttyS0", 0.0, 2.0**-20 + 12e-9)),
    (line(**{"class": "SKY", "satellites": [{"used": True}, {"used": False}]}), Sky("", 1)),
    (line(**{"class": "SKY", "hdop": 1.0}), Sky("", None)),
    (line(**{"class": "ERROR", "message": "what?"}), None),
    (b"\r\n", None),
]


@pytest.mark.parametrize(("data", "report"), READ)
def test_a_report_reads_as_the_manual_says(data: bytes, report: object) -> None:
    assert read_line(data) == report


UNREADABLE = [
    b"[1]",
    b"null",
    b"{",
    b"\xff\xfe\x00",
    b"[" * 9000,
    b'{"class":"TPV"}',
    b'{"class":"TPV","mode":true}',
    b'{"class":"TPV","mode":NaN}',
    b'{"class":"TPV","mode":1e999}',
    b'{"class":"TPV","mode":' + b"9" * 5000 + b"}",
    b'{"class":"DEVICES","devices":7}',
    b'{"class":"VERSION"}',
    PPS.replace(b'"precision":-20', b'"precision":-99'),
    PPS.replace(b'"precision":-20', b'"precision":"-20"'),
    PPS.replace(b"1881", b"-1"),
    PPS.replace(b"1881", b"1e9"),
]


@pytest.mark.parametrize("data", UNREADABLE)
def test_what_cannot_be_believed_is_garbled(data: bytes) -> None:
    assert isinstance(read_line(data), Garbled)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "class",
    "mode",
    "time",
    "status",
    "ept",
    "leapseconds",
    "device",
    "devices",
    "satellites",
    "uSat",
    "release",
    "proto_major",
]
KEYS += ["release", "proto_major", "real_sec", "real_nsec", "clock_sec", "clock_nsec", "precision", "qErr"]
CLASSES = st.sampled_from(["VERSION", "DEVICES", "TPV", "PPS", "TOFF", "SKY"]) | ANYTHING


@given(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=10), CLASSES, st.binary(max_size=60))
def test_no_json_and_no_bytes_raise(said: dict[str, Any], of_class: Any, noise: bytes) -> None:
    link = told(json.dumps(said | {"class": of_class}).encode() + b"\n" + noise + b"\n" + PPS + FIX)
    quality = link.quality(100.0)
    assert quality.bound_s is None or quality.bound_s >= 0.0
    assert link.counters["pulse"] >= 1


@given(st.lists(st.integers(0, len(GREETING + TOFF + FIX + SKY + PPS)), max_size=6))
def test_reports_survive_any_split(cuts: list[int]) -> None:
    stream, cutter = GREETING + TOFF + FIX + SKY + PPS, LineCutter()
    edges = [0, *sorted(cuts), len(stream)]
    parts = [stream[a:b] for a, b in pairwise(edges)]
    got = [type(report) for part in parts for report in cutter.receive(part)]
    assert got == [Version, SerialTime, Fix, Sky, Pulse]


def test_a_line_without_an_end_is_given_up_and_costs_only_itself() -> None:
    cutter = LineCutter()
    for _ in range(40):
        assert not list(cutter.receive(b"x" * 4096))
        assert len(cutter._rest) <= LONGEST_LINE
    assert list(cutter.receive(b"\n" + PPS)) == [Garbled("too long"), READ[8][1]]
