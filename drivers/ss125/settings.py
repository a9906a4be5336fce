"""Settings of a SmartSensor HD."""

from __future__ import annotations

from drivers.ss125.wire import Units
from rsu_agent.ports.declare import setting
from rsu_agent.ports.line_declared import LineDeclared


class Settings(LineDeclared):
    """Keys of a section of `radars` with `driver: ss125`."""

    baud: int = setting(9600, en="Baud rate.", zh="波特率。", unit="baud", ge=1200, le=921600)
    sensor: int = setting(en="The sensor's number.", zh="传感器编号。", example=245, ge=1, le=65534)
    subnet: int = setting(0, en="Its subnet.", zh="子网号。", ge=0, le=255)
    units: Units = setting(
        "imperial",
        en="Units the sensor is set to; the bytes do not tell.",
        zh="传感器设定的单位制;报文中不注明。",
    )
    clear_first: bool = setting(
        False,
        en="Make the sensor forget the events it holds when the line is opened.",
        zh="打开线路时清空传感器中积存的事件。",
    )
    poll_hz: float = setting(
        5.0, en="How often it is asked for an event.", zh="查询事件的频率。", unit="Hz", ge=0.2, le=20
    )
    reply_timeout_s: float = setting(
        0.5, en="Longest wait for an answer.", zh="应答超时。", unit="s", ge=0.05, le=5
    )
    silence_s: float = setting(
        5.0, en="No answer for so long means lost.", zh="判定失联的时间。", unit="s", ge=1, le=60
    )
