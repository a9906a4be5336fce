"""An ARS408 or NanoRadar MR76 on CAN: cycles of objects or clusters, state once a second, configuration."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence
from dataclasses import replace

from hil.devices.ars_codec import (
    CONFIG_ID,
    RMS_DEG,
    SENSOR_STEP,
    SPEED_ID,
    YAW_ID,
    RadarConfig,
    can_frame,
    configured,
    rms_code,
)
from hil.devices.radar_front import Console, Fitting, Outgoing, after
from hil.devices.radar_model import Return, RoadRadar, Rows, Traits
from hil.devices.radar_tracks import GONE, Habits, Track, Tracker

PERIODS_S = (0.070, 0.075)  # by turns
JITTER_S = 0.0005
LATENCY_S = 0.072  # about one cycle
SLOW_S = 1.0  # state and version
BURST, BURST_S = 8, 0.002  # frames that leave together: a quarter of a millisecond each on the bus
MOTION_S = 1.0
NVM_S = 1.0
MOST_OBJECTS, MOST_CLUSTERS = 100, 250
UNSORTED = 0.125  # share of cycles that are not quite in order
NEAR_M = 70.0
STEP = {"ars": 2, "nano": 1}  # of the measurement counter
TRAITS = Traits(
    reach_m=150.0, range_sd_m=0.1, range_step_m=0.2, doppler_sd_mps=0.1, doppler_step_mps=0.25,
    doppler_most_mps=64.0, clutter=3.0, ghost=0.02, hides_still=False, most=0.94,
    azimuth_apart_rad=math.radians(3.0),
)  # fmt: skip
HABITS = Habits(
    allocate=(1, 4), free_after=3, free_still_after=3, most=MOST_OBJECTS, gain=1.0, long_sd_m=0.1,
    side_sd_m=0.1, side_per_m=0.004, speed_sd_mps=0.1, phantoms=0.02, merges=0.002,
)  # fmt: skip
KINDS = {"car": 1, "truck": 2, "bus": 2, "motorcycle": 4, "bicycle": 5}  # others: a point
NO_KIND, PEDESTRIAN = 0, 3  # 3 only where the option asks for it: sources disagree
DYN = {  # what a track does, in either dialect
    "ars": {"still": 1, "stopped": 7, "away": 0, "oncoming": 2, "left": 6, "right": 6},
    "nano": {"still": 1, "stopped": 6, "away": 0, "oncoming": 2, "left": 3, "right": 4},
}
STILL_MPS = 0.5


class ArsFront:
    """Sans-IO, in CAN frames: identifier (two bytes) and data.

    Options: dialect=nano, output=0..3, sensor=0..7 (both as stored), class3=1 (pedestrians have a class).
    """

    keep = 2
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        options = fitting.options
        self.dialect = options.get("dialect", "ars")
        self.faults = fitting.faults
        self.model = RoadRadar(fitting.mount, TRAITS, fitting.seed, fitting.faults.weather)
        self.tracker = Tracker(fitting.mount, HABITS, fitting.seed + 1)
        self.stored = RadarConfig(sensor=int(options.get("sensor", 0)), output=int(options.get("output", 1)))
        self.config = replace(self.stored)
        self._class3 = options.get("class3") == "1"
        self._dice, self._out = random.Random(fitting.seed + 2), Outgoing()
        self._cycle_s = self._slow_s = fitting.now_s
        self._before_s = fitting.now_s
        self.counter = self._dice.randrange(0x8000) * 2
        self._turn = 0
        self._heard_s: dict[int, float] = {}
        self._written_s = -NVM_S

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """Frames that leave now."""
        clock = self.faults.clock
        if now_s >= self._cycle_s:
            self._turn ^= 1
            period = clock.true_s(PERIODS_S[self._turn] + self._dice.uniform(-JITTER_S, JITTER_S))
            self._cycle_s = after(self._cycle_s, period, now_s)
            self._cycle(now_s, users)
        if now_s >= self._slow_s:
            self._slow_s = after(self._slow_s, clock.true_s(SLOW_S), now_s)
            self._out.put(now_s, self._state(now_s))
            self._out.put(now_s, self._frame("version", major=4, minor=30, patch=1, far=1))
        return self._out.due(now_s)

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        """A frame from the bus: configuration, or the motion of the mast."""
        if len(data) < 2:
            return []
        identifier, body = struct.unpack(">H", data[:2])[0], data[2:]
        base = identifier - SENSOR_STEP * self.config.sensor
        if base == CONFIG_ID:
            self.config, store = configured(self.config, body)
            if store:
                self.stored, self._written_s = replace(self.config), now_s
        elif base in (SPEED_ID, YAW_ID) and len(body) >= 2:
            self._heard_s[base] = now_s
        return []

    def next_s(self) -> float:
        """The next frame or cycle."""
        return self._out.next_s(min(self._cycle_s, self._slow_s))

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """A cycle that announces another number of objects than it has."""
        if frame[1] & 0x0F == 0x0A and frame[0] == 0x06 and len(frame) > 2:
            return frame[:2] + bytes([max(0, min(255, frame[2] + dice.choice((-1, 1, 3))))]) + frame[3:]
        return frame

    def reset(self) -> None:
        """Power on again: what was not stored is forgotten."""
        self.config, self.counter, self._heard_s = replace(self.stored), 0, {}
        self.tracker.reset()
        self._out.clear()

    def _cycle(self, now_s: float, users: Rows) -> None:
        self.counter = (self.counter + STEP[self.dialect]) & 0xFFFF
        look = self.model.look(users)
        tracks = self.tracker.update(look.hits, now_s - self._before_s)
        self._before_s = now_s
        if self.config.output == 1:
            frames = self._objects(tracks)
        elif self.config.output == 2:
            frames = self._clusters(look.returns)
        else:
            return
        for n, frame in enumerate(frames):
            self._out.put(now_s + LATENCY_S + n // BURST * BURST_S, frame)

    def _objects(self, tracks: Sequence[Track]) -> list[bytes]:
        """The status, then the three groups, each in the same order of numbers."""
        reach = self.config.max_distance or math.inf
        kept = [t for t in tracks if math.hypot(t.forward_m, t.left_m) <= reach][:MOST_OBJECTS]
        kept.sort(key=lambda track: track.forward_m if self.config.sort == 1 else -track.rcs_db)
        dice = self._dice
        if len(kept) > 1 and dice.random() < UNSORTED:
            i = dice.randrange(len(kept) - 1)
            kept[i], kept[i + 1] = kept[i + 1], kept[i]
        first = dice.sample(kept, len(kept)) if self.faults.on("reorder") else kept
        size = 8 if self.dialect == "nano" else None
        status = {"count": len(kept), "counter": self.counter, "version": 1}
        frames = [can_frame("objects", self.config.sensor, status, size), *map(self._general, first)]
        if self.dialect == "ars":
            frames += [self._quality(track) for track in kept if self.config.quality]
            frames += [self._extended(track) for track in kept if self.config.ext]
        return frames

    def _general(self, track: Track) -> bytes:
        nano = self.dialect == "nano"
        side = -1.0 if nano else 1.0  # right is positive there
        raw = int(nano and track.row["l"] > 3.0)  # MR76: 1 a vehicle
        return self._frame(
            "object", id=track.number, long=track.forward_m, lat=side * track.left_m, vlong=track.vf_mps,
            vlat=side * track.vl_mps, dyn=DYN[self.dialect][doing(track)], rcs=track.rcs_db, raw_b6_34=raw,
        )  # fmt: skip

    def _quality(self, track: Track) -> bytes:
        away, stale = math.hypot(track.forward_m, track.left_m), 1.0 + 0.5 * track.missed
        side = HABITS.side_sd_m + HABITS.side_per_m * away
        return self._frame(
            "quality", id=track.number, long_rms=rms_code(HABITS.long_sd_m * stale),
            lat_rms=rms_code(side * stale), vlong_rms=rms_code(HABITS.speed_sd_mps * stale),
            vlat_rms=rms_code(2 * HABITS.speed_sd_mps * stale), along_rms=rms_code(0.7),
            alat_rms=rms_code(0.7), orientation_rms=rms_code(2.5, RMS_DEG),
            exists=0 if track.state in GONE else track.exists, state=int(track.state),
        )  # fmt: skip

    def _extended(self, track: Track) -> bytes:
        row = track.row
        kind = KINDS.get(row["cls"], PEDESTRIAN if self._class3 and row["cls"] == "pedestrian" else NO_KIND)
        turned = math.degrees(self.model.mount.yaw_rad) - row["heading"]  # left is positive
        return self._frame(
            "extended", id=track.number, along=track.af_mps2, alat=track.al_mps2, kind=kind,
            orientation=(turned + 180.0) % 360.0 - 180.0, length=row["l"], width=row["w"],
        )  # fmt: skip

    def _clusters(self, returns: Sequence[Return]) -> list[bytes]:
        kept = sorted(returns, key=lambda each: each.range_m)[:MOST_CLUSTERS]
        near = sum(each.range_m < NEAR_M for each in kept)
        status = {"near": near, "far": len(kept) - near, "counter": self.counter, "version": 1}
        frames = [self._frame("clusters", **status)]
        frames += [self._cluster(n, each) for n, each in enumerate(kept)]
        return frames + [self._cluster_quality(n, each) for n, each in enumerate(kept) if self.config.quality]

    def _cluster(self, number: int, each: Return) -> bytes:
        right, forward, _ = each.xyz
        long, lat = (each.doppler_mps * f(each.azimuth_rad) for f in (math.cos, math.sin))
        dyn = 1 if abs(each.doppler_mps) < STILL_MPS else 0 if each.doppler_mps > 0 else 2
        rcs = each.snr_db + 40.0 * math.log10(max(1.0, each.range_m) / TRAITS.reach_m) - 6.0
        return self._frame(
            "cluster", id=number, long=forward, lat=-right, vlong=long, vlat=-lat, dyn=dyn, rcs=rcs
        )

    def _cluster_quality(self, number: int, each: Return) -> bytes:
        side = each.range_m * self.model.noise_sd_rad(each.snr_db)
        return self._frame(
            "cluster_quality", id=number, long_rms=rms_code(0.1), lat_rms=rms_code(side),
            vlong_rms=rms_code(0.1), vlat_rms=rms_code(0.3), false_alarm=1, invalid=0, ambiguous=3,
        )  # fmt: skip

    def _state(self, now_s: float) -> bytes:
        config, weather = self.config, self.faults.weather
        missing = [now_s - self._heard_s.get(each, -math.inf) > MOTION_S for each in (SPEED_ID, YAW_ID)]
        return self._frame(
            "state", nvm_write=now_s - self._written_s < NVM_S, nvm_read=1, max_distance=config.max_distance,
            interference=weather.interference, temporary_error=weather.blocked, power=config.power,
            sort=config.sort, sensor=config.sensor, motion_rx=missing[0] + 2 * missing[1], ext=config.ext,
            quality=config.quality, output=config.output, relay=config.relay,
            rcs_threshold=config.rcs_threshold,
        )  # fmt: skip

    def _frame(self, name: str, **values: float) -> bytes:
        size = 8 if self.dialect == "nano" else None
        return can_frame(name, self.config.sensor, values, size)


def doing(track: Track) -> str:
    """What a track does as the radar names it: still, stopped, away, oncoming, left, right."""
    if math.hypot(track.vf_mps, track.vl_mps) < STILL_MPS:
        return "stopped" if track.moved else "still"
    if abs(track.vl_mps) > abs(track.vf_mps):
        return "left" if track.vl_mps > 0 else "right"
    return "away" if track.vf_mps > 0 else "oncoming"
