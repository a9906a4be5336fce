"""ARS40x messages on CAN: Motorola bit layouts as annotations (facts/radars 2.1 and 2.5), and their codec."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args, get_type_hints

from rsu_agent.wire.rows import TooShort

MESSAGE_MASK = 0x78F  # bit 7 too: 0x680 is no message of ours


@dataclass(frozen=True, slots=True)
class Bits:
    """start: place of the highest bit, byte * 8 + bit, as a DBC has it; value = raw * scale + offset.

    scale None: a whole number, or a flag where the field is a bool.
    """

    start: int
    length: int
    scale: float | None = None
    offset: float = 0.0


Row = TypeVar("Row")
Number = Annotated[int, Bits(7, 8)]
Forward = Annotated[float, Bits(15, 13, 0.2, -500.0)]
ForwardSpeed = Annotated[float, Bits(39, 10, 0.25, -128.0)]
SideSpeed = Annotated[float, Bits(45, 9, 0.25, -64.0)]
CrossSection = Annotated[float, Bits(63, 8, 0.5, -64.0)]


class Layout(Generic[Row]):
    """Reads and writes one message of `size` bytes whose fields are annotated with their Bits."""

    def __init__(self, row: type[Row], size: int) -> None:
        hints = get_type_hints(row, include_extras=True)
        self._row, self.size = row, size
        self._names = [field.name for field in dataclasses.fields(row)]  # type: ignore[arg-type]
        self._places = [_place(size, *get_args(hints[name])) for name in self._names]

    def read(self, data: bytes) -> Row:
        """The row; bytes behind it are not looked at. Raises TooShort."""
        if len(data) < self.size:
            raise TooShort(f"{self._row.__name__} needs {self.size} bytes, has {len(data)}")
        whole = int.from_bytes(data[: self.size], "big")
        return self._row(
            *[_value(whole >> shift & mask, kind, bits) for shift, mask, kind, bits in self._places]
        )

    def write(self, row: Row) -> bytes:
        """The message. Raises ValueError for what does not fit its bits."""
        whole = 0
        for name, (shift, mask, _, bits) in zip(self._names, self._places, strict=True):
            value = getattr(row, name)
            raw = int(value) if bits.scale is None else round((value - bits.offset) / bits.scale)
            if not 0 <= raw <= mask:
                raise ValueError(f"{self._row.__name__}.{name}: {value} does not fit {bits.length} bits")
            whole |= raw << shift
        return whole.to_bytes(self.size, "big")


def _place(size: int, kind: type, bits: Bits) -> tuple[int, int, type, Bits]:
    """How many bits stand behind the field, its mask, its type."""
    byte, bit = divmod(bits.start, 8)
    before = 8 * byte + 7 - bit
    return 8 * size - before - bits.length, (1 << bits.length) - 1, kind, bits


def _value(raw: int, kind: type, bits: Bits) -> float:
    if bits.scale is not None:
        return raw * bits.scale + bits.offset
    return raw == 1 if kind is bool else raw


@dataclass(frozen=True, slots=True)
class RadarState:
    """0x201, once a second. output: 0 none, 1 objects, 2 clusters.

    motion: 0 heard, 1 no speed, 2 no yaw rate, 3 neither. baud_code, calibration: NanoRadar only, whose
    documents count from the lowest bit (53|3 and 62|2).
    """

    nvm_write: Annotated[bool, Bits(7, 1)]
    nvm_read: Annotated[bool, Bits(6, 1)]
    max_distance_m: Annotated[float, Bits(15, 10, 2.0)]
    persistent_error: Annotated[bool, Bits(21, 1)]
    interference: Annotated[bool, Bits(20, 1)]
    temperature_error: Annotated[bool, Bits(19, 1)]
    temporary_error: Annotated[bool, Bits(18, 1)]
    voltage_error: Annotated[bool, Bits(17, 1)]
    power: Annotated[int, Bits(25, 3)]
    sort: Annotated[int, Bits(38, 3)]
    sensor: Annotated[int, Bits(34, 3)]
    motion: Annotated[int, Bits(47, 2)]
    send_extended: Annotated[bool, Bits(45, 1)]
    send_quality: Annotated[bool, Bits(44, 1)]
    output: Annotated[int, Bits(43, 2)]
    relay: Annotated[bool, Bits(41, 1)]
    baud_code: Annotated[int, Bits(55, 3)]
    calibration: Annotated[int, Bits(63, 2)]
    rcs_threshold: Annotated[int, Bits(60, 3)]


@dataclass(frozen=True, slots=True)
class Version:
    """0x700, once a second: of the radar's software."""

    major: Annotated[int, Bits(7, 8)]
    minor: Annotated[int, Bits(15, 8)]
    patch: Annotated[int, Bits(23, 8)]
    country_code: Annotated[bool, Bits(24, 1)]
    extended_range: Annotated[bool, Bits(25, 1)]


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    """0x60A, begins a cycle of `count` objects."""

    count: Annotated[int, Bits(7, 8)]
    cycle: Annotated[int, Bits(15, 16)]
    interface_version: Annotated[int, Bits(31, 4)]


@dataclass(frozen=True, slots=True)
class ObjectGeneral:
    """0x60B. Forward and to the side in metres, speeds relative to the radar, away positive; rcs_db: dBsm.

    bits_6_43: bits 4 and 3 of byte 6, where some NanoRadar models tell a class and others a sector.
    """

    number: Number
    forward_m: Forward
    side_m: Annotated[float, Bits(18, 11, 0.2, -204.6)]
    forward_mps: ForwardSpeed
    side_mps: SideSpeed
    bits_6_43: Annotated[int, Bits(52, 2)]
    movement: Annotated[int, Bits(50, 3)]
    rcs_db: CrossSection


