"""Settings of a TI mmWave radar."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of a section of `radars` for this driver."""

    data_port: str = setting(
        en="The radar's data port.", zh="雷达数据串口。", example="/dev/serial/by-id/usb-TI-if03"
    )
    baud: int = setting(921600, en="Its baud rate.", zh="波特率。", unit="bit/s", ge=9600, le=4_000_000)
    profile: Literal["auto", "sdk", "traffic_monitoring", "pc3d_4x", "area"] = setting(
        "auto", en="Which demo's frames; auto finds out.", zh="帧格式;auto 自动识别。"
    )
    latency_ms: float = setting(
        50.0,
        en="From measurement to the frame's first byte.",
        zh="测量到首字节的延迟。",
        unit="ms",
        ge=0,
        le=500,
    )
    silence_s: float = setting(
        2.0, en="Silence that means lost.", zh="判定失联的静默时间。", unit="s", ge=0.2, le=60
    )
