"""The settings that every device on a CAN bus shares."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.can_bus import CanSettings
from rsu_agent.ports.declare import Declared, setting


class CanDeclared(Declared):
    """Where the bus is and how it is opened."""

    interface: Literal["socketcan", "slcan", "socketcand"] = setting(
        "socketcan",
        en="`socketcan`: an interface of this box; `slcan`: a serial adapter; `socketcand`: a bus by TCP.",
        zh="`socketcan`:本机 CAN 接口;`slcan`:串口适配器;`socketcand`:经 TCP 的总线。",
    )
    channel: str = setting(
        "can0",
        en="Name of the interface, also of that at the server; with slcan the serial port.",
        zh="接口名称(socketcand 为服务器端名称);slcan 为串口。",
        example="/dev/serial/by-id/usb-CANable_slcan-if00",
        min_length=1,
    )
    bitrate: int = setting(
        500_000,
        en="Bits a second, for slcan; a socketcan interface and a server have theirs set.",
        zh="总线速率,仅用于 slcan;socketcan 接口与服务器自行设定。",
        unit="bit/s",
        ge=10_000,
        le=1_000_000,
    )
    host: str = setting("127.0.0.1", en="Address of the socketcand server.", zh="socketcand 服务器地址。")
    port: int = setting(29536, en="Its TCP port.", zh="其 TCP 端口。", ge=1, le=65535)
    tty_baud: int = setting(
        115_200,
        en="Baud rate of an slcan adapter.",
        zh="slcan 适配器波特率。",
        unit="baud",
        ge=9600,
        le=4_000_000,
    )
    settle_s: float = setting(
        2.0,
        en="What an slcan adapter needs after its port was opened.",
        zh="slcan 适配器打开串口后的等待时间。",
        unit="s",
        ge=0,
        le=10,
    )

    def can(self, filters: tuple[tuple[int, int], ...]) -> CanSettings:
        """The part that concerns the bus; only frames of these (identifier, mask) are wanted."""
        return CanSettings(
            self.interface,
            self.channel,
            self.bitrate,
            self.host,
            self.port,
            self.tty_baud,
            self.settle_s,
            filters,
        )