@dataclass(frozen=True, slots=True)
class ObjectQuality:
    """0x60C. Codes of standard deviations, of the probability of existence and of the measurement."""

    number: Number
    forward_sd: Annotated[int, Bits(15, 5)]
    side_sd: Annotated[int, Bits(10, 5)]
    forward_speed_sd: Annotated[int, Bits(21, 5)]
    side_speed_sd: Annotated[int, Bits(16, 5)]
    forward_acceleration_sd: Annotated[int, Bits(27, 5)]
    side_acceleration_sd: Annotated[int, Bits(38, 5)]
    orientation_sd: Annotated[int, Bits(33, 5)]
    exists: Annotated[int, Bits(55, 3)]
    measured: Annotated[int, Bits(52, 3)]


@dataclass(frozen=True, slots=True)
class ObjectExtended:
    """0x60D. Accelerations, class, orientation and sizes."""

    number: Number
    forward_mps2: Annotated[float, Bits(15, 11, 0.01, -10.0)]
    side_mps2: Annotated[float, Bits(20, 9, 0.01, -2.5)]
    kind: Annotated[int, Bits(26, 3)]
    orientation_deg: Annotated[float, Bits(39, 10, 0.4, -180.0)]
    length_m: Annotated[float, Bits(55, 8, 0.2)]
    width_m: Annotated[float, Bits(63, 8, 0.2)]


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """0x600, begins a cycle of near + far clusters."""

    near: Annotated[int, Bits(7, 8)]
    far: Annotated[int, Bits(15, 8)]
    cycle: Annotated[int, Bits(23, 16)]
    interface_version: Annotated[int, Bits(39, 4)]


@dataclass(frozen=True, slots=True)
class ClusterGeneral:
    """0x701. As an object's, but for a narrower place to the side."""

    number: Number
    forward_m: Forward
    side_m: Annotated[float, Bits(17, 10, 0.2, -102.3)]
    forward_mps: ForwardSpeed
    side_mps: SideSpeed
    movement: Annotated[int, Bits(50, 3)]
    rcs_db: CrossSection


@dataclass(frozen=True, slots=True)
class ClusterQuality:
    """0x702. ambiguity 3: the speed is unambiguous."""

    number: Number
    forward_sd: Annotated[int, Bits(15, 5)]
    side_sd: Annotated[int, Bits(10, 5)]
    forward_speed_sd: Annotated[int, Bits(21, 5)]
    side_speed_sd: Annotated[int, Bits(16, 5)]
    false_alarm: Annotated[int, Bits(26, 3)]
    invalid: Annotated[int, Bits(39, 5)]
    ambiguity: Annotated[int, Bits(34, 3)]


@dataclass(frozen=True, slots=True)
class Configuration:
    """0x200, to the radar: only what is marked `set_` is taken over. Number and relay are never set."""

    set_store: Annotated[bool, Bits(7, 1)] = False
    set_sort: Annotated[bool, Bits(6, 1)] = False
    set_extended: Annotated[bool, Bits(5, 1)] = False
    set_quality: Annotated[bool, Bits(4, 1)] = False
    set_output: Annotated[bool, Bits(3, 1)] = False
    set_power: Annotated[bool, Bits(2, 1)] = False
    set_max_distance_m: Annotated[bool, Bits(0, 1)] = False
    max_distance_m: Annotated[float, Bits(15, 10, 2.0)] = 0.0
    power: Annotated[int, Bits(39, 3)] = 0
    output: Annotated[int, Bits(36, 2)] = 0
    store: Annotated[bool, Bits(47, 1)] = False
    sort: Annotated[int, Bits(46, 3)] = 0
    extended: Annotated[bool, Bits(43, 1)] = False
    quality: Annotated[bool, Bits(42, 1)] = False
    rcs_threshold: Annotated[int, Bits(51, 3)] = 0
    set_rcs_threshold: Annotated[bool, Bits(48, 1)] = False


@dataclass(frozen=True, slots=True)
class Speed:
    """0x300, to the radar: its own speed. direction: 0 standing, 1 forward, 2 backward."""

    direction: Annotated[int, Bits(7, 2)] = 0
    speed_mps: Annotated[float, Bits(4, 13, 0.02)] = 0.0


@dataclass(frozen=True, slots=True)
class YawRate:
    """0x301, to the radar: how fast it turns."""

    yaw_degps: Annotated[float, Bits(7, 16, 0.01, -327.68)] = 0.0


CONFIGURATION, STATE, SPEED, YAW_RATE = 0x200, 0x201, 0x300, 0x301
CLUSTER_STATUS, OBJECT_STATUS = 0x600, 0x60A
HEARD: dict[int, Layout[Any]] = {
    STATE: Layout(RadarState, 8),
    CLUSTER_STATUS: Layout(ClusterStatus, 5),
    OBJECT_STATUS: Layout(ObjectStatus, 4),
    0x60B: Layout(ObjectGeneral, 8),
    0x60C: Layout(ObjectQuality, 7),
    0x60D: Layout(ObjectExtended, 8),
    0x700: Layout(Version, 4),
    0x701: Layout(ClusterGeneral, 8),
    0x702: Layout(ClusterQuality, 5),
}
TOLD: dict[int, Layout[Any]] = {
    CONFIGURATION: Layout(Configuration, 8),
    SPEED: Layout(Speed, 2),
    YAW_RATE: Layout(YawRate, 2),
}


def split(frame_id: int) -> tuple[int, int]:
    """(the message's own number, the sensor's, 0 to 7) of an 11-bit identifier."""
    return frame_id & MESSAGE_MASK, frame_id >> 4 & 7


def joined(message: int, sensor: int) -> int:
    """The identifier on the bus."""
    return message | sensor << 4
