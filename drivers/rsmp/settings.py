"""What a site file says of an RSMP traffic light controller."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line import LineSettings


class Settings(Declared):
    """Keys of the section `controller` with `driver: rsmp`."""

    port: str = setting(
        "tcp-in://0.0.0.0:13111",
        en="Where the controller dials in: tcp-in://ADDRESS:PORT of this machine.",
        zh="信号机接入地址:本机 tcp-in://地址:端口。",
        pattern=r"^tcp-in://",
    )
    site_id: str | None = setting(
        None, en="Id of the site; another one is refused. None takes any.", zh="站点编号;缺省接受任意站点。"
    )
    groups: dict[int, int] = setting(
        {},
        en="Lamp group -> place in S0001's text, from 1. Empty: the place is the number.",
        zh="灯组号 -> S0001 字符位置(自 1 起)。缺省:位置即灯组号。",
    )
    components: dict[int, str] = setting(
        {},
        en="Lamp group -> component id, so that S0025 (time to green and red) can be read.",
        zh="灯组号 -> 组件编号,用于订阅 S0025(到绿灯/红灯时间)。",
    )
    watchdog_s: float = setting(
        60.0, en="How often we say that we are alive.", zh="看门狗周期。", unit="s", ge=1, le=600
    )
    silent_after_s: float = setting(
        30.0,
        en="Silence after which the controller counts as lost.",
        zh="失联判定时间。",
        unit="s",
        ge=2,
        le=600,
    )

    def line(self) -> LineSettings:
        """The part that concerns the wire: we answer and subscribe, so it is written to."""
        return LineSettings(self.port, 9600, "master")
