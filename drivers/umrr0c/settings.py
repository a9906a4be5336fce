"""Settings of a UMRR-0C radar."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared

Axes = Literal["x_forward_y_left", "x_forward_y_right", "y_forward_x_right", "y_forward_x_left"]


class Settings(LineDeclared):
    """Keys of a section of `radars` with `driver: umrr0c`."""

    axes: Axes = setting(
        "x_forward_y_left",
        en="Where the radar's own axes point; the sign across is found by driving past once.",
        zh="雷达自身坐标轴的指向;横向符号须现场驶过核对。",
    )
    crc_polynomial: int = setting(
        0x1021,
        en="Polynomial of the frames' CRC-16; not confirmed by any capture.",
        zh="帧 CRC-16 多项式;尚无实录确认。",
        ge=1,
        le=0xFFFF,
    )
    crc_initial: int = setting(0xFFFF, en="Its initial value.", zh="CRC 初值。", ge=0, le=0xFFFF)
    crc_from: Literal["mark", "version", "payload"] = setting(
        "version", en="The first part of the frame that it covers.", zh="CRC 覆盖的起始部分。"
    )
    crc_confirmed: bool = setting(
        False,
        en="Whether the three keys above were confirmed on this radar: then frames that fail are dropped.",
        zh="以上三项是否已在本雷达上确认;确认后丢弃校验失败的帧,否则只计数。",
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
