"""A radar-video unit of the Chinese kind: its tracks as JSON datagrams (facts/radars 3.6)."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from hil.devices.radar_front import Console, Fitting, Outgoing, after
from hil.devices.radar_model import RoadRadar, Rows, Traits
from hil.devices.radar_tracks import GONE, Habits, State, Track, Tracker

PERIOD_S, LATENCY_S = 0.1, 0.06
TYPES = {
    "pedestrian": 1,
    "bicycle": 2,
    "tricycle": 2,
    "cart": 2,
    "motorcycle": 3,
    "car": 4,
    "truck": 5,
    "bus": 6,
}
LONG_TRUCK, LONG_TRUCK_M = 7, 14.0
TRAITS = Traits(reach_m=120.0, hides_still=False, clutter=0.0, ghost=0.0, doppler_most_mps=60.0, most=0.97)
HABITS = Habits(allocate=(3, 6), free_after=8, free_still_after=100, gain=0.6)
DEVICE = "radar-video-1"


class JsonRadarFront:
    """Sans-IO. Positions right and forward of the unit in metres, heading clockwise from north, UTC in ms."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        self.faults = fitting.faults
        self._utc_less_now_s = fitting.utc_less_now_s
        self.model = RoadRadar(fitting.mount, TRAITS, fitting.seed, fitting.faults.weather)
        self.tracker = Tracker(fitting.mount, HABITS, fitting.seed + 1)
        self._out, self._next_s = Outgoing(), fitting.now_s
        self.number = 0

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """A datagram a measurement."""
        if now_s >= self._next_s:
            self._next_s = after(self._next_s, self.faults.clock.true_s(PERIOD_S), now_s)
            self.number += 1
            tracks = self.tracker.update(self.model.look(users).hits, PERIOD_S)
            self._out.put(now_s + LATENCY_S, self._datagram(now_s, tracks))
        return self._out.due(now_s)

    def hear(self, _data: bytes, _now_s: float) -> list[bytes]:
        """It only speaks."""
        return []

    def next_s(self) -> float:
        """The next measurement or datagram."""
        return self._out.next_s(self._next_s)

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """A list whose announced count is wrong."""
        told = json.loads(frame)
        return json.dumps(told | {"count": told["count"] + dice.choice((-1, 1, 1000))}).encode()

    def reset(self) -> None:
        """Power on again."""
        self.number = 0
        self.tracker.reset()
        self._out.clear()

    def _datagram(self, now_s: float, tracks: list[Track]) -> bytes:
        utc_s = now_s + self.faults.clock.ahead_s(now_s) + self._utc_less_now_s
        targets = [self._target(track) for track in tracks if track.state not in GONE]
        told = {
            "device": DEVICE,
            "frame": self.number,
            "timestamp": int(utc_s * 1000),
            "count": len(targets),
            "targets": targets,
        }
        return json.dumps(told, separators=(",", ":")).encode()

    def _target(self, track: Track) -> dict[str, Any]:
        row, mount = track.row, self.model.mount
        going = math.degrees(mount.yaw_rad - math.atan2(track.vl_mps, track.vf_mps)) % 360.0
        speed = math.hypot(track.vf_mps, track.vl_mps)
        kind = LONG_TRUCK if row["l"] >= LONG_TRUCK_M else TYPES.get(row["cls"], 0)
        return {
            "id": track.number,
            "type": kind,
            "x": round(-track.left_m, 2),
            "y": round(track.forward_m, 2),
            "speedX": round(-track.vl_mps, 2),
            "speedY": round(track.vf_mps, 2),
            "speed": round(speed, 2),
            "heading": round(going if speed > 0.5 else row["heading"], 1),
            "length": row["l"],
            "width": row["w"],
            "confidence": 0.9 if track.state is State.MEASURED else 0.4,
        }
