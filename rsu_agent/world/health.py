"""Health: devices, and the trust we may put in our clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DeviceState(StrEnum):
    """How a device is, in the technician's words."""

    OK = "ok"
    STARTING = "starting"
    DEGRADED = "degraded"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device: since_s monotonic; reason is a stable lower-case word such as `missing` or `silent`."""

    device: str
    state: DeviceState
    reason: str
    since_s: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TimeQuality:
    """How far our UTC may be off. bound_s None: not known. read_s: when this was read (monotonic)."""

    source: str
    synchronised: bool
    offset_s: float
    bound_s: float | None
    read_s: float
    leap: str = "none"
