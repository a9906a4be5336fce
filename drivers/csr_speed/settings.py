"""Settings of a simple speed radar."""

from __future__ import annotations

from typing import Literal

from drivers.csr_speed.reader import Format
from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of a section of `radars` with `driver: csr_speed`."""

    baud: int = setting(9600, en="Baud rate.", zh="波特率。", unit="baud", ge=1200, le=921600)
    format: Format = setting(
        en="What the radar was set to send. `byte` has no framing: a wrong one reads as believable speeds.",
        zh="雷达设定的输出格式。`byte` 无帧结构:格式设错会读成看似合理的速度。",
        example="two_bytes",
    )
    mode: Literal["continuous", "trigger", "answer"] = setting(
        "continuous",
        en="continuous: it speaks every 26 ms; trigger: once a vehicle; answer: it is asked.",
        zh="continuous 连续(26 ms);trigger 触发(每车一次);answer 应答(由本机查询)。",
    )
    ask_hz: float = setting(
        5.0, en="How often it is asked in answer mode.", zh="应答模式的查询频率。", unit="Hz", ge=0.2, le=20
    )
    low_limit_kmh: int | None = setting(
        None,
        en="Low-speed limit to set at start and after each power-on, not stored; none: left alone.",
        zh="启动及每次上电后设置的低速门限,不存入雷达;缺省不设置。",
        unit="km/h",
        ge=5,
        le=60,
    )
    latency_ms: float = setting(
        50.0, en="From measurement to the byte.", zh="测量到输出的延迟。", unit="ms", ge=0, le=1000
    )
    silence_s: float | None = setting(
        None,
        en="Silence that means lost; none: 2 s, but never in trigger mode.",
        zh="判定失联的静默时间;缺省 2 s,触发模式不判。",
        unit="s",
        ge=0.2,
        le=3600,
    )

    @property
    def lost_after_s(self) -> float | None:
        """Silence that means lost; None: silence is no loss."""
        return self.silence_s if self.silence_s is not None or self.mode == "trigger" else 2.0

    @property
    def writes(self) -> bool:
        """Whether the site asks for anything to be sent."""
        return self.mode == "answer" or self.low_limit_kmh is not None
