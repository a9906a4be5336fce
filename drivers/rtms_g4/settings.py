"""Settings of an RTMS G4."""

from __future__ import annotations

from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of a section of `radars` with `driver: rtms_g4`."""

    baud: int = setting(9600, en="Baud rate.", zh="波特率。", unit="baud", ge=1200, le=921600)
    sensor: int | None = setting(
        None,
        en="Take events of this sensor only; none: of all on the line.",
        zh="只采用此编号传感器的事件;缺省全部采用。",
        example=4,
        ge=0,
        le=65535,
    )
    latency_ms: float = setting(
        100.0,
        en="From the vehicle's leaving the zone to the event's first byte.",
        zh="车辆离开检测区到事件首字节的延迟。",
        unit="ms",
        ge=0,
        le=5000,
    )
    silence_s: float | None = setting(
        None,
        en="Silence that means lost; none: it speaks of vehicles only.",
        zh="判定失联的静默时间;缺省不判(仅有车时输出)。",
        unit="s",
        ge=1,
        le=86400,
    )
