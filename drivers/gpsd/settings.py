"""Settings of the time source gpsd."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `time` for this driver."""

    host: str = setting("127.0.0.1", en="Where gpsd answers.", zh="gpsd 地址。", min_length=1)
    port: int = setting(2947, en="Its TCP port.", zh="gpsd 的 TCP 端口。", ge=1, le=65535)
    devices: list[str] = setting(
        [],
        en="Listen to these devices of gpsd only, a PPS device of its own included; empty: to all, "
        "and of several the worst counts.",
        zh="只采用这些 gpsd 设备(含独立 PPS 设备);空为全部,多个时取最差者。",
        example=["/dev/ttyS0", "/dev/pps0"],
    )
    leap_seconds: int | None = setting(
        None,
        en="GPS time minus UTC that a fix must tell where it tells any; another is not believed. None: any.",
        zh="定位须报告的 GPS 与 UTC 之差;不符则不采信。缺省不比较。",
        unit="s",
        example=18,
        ge=0,
        le=60,
    )
    period_s: float = setting(1.0, en="Pace of the readings.", zh="读数周期。", unit="s", ge=0.2, le=10)
    silence_s: float = setting(
        5.0,
        en="No report of a receiver for so long means lost.",
        zh="无接收机报告判为丢失的时间。",
        unit="s",
        ge=2,
        le=60,
    )
