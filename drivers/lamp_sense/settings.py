"""What a site file says of a box of digital inputs on the lamp circuits."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line_declared import LineDeclared


class Inputs(Declared):
    """Inputs of one lamp group, counted from 0 as on the wire."""

    red: int | None = setting(None, en="Input of the red lamp.", zh="红灯输入。", ge=0, le=1999)
    yellow: int | None = setting(None, en="Input of the yellow lamp.", zh="黄灯输入。", ge=0, le=1999)
    green: int | None = setting(None, en="Input of the green lamp.", zh="绿灯输入。", ge=0, le=1999)


class Settings(LineDeclared):
    """Keys of the section `controller` with `driver: lamp_sense`."""

    baud: int = setting(19200, en="Baud rate.", zh="波特率。", unit="baud", ge=1200, le=921600)
    parity: Literal["none", "even", "odd"] = setting("even", en="Parity.", zh="校验。")
    address: int = setting(1, en="Modbus address of the box.", zh="Modbus 站址。", ge=1, le=247)
    groups: dict[int, Inputs] = setting(
        en="Lamp group -> the inputs on its lamps.", zh="灯组号 -> 各灯色的输入编号。", min_length=1
    )
    inverted: bool = setting(False, en="An input is off while its lamp shines.", zh="灯亮时输入为断开。")
    poll_hz: float = setting(20.0, en="Reads a second.", zh="读取频率。", unit="Hz", ge=2, le=50)
    reply_timeout_s: float = setting(
        0.2,
        en="Longest wait for a reply, bits on the wire apart.",
        zh="应答超时(不含传输时间)。",
        unit="s",
        ge=0.02,
        le=5,
    )
    silent_after_s: float = setting(
        2.0, en="Silence after which the box counts as lost.", zh="失联判定时间。", unit="s", ge=0.5, le=60
    )
    listen_first_s: float = setting(
        0.3,
        en="How long to listen before the first read.",
        zh="首次读取前的监听时间。",
        unit="s",
        ge=0,
        le=300,
    )

    @model_validator(mode="after")
    def _each_input_once(self) -> Self:
        seen: dict[int, str] = {}
        for group, inputs in self.groups.items():
            for name, number in inputs.model_dump().items():
                if number is None:
                    continue
                if number in seen:
                    raise ValueError(f"input {number} is {seen[number]} and {name} of group {group}")
                seen[number] = f"{name} of group {group}"
            if all(number is None for number in inputs.model_dump().values()):
                raise ValueError(f"group {group} has no input")
        return self

    @property
    def count(self) -> int:
        """How many inputs are read, from 0."""
        each = (inputs for own in self.groups.values() for inputs in (own.red, own.yellow, own.green))
        return max(number for number in each if number is not None) + 1
