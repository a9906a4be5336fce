"""What a site file says of a GA/T 1743-2020 controller."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from drivers.gat1743.wire import CONTROLLER_TYPE, EVERYONE, Address
from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared

TYPES = {"rsu": 0x8000, "platform": 0x4000, "other": 0x2000}
LampName = Annotated[str, StringConstraints(pattern=r"^\d{1,3}/\d{1,3}$")]


class Settings(LineDeclared):
    """Keys of the section `controller` with `driver: gat1743`."""

    role: Literal["master", "listener"] = setting(
        "master",
        en="`master` asks for colours and plans; `listener` only hears what the controller publishes.",
        zh="`master` 主动查询灯色与方案;`listener` 只接收信号机主动发布的信息。",
    )
    region: int = setting(
        440310, en="Region by GB/T 2260, in each frame.", zh="行政区划代码(GB/T 2260)。", ge=0, le=0xFFFFFF
    )
    sender_type: Literal["rsu", "platform", "other"] = setting(
        "rsu", en="What we say that we are.", zh="本机设备类型。"
    )
    sender_number: int = setting(1, en="Our own number.", zh="本机编号。", ge=0, le=0xFFFE)
    controller_number: int | None = setting(
        None,
        en="Number of the controller; others are not heard. None takes whichever speaks first.",
        zh="信号机编号;其他编号忽略。缺省接受首个应答者。",
        ge=0,
        le=0xFFFE,
    )
    groups: dict[int, LampName] = setting(
        {},
        en="Lamp group -> `direction/number` of the lamp. Empty: the lamp's number where all differ, else in "
        "order of direction and number from 1.",
        zh="灯组号 -> `方向角/灯组编号`。缺省:编号互不相同时直接使用,否则按方向与编号顺序从 1 排列。",
    )
    poll_hz: float = setting(
        8.0, en="Colour queries a second.", zh="灯色查询频率。", unit="Hz", ge=0.5, le=20
    )
    reply_timeout_s: float = setting(
        0.5, en="Longest wait for a reply.", zh="应答超时。", unit="s", ge=0.05, le=10
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

    def sender(self) -> Address:
        """Who we are."""
        return Address(self.region, TYPES[self.sender_type], self.sender_number)

    def receiver(self) -> Address:
        """Whom we ask."""
        number = EVERYONE if self.controller_number is None else self.controller_number
        return Address(self.region, CONTROLLER_TYPE, number)
