"""What a site file says of overheard countdown displays."""

from __future__ import annotations

from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of the section `controller` with `driver: gat508`."""

    baud: int = setting(
        9600,
        en="Baud rate; none is known to be standard.",
        zh="波特率,无统一规定。",
        unit="baud",
        ge=1200,
        le=921600,
    )
    groups: dict[int, int] = setting(
        {},
        en="Lamp group -> display address (0 to 31; with four: 0 north, 1 east, 2 south, 3 west). "
        "Empty: address + 1 of those ever lit.",
        zh="灯组号 -> 显示器地址(0-31;四方向时 0 北、1 东、2 南、3 西)。缺省:曾点亮者为地址加 1。",
    )
    silent_after_s: float = setting(
        5.0, en="Silence after which the displays count as lost.", zh="失联判定时间。", unit="s", ge=1, le=60
    )
