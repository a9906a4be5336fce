"""Contracts of the devices: what opening each kind of driver gives.

Every driver is an async context; entering may raise DeviceLost, iterating ends in DeviceLost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rsu_agent.world.health import TimeQuality
from rsu_agent.world.road_user import UserClass
from rsu_agent.world.signal import Programme, SignalReport

if TYPE_CHECKING:  # the core shares these contracts and handles no pictures
    import numpy as np
    import numpy.typing as npt


class SignalSource(Protocol):
    """A traffic signal controller, read only: yields reports, and the programme once and after each change.

    `counters` holds what happened on the line, by stable names (frames, garbled, timeouts, bytes ...).
    """

    counters: dict[str, int]

    def __aiter__(self) -> AsyncIterator[SignalReport | Programme]: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. number: the camera's own frame number or a count; image: HxWx3 uint8, BGR.

    captured_s: monotonic instant of exposure (arrival of the first byte less the configured latency);
    arrived_s: monotonic arrival of the frame's first byte.
    """

    number: int
    captured_s: float
    arrived_s: float
    image: npt.NDArray[np.uint8]


class Camera(Protocol):
    """A camera: iterating gives the newest whole frame; those overtaken are counted in `counters`."""

    counters: dict[str, int]

    def __aiter__(self) -> AsyncIterator[Frame]: ...


@dataclass(frozen=True, slots=True)
class RadarPoint:
    """One return in the sensor's frame: x forward, y left, z up (m); doppler positive = moving away (m/s)."""

    x_forward_m: float
    y_left_m: float
    z_up_m: float
    doppler_mps: float
    snr_db: float | None = None


@dataclass(frozen=True, slots=True)
class RadarTarget:
    """One track the radar itself keeps, sensor frame as RadarPoint; velocities over the ground.

    epoch: counts up when the radar gives the same number to another user. exists: probability, 0..1.
    measured: False while the radar only extrapolates. What it does not tell is None.
    """

    target: int
    x_forward_m: float
    y_left_m: float
    vx_forward_mps: float
    vy_left_mps: float
    epoch: int = 0
    measured: bool = True
    exists: float | None = None
    kind: UserClass | None = None
    length_m: float | None = None
    width_m: float | None = None
    x_sd_m: float | None = None
    y_sd_m: float | None = None


@dataclass(frozen=True, slots=True)
class SpeedReading:
    """A speed without a place; positive = moving away, `None` direction: the sign is not known."""

    speed_mps: float
    away: bool | None
    range_m: float | None = None


@dataclass(frozen=True, slots=True)
class Passing:
    """One vehicle that passed a detection zone. at_s: monotonic; what the radar flags invalid is None."""

    zone: int
    at_s: float
    speed_mps: float | None
    length_m: float | None = None
    dwell_s: float | None = None
    range_m: float | None = None


@dataclass(frozen=True, slots=True)
class RadarFrame:
    """One radar cycle. measured_s: monotonic instant of measurement; missed: frames lost before this one.

    speeds, passings: of radars that give no places.
    """

    number: int
    measured_s: float
    points: tuple[RadarPoint, ...]
    targets: tuple[RadarTarget, ...] = ()
    missed: int = 0
    speeds: tuple[SpeedReading, ...] = ()
    passings: tuple[Passing, ...] = ()


class Radar(Protocol):
    """A radar: yields every frame; `counters` as for the others."""

    counters: dict[str, int]

    def __aiter__(self) -> AsyncIterator[RadarFrame]: ...


@dataclass(frozen=True, slots=True)
class Datagram:
    """A message as a radio wraps it, ready to be sent by another process; the message is its end.

    stamp_at: the byte at which a GeoNetworking time stamp begins that must be renewed, None: there is none.
    """

    data: bytes
    host: str
    port: int
    stamp_at: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the air. verified: the radio says that it has found the signature good."""

    data: bytes
    verified: bool


class Radio(Protocol):
    """The RSU radio: takes one ready message at a time; never blocks longer than a socket send."""

    counters: dict[str, int]

    @property
    def open_receiver(self) -> Callable[[], AbstractAsyncContextManager[AsyncIterator[Received]]] | None:
        """Opens what comes from the air, None where nothing is handed on; lost by itself, sending goes on."""
        ...

    async def send(self, kind: str, payload: bytes) -> None:
        """kind: as the set names it (SPAT, MAPEM, ...); payload: the whole message. Raises DeviceLost."""
        ...

    def last_word(self, kind: str, payload: bytes) -> Datagram | None:
        """What the parent process may send in our place, None where a bare datagram will not do."""
        ...

    async def drop_repeats(self) -> None:
        """Tell the radio to stop repeating what it holds; nothing to do for radios that do not repeat."""
        ...


class TimeSource(Protocol):
    """A source of time quality: yields a fresh reading at its own pace (at least every 10 s)."""

    def __aiter__(self) -> AsyncIterator[TimeQuality]: ...
