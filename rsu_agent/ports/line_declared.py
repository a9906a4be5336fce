"""The settings that every device on a byte line shares."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line import LineSettings


class LineDeclared(Declared):
    """Where the line is and how it is opened; baud rate and the wires count for serial ports only."""

    port: str = setting(
        en="Serial port (a name under /dev/serial/by-id stays the same), or tcp://HOST:PORT, "
        "udp://HOST:PORT, udp-in://ADDRESS:PORT, tcp-in://ADDRESS:PORT.",
        zh="串口(建议使用 /dev/serial/by-id 下的固定名称),或 tcp://主机:端口、udp://主机:端口、"
        "udp-in://地址:端口、tcp-in://地址:端口。",
        example="/dev/serial/by-id/usb-FTDI_USB-RS485_A1-if00-port0",
    )
    baud: int = setting(115200, en="Baud rate.", zh="波特率。", unit="baud", ge=1200, le=921600)
    parity: Literal["none", "even", "odd"] = setting("none", en="Parity.", zh="校验。")
    stop_bits: Literal[1, 2] = setting(1, en="Stop bits.", zh="停止位。")
    dtr: bool | None = setting(None, en="State of DTR; none leaves it.", zh="DTR 状态;缺省不改变。")
    rts: bool | None = setting(None, en="State of RTS; none leaves it.", zh="RTS 状态;缺省不改变。")
    rs485: bool = setting(
        False, en="Let the kernel switch an RS-485 driver.", zh="由内核控制 RS-485 收发方向。"
    )

    def line(self, role: Literal["master", "listener"]) -> LineSettings:
        """The part that concerns the wire."""
        return LineSettings(
            port=self.port,
            baud=self.baud,
            role=role,
            parity=self.parity,
            stop_bits=self.stop_bits,
            dtr=self.dtr,
            rts=self.rts,
            rs485=self.rs485,
        )
