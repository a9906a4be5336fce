"""A smartmicro UMRR-0C on its serial line: status, control and objects of each cycle (facts/radars 3.1)."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

from hil.devices.radar_front import Console, Fitting, Outgoing, after
from hil.devices.radar_model import RoadRadar, Rows, Traits
from hil.devices.radar_tracks import GONE, Habits, State, Track, Tracker

PERIOD_S, LATENCY_S = 0.08, 0.05
START, PROTOCOL = 0x7E, 1
STATUS, CONTROL, FIRST_OBJECT = 0x0500, 0x0501, 0x0502
DEVICE = 2
MOST_OBJECTS = 64
CHECK_START, CHECK_POLYNOMIAL = 0xFFFF, 0x1021  # the facts do not know it: an assumption
TRAITS = Traits(
    reach_m=140.0, range_sd_m=0.2, range_step_m=0.2, doppler_sd_mps=0.1, doppler_step_mps=0.1,
    doppler_most_mps=70.0, clutter=1.0, ghost=0.01, hides_still=False, most=0.96,
)  # fmt: skip
HABITS = Habits(allocate=(3, 8), free_after=10, free_still_after=300, most=MOST_OBJECTS, gain=0.5)
# bits, offset and scale of an object, the most significant first: 64 bits
OBJECT = (
    ("number", 8, 0, 1.0),
    ("length", 7, 0, 0.2),
    ("speed_y", 11, 1024, 0.1),
    ("speed_x", 11, 1024, 0.1),
    ("y", 13, 4096, 0.128),
    ("x", 13, 4096, 0.128),
    ("updated", 1, 0, 1.0),
)


class UmrrFront:
    """Sans-IO. Options: header (bytes, at least 5), polynomial (hexadecimal)."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        self._header = max(5, int(fitting.options.get("header", 5)))
        self._polynomial = int(fitting.options.get("polynomial", f"{CHECK_POLYNOMIAL:x}"), 16)
        self.faults = fitting.faults
        self.model = RoadRadar(fitting.mount, TRAITS, fitting.seed, fitting.faults.weather)
        self.tracker = Tracker(fitting.mount, HABITS, fitting.seed + 1)
        self._out, self._next_s = Outgoing(), fitting.now_s
        self.count = 0

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """A frame a cycle."""
        if now_s >= self._next_s:
            period = self.faults.clock.true_s(PERIOD_S)
            self._next_s = after(self._next_s, period, now_s)
            self.count = (self.count + 1) & 0xFFFFFFFF
            tracks = self.tracker.update(self.model.look(users).hits, PERIOD_S)
            self._out.put(now_s + LATENCY_S, self._frame(now_s, [t for t in tracks if t.state not in GONE]))
        return self._out.due(now_s)

    def hear(self, _data: bytes, _now_s: float) -> list[bytes]:
        """It only speaks."""
        return []

    def next_s(self) -> float:
        """The next cycle or frame."""
        return self._out.next_s(self._next_s)

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """Another length of the payload than it has."""
        length = struct.unpack_from(">H", frame, 3)[0] if len(frame) >= 5 else 0
        untrue = max(0, min(0xFFFF, length + dice.choice((-11, -1, 1, 300))))
        return frame[:3] + struct.pack(">H", untrue) + frame[5:]

    def reset(self) -> None:
        """Power on again."""
        self.count = 0
        self.tracker.reset()
        self._out.clear()

    def _frame(self, now_s: float, tracks: Sequence[Track]) -> bytes:
        uptime_ms = int(self.faults.clock.own_s(now_s) * 1000) & 0xFFFFFFFF
        objects = [part(FIRST_OBJECT + n, packed(track)) for n, track in enumerate(tracks)]
        control = struct.pack(
            ">IBBBB", self.count, 0x11, round(PERIOD_S * 1000), len(objects) + 2, len(objects)
        )
        status = struct.pack(">IB3x", uptime_ms, DEVICE << 4)
        payload = part(STATUS, status) + part(CONTROL, control) + b"".join(objects)
        head = bytes([START, PROTOCOL, self._header]) + struct.pack(">H", len(payload))
        body = head.ljust(self._header, b"\0") + payload
        return body + struct.pack(">H", crc16(body[1:], self._polynomial))


def part(number: int, data: bytes) -> bytes:
    """One message of a payload: its data goes out reversed."""
    return struct.pack(">HB", number, len(data)) + data[::-1]


def packed(track: Track) -> bytes:
    """An object as eight bytes, the most significant first; x forward, y left."""
    values = {
        "number": track.number,
        "length": track.row["l"],
        "speed_y": track.vl_mps,
        "speed_x": track.vf_mps,
        "y": track.left_m,
        "x": track.forward_m,
        "updated": float(track.state is not State.PREDICTED),
    }
    word = 0
    for name, bits, offset, scale in OBJECT:
        raw = round(values[name] / scale) + offset
        word = word << bits | max(0, min((1 << bits) - 1, raw))
    return word.to_bytes(8, "big")


def crc16(data: bytes, polynomial: int = CHECK_POLYNOMIAL) -> int:
    """Sixteen bits, the most significant first."""
    check = CHECK_START
    for byte in data:
        check ^= byte << 8
        for _ in range(8):
            check = (check << 1 ^ polynomial if check & 0x8000 else check << 1) & 0xFFFF
    return check
