"""Settings of a TI mmWave radar."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of a section of `radars` for this driver."""

    data_port: str = setting(
        en="The radar's data port; take its name under /dev/serial/by-id, which stays the same.",
        zh="雷达数据串口;请使用 /dev/serial/by-id 下的固定名称。",
        example="/dev/serial/by-id/usb-TI-if03",
    )
    baud: int = setting(921600, en="Its baud rate.", zh="波特率。", unit="bit/s", ge=9600, le=4_000_000)
    profile: Literal["auto", "sdk", "traffic_monitoring", "pc3d_4x", "area"] = setting(
        "auto", en="Which demo's frames; auto finds out.", zh="帧格式;auto 自动识别。"
    )
    target_bytes: Literal[28, 40, 68, 72, 108, 112] = setting(
        112,
        en="Size of a target; other than 112 only with a named profile.",
        zh="目标结构长度;非 112 时须指定 profile。",
        unit="bytes",
    )
    lateral_sign: Literal[1, -1] = setting(
        1,
        en="1: x to the right as TI draws it; -1: the unit tells left and right changed.",
        zh="1:x 向右(TI 约定);-1:左右相反。",
    )
    latency_ms: float = setting(
        50.0,
        en="From measurement to the frame's first byte.",
        zh="测量到首字节的延迟。",
        unit="ms",
        ge=0,
        le=500,
    )
    doppler_limit_mps: float | None = setting(
        None,
        en="Speed at which doppler wraps; none: worked out from the configuration, where one is named.",
        zh="多普勒模糊速度;缺省由雷达配置文件推算。",
        unit="m/s",
        example=11.57,
        gt=0,
        le=200,
    )
    silence_s: float = setting(
        2.0, en="Silence that means lost.", zh="判定失联的静默时间。", unit="s", ge=0.2, le=60
    )
    configuration: str | None = setting(
        None,
        en="File of commands that configures and starts the radar; none: it starts by itself.",
        zh="雷达配置命令文件;缺省表示雷达自行启动。",
        example="/etc/rsu-agent/radar-south.cfg",
    )
    cli_port: str | None = setting(
        None,
        en="The radar's command port; needed with `configuration`, else never opened.",
        zh="雷达命令串口;设置 configuration 时必填,否则不打开。",
        example="/dev/serial/by-id/usb-TI-if00",
    )
    cli_baud: int = setting(
        115200, en="Its baud rate.", zh="命令口波特率。", unit="bit/s", ge=9600, le=921600
    )
    state_folder: str = setting(
        "/var/lib/rsu-agent",
        en="Folder to remember in which configuration the radar was started with.",
        zh="记录雷达已启动配置的目录。",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.target_bytes != 112 and self.profile == "auto":
            raise ValueError(
                "target_bytes other than 112 needs a named profile: sizes cannot tell the layout"
            )
        if self.configuration is not None and self.cli_port is None:
            raise ValueError("configuration needs cli_port")
        return self
