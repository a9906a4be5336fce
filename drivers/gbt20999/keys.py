"""Settings of a GB/T 20999-2017 controller on a serial line."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `controller` for this driver."""

    port: str = setting(
        en="Serial port, by a stable name.",
        zh="串口,使用固定名称。",
        example="/dev/serial/by-id/usb-FTDI-if00",
    )
    baud: int = setting(115200, en="Baud rate, 8N1.", zh="波特率,8N1。", unit="bit/s", ge=1200, le=921600)
    role: Literal["master"] = setting(
        "master", en="We ask the questions; needs a port of our own.", zh="主站轮询,需独占端口。"
    )
    host_id: int = setting(5, en="Our host id in frames.", zh="上位机编号。", ge=0, le=255)
    controller_id: int = setting(0, en="The controller's id.", zh="信号机编号。", ge=0, le=0xFFFFFFFF)
    crossing_id: int = setting(0, en="Crossing id in frames.", zh="帧内路口编号。", ge=0, le=255)
    crossing_row: int = setting(
        1, en="Row of this crossing in 13.2.", zh="13.2 中本路口的行号。", ge=1, le=16
    )
    crc: Literal["1005", "1021"] = setting("1005", en="CRC polynomial.", zh="CRC 多项式。")
    poll_period_s: float = setting(
        0.1, en="Pace of lamp polls.", zh="灯态轮询周期。", unit="s", ge=0.05, le=5
    )
    batch: int = setting(
        60, en="Values in one query; halves itself on refusal.", zh="单次查询数据项数。", ge=1, le=255
    )
    reply_timeout_s: float = setting(0.6, en="Wait for a reply.", zh="应答超时。", unit="s", ge=0.05, le=10)
    silence_s: float = setting(
        3.0, en="Silence that means lost.", zh="判定失联的静默时间。", unit="s", ge=0.5, le=60
    )
    group_count: int = setting(0, en="Lamp groups; 0 = ask.", zh="灯组数;0 为自动读取。", ge=0, le=64)
