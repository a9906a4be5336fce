"""A TI mmWave radar on its data port: points, tracks one frame late, the faults of time seen on real ones."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from hil.devices.radar_front import Fitting, Outgoing
from hil.devices.radar_model import INTERFERED_DB, Look, Return, RoadRadar, Rows, Traits
from hil.devices.radar_tracks import GONE, Habits, State, Track, Tracker
from hil.devices.ti_console import TiConsole
from hil.devices.ti_frames import (
    NO_TRACK,
    NOISE_DB,
    PROFILES,
    WEAK,
    Measured,
    Profile,
    Target,
    frame,
    lied,
    spread_of,
)

LATENCY_S = 0.050  # from measurement to the first byte
LATENCY_JITTER_S = 0.002
JITTER_S = 0.001  # of the frame itself
GAP_CHANCE, GAP_FRAMES, SHORT_BYTES = 0.001, 8, 80  # a frame cut short, then none for so many
WEAK_DB = 8.0
MOST_TRACKS = 250
STEP_LOOK = Traits()
FAST = replace(STEP_LOOK, doppler_most_mps=3 * STEP_LOOK.doppler_most_mps)  # extendedMaxVelocity
TRAITS = {
    "traffic_monitoring": STEP_LOOK,
    "area": replace(FAST, hides_still=False),
}
HABITS = Habits(most=MOST_TRACKS)


class TiFront:
    """Sans-IO. Options: profile, cold=1 (waits for its configuration), extended=1 (three times the doppler),
    gaps=0 (no gaps of its own)."""

    keep = 0

    def __init__(self, fitting: Fitting) -> None:
        options = fitting.options
        self.profile: Profile = PROFILES[options.get("profile", "sdk")]
        self.faults = fitting.faults
        traits = TRAITS.get(self.profile.name, FAST)
        if options.get("extended") == "1":
            traits = replace(traits, doppler_most_mps=FAST.doppler_most_mps)
        self.model = RoadRadar(fitting.mount, traits, fitting.seed, fitting.faults.weather)
        self.tracker = Tracker(fitting.mount, HABITS, fitting.seed + 1)
        self.console: TiConsole = TiConsole(self.profile.name, options.get("cold") != "1")
        self._dice = random.Random(fitting.seed + 2)
        self._gaps = options.get("gaps") != "0"
        self._out, self._next_s, self._frame_s = Outgoing(), fitting.now_s, fitting.now_s
        self.number = self._dice.randrange(1000)
        self._missing = 0
        self._before = Look()

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """Frames whose first byte leaves now."""
        if now_s >= self._next_s:
            period = self.faults.clock.true_s(self.profile.period_s)
            if now_s - self._frame_s > 1.0:  # the host slept: the frames of that time were never measured
                self._frame_s = now_s
            self._frame_s += period
            self._next_s = self._frame_s + self._dice.uniform(-JITTER_S, JITTER_S)
            if self.console.running:
                self._measure(now_s, users)
        return self._out.due(now_s)

    def hear(self, _data: bytes, _now_s: float) -> list[bytes]:
        """The data port only speaks."""
        return []

    def next_s(self) -> float:
        """The next frame, measured or sent."""
        return self._out.next_s(self._next_s)

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """One length of the frame made untrue."""
        return lied(self.profile, frame, dice)

    def reset(self) -> None:
        """Power on again: it counts from zero, and waits for its configuration where it is cold."""
        self.number, self._missing, self._before = 0, 0, Look()
        self.tracker.reset()
        self.console.reset()
        self._out.clear()

    def _measure(self, now_s: float, users: Rows) -> None:
        self.number += 1
        look, dice = self.model.look(users), self._dice
        told = self._told(look, now_s)
        self._before = look
        if self._missing:
            self._missing -= 1
            return
        data = frame(self.profile, told)
        if self._gaps and dice.random() < GAP_CHANCE:
            self._missing, data = GAP_FRAMES, data[:SHORT_BYTES]
        at_s = now_s + LATENCY_S + dice.uniform(-LATENCY_JITTER_S, LATENCY_JITTER_S)
        self._out.put(at_s, data)

    def _told(self, look: Look, now_s: float) -> Measured:
        """Tracks and index are of the frame before: the tracker runs while the next one is measured."""
        tracks = self.tracker.update(self._before.hits, self.profile.period_s)
        kept = [track for track in tracks if track.state not in GONE]
        moving = [p for p in look.returns if self._moves(p)]
        still = [p for p in look.returns if not self._moves(p)]
        raised = INTERFERED_DB if self.faults.weather.interference else 0.0
        return Measured(
            number=self.number,
            own_s=self.faults.clock.own_s(now_s),
            points=moving,
            still=still,
            targets=[self._target(track) for track in kept],
            index=self._index(kept),
            noise_db=NOISE_DB + raised,
        )

    def _moves(self, point: Return) -> bool:
        """Whether it is a dynamic point: all are where what stands still is hidden."""
        traits = self.model.traits
        return traits.hides_still or abs(point.doppler_mps) >= traits.doppler_step_mps

    def _index(self, tracks: list[Track]) -> bytes | None:
        """A byte for each point of the frame before; none without targets."""
        if not tracks:
            return None
        numbers = {track.key: track.number for track in tracks}
        points = [p for p in self._before.returns if self._moves(p)]
        other = [WEAK if p.snr_db < WEAK_DB else NO_TRACK for p in points]
        found = [numbers.get(p.source) if p.source is not None else None for p in points]
        return bytes(n if n is not None else no for n, no in zip(found, other, strict=True))

    def _target(self, track: Track) -> Target:
        """Right, forward, up of the sensor; pc3d adds the mast's height, others do not."""
        height = float(track.row["h"])
        up = height / 2 - (0.0 if self.profile.name == "pc3d_4x" else self.model.mount.height_m)
        away = math.hypot(track.forward_m, track.left_m)
        return Target(
            number=track.number,
            place=(-track.left_m, track.forward_m, up),
            speed=(-track.vl_mps, track.vf_mps, 0.0),
            acceleration=(-track.al_mps2, track.af_mps2, 0.0),
            spread=spread_of(away, self.model.traits.azimuth_sd_rad),
            gain=1.0 + 0.1 * track.missed,
            confidence=1.0 if track.state is State.MEASURED else 0.5,
            height_m=height,
        )
