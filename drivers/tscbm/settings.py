"""What a site file says of a controller that sends TSCBM blobs."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line import LineSettings
from rsu_agent.ports.named_groups import OutputName


class Settings(Declared):
    """Keys of the section `controller` with `driver: tscbm`."""

    port: str = setting(
        "udp-in://0.0.0.0:6053",
        en="Where the blobs arrive: udp-in://ADDRESS:PORT of this machine.",
        zh="接收地址:本机 udp-in://地址:端口。",
        pattern=r"^udp-in://",
    )
    groups: dict[int, OutputName] = setting(
        {},
        en="Lamp group -> `phase N`, `ped N`, `overlap N`. Empty: N, 100 + N, 200 + N of those ever lit.",
        zh="灯组号 -> `phase N`、`ped N` 或 `overlap N`。缺省:曾点亮者为 N、100+N、200+N。",
    )
    silent_after_s: float = setting(
        2.0,
        en="Silence after which the controller counts as lost.",
        zh="失联判定时间。",
        unit="s",
        ge=0.5,
        le=60,
    )

    def line(self) -> LineSettings:
        """The part that concerns the wire."""
        return LineSettings(self.port, 9600, "listener")
