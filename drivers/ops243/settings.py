"""Settings of an OPS243 radar."""

from __future__ import annotations

from typing import Literal

from drivers.ops243.wire import Units
from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of a section of `radars` with `driver: ops243`."""

    baud: int = setting(
        57600,
        en="Baud rate; on USB any will do.",
        zh="波特率;USB 连接时任意。",
        unit="baud",
        ge=1200,
        le=921600,
    )
    units: Units = setting(
        "mps",
        en="Unit of the speeds it sends, where lines do not tell; with `configure` it is told so.",
        zh="雷达输出速度的单位(行内未注明时);`configure` 时按此设置雷达。",
    )
    positive: Literal["inbound", "outbound"] = setting(
        "inbound",
        en="What a positive speed means where the line has no word for it; checked against the range.",
        zh="行内未注明方向时正速度的含义;与距离变化互证。",
    )
    configure: bool = setting(
        False,
        en="Tell the sensor units, JSON with units, and to report zeros; nothing is stored in it.",
        zh="向雷达设置单位、带单位的 JSON 输出与零值上报;不写入存储。",
    )
    set_clock: bool = setting(
        False,
        en="Set the sensor's clock to UTC at start and after each of its resets.",
        zh="启动时及雷达每次复位后将其时钟设为 UTC。",
    )
    latency_ms: float = setting(
        100.0, en="From measurement to the line.", zh="测量到出行的延迟。", unit="ms", ge=0, le=1000
    )
    silence_s: float | None = setting(
        None,
        en="Silence that means lost; none: it speaks of what moves only. 5 where it reports zeros.",
        zh="判定失联的静默时间;缺省不判(仅有目标时输出)。上报零值时建议 5。",
        unit="s",
        ge=0.5,
        le=3600,
    )

    @property
    def writes(self) -> bool:
        """Whether the site asks for anything to be sent."""
        return self.configure or self.set_clock
