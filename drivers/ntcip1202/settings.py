"""What a site file says of an NTCIP 1202 controller."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared
from rsu_agent.ports.named_groups import OutputName


class Settings(LineDeclared):
    """Keys of the section `controller` with `driver: ntcip1202`; a serial port speaks PMPP, UDP bare SNMP."""

    role: Literal["master", "listener"] = setting(
        "master",
        en="`master` asks; `listener` hears what another host asks, on a serial line.",
        zh="`master` 主动查询;`listener` 在串口上监听其他主机的查询。",
    )
    community: str = setting(
        "public", en="SNMP community for reading.", zh="SNMP 只读团体名。", secret=True, max_length=64
    )
    address: int = setting(1, en="PMPP address of the controller.", zh="PMPP 站址。", ge=1, le=63)
    groups: dict[int, OutputName] = setting(
        {},
        en="Lamp group -> `phase N`, `ped N`, `overlap N`. Empty: N, 100 + N, 200 + N of those ever lit.",
        zh="灯组号 -> `phase N`、`ped N` 或 `overlap N`。缺省:曾点亮者为 N、100+N、200+N。",
    )
    poll_hz: float = setting(
        10.0, en="Colour queries a second.", zh="灯色查询频率。", unit="Hz", ge=0.5, le=20
    )
    most_objects: int = setting(24, en="Most objects in one query.", zh="单次查询对象上限。", ge=3, le=64)
    reply_timeout_s: float = setting(
        0.5,
        en="Longest wait for a reply, bits on the wire apart.",
        zh="应答超时(不含传输时间)。",
        unit="s",
        ge=0.05,
        le=10,
    )
    silent_after_s: float = setting(
        3.0,
        en="Silence after which the controller counts as lost.",
        zh="失联判定时间。",
        unit="s",
        ge=0.5,
        le=60,
    )
    listen_first_s: float = setting(
        0.3,
        en="How long to listen before the first query.",
        zh="首次查询前的监听时间。",
        unit="s",
        ge=0,
        le=300,
    )
