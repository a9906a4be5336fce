"""What a site file says of a GB/T 20999-2017 controller."""

from __future__ import annotations

from typing import Literal

from drivers.gbt20999.wire import Checksum, Dialect
from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of the section `controller` with `driver: gbt20999`."""

    role: Literal["master", "listener"] = setting(
        "master",
        en="`master` polls, only on a line that nobody else polls; `listener` hears the dialogue of the "
        "police centre and never writes.",
        zh="`master` 为主动轮询,仅用于无其他主机的线路;`listener` 只监听中心与信号机的对话,从不发送。",
    )
    groups: int | None = setting(
        None,
        en="How many lamp groups there are; a listener cannot ask. None: those heard in the first seconds.",
        zh="灯组数量;监听模式无法查询,缺省取最初数秒内听到的灯组。",
        ge=1,
        le=255,
    )
    escape: Literal["auto", "on", "off"] = setting(
        "auto",
        en="Whether 0x5C escapes are in the frames; auto: on serial lines and TCP, not on UDP.",
        zh="帧内是否使用 0x5C 转义;auto:串口与 TCP 使用,UDP 不使用。",
    )
    length: Literal["with_checksum", "without_checksum"] = setting(
        "with_checksum",
        en="What the length in our own frames counts; both are understood.",
        zh="发送帧长度是否包含校验;接收时两种均可识别。",
    )
    version: str = setting(
        "0100",
        en="Protocol version in our own frames, hexadecimal.",
        zh="发送帧的协议版本(十六进制)。",
        pattern=r"^[0-9a-fA-F]{4}$",
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

    def dialect(self) -> Dialect:
        """How frames are written on this line."""
        on = {"auto": not self.line(self.role).keeps_bounds, "on": True, "off": False}[self.escape]
        return Dialect(Checksum(self.checksum), on, self.length == "with_checksum")
