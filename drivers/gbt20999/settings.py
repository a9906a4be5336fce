"""What a site file says of a GB/T 20999-2017 controller."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line import LineSettings


class Settings(Declared):
    """Keys of the section `controller` with `driver: gbt20999`."""

    port: str = setting(
        en="Serial port of the controller; a name under /dev/serial/by-id stays the same.",
        zh="信号机串口;建议使用 /dev/serial/by-id 下的固定名称。",
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
    role: Literal["master"] = setting(
        "master",
        en="`master` polls: only on a line that nobody else polls. A listener is not built yet.",
        zh="`master` 为主动轮询,仅用于无其他主机的线路;监听模式尚未实现。",
    )
    host_id: int = setting(1, en="Our own number in each frame.", zh="上位机编号。", ge=0, le=255)
    controller_id: int | None = setting(
        None,
        en="Number of the controller; another one that answers is refused. None takes whichever answers.",
        zh="信号机编号;与应答不符则拒绝。缺省接受任意编号。",
        ge=0,
        le=0xFFFFFFFF,
    )
    crossing: int = setting(
        1, en="Which crossing of the controller: element of its run state.", zh="路口号。", ge=1, le=255
    )
    crossing_in_frame: int = setting(
        0, en="Crossing number in the frame's head.", zh="帧头中的路口号。", ge=0, le=255
    )
    checksum: Literal["1005", "1021"] = setting(
        "1005", en="CRC polynomial; the standard's is 1005.", zh="CRC 多项式;国标为 1005。"
    )
    batch: int = setting(
        255, en="Most values in one query; fewer are learnt by itself.", zh="单帧最大查询数。", ge=1, le=255
    )
    poll_hz: float = setting(10.0, en="Lamp polls a second.", zh="灯态轮询频率。", unit="Hz", ge=0.5, le=20)
    plans: int = setting(16, en="Highest plan number to look for.", zh="查找的最大方案号。", ge=1, le=255)
    reply_timeout_s: float = setting(
        0.5, en="Longest wait for a reply.", zh="应答超时。", unit="s", ge=0.05, le=10
    )
    silent_after_s: float = setting(
        2.0,
        en="Silence after which the controller counts as lost.",
        zh="无应答判定失联时间。",
        unit="s",
        ge=0.5,
        le=60,
    )
    listen_first_s: float = setting(
        0.3,
        en="How long to listen for another master before the first query.",
        zh="首次查询前监听其他主机的时间。",
        unit="s",
        ge=0,
        le=300,
    )
    heartbeat: Literal["ignore", "answer"] = setting(
        "ignore",
        en="Whether heartbeat queries are answered; answering makes us a host in the controller's eyes.",
        zh="是否应答心跳;应答会使信号机视本机为上位机。",
    )

    def line(self) -> LineSettings:
        """The part that concerns the wire."""
        return LineSettings(
            port=self.port,
            baud=self.baud,
            role=self.role,
            parity=self.parity,
            stop_bits=self.stop_bits,
            dtr=self.dtr,
            rts=self.rts,
            rs485=self.rs485,
        )
