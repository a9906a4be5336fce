"""Settings of the time source PTP."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `time` for this driver."""

    socket: str = setting(
        "/var/run/ptp4l",
        en="Management socket of ptp4l; linuxptp 4 has a read-only one, /var/run/ptp4lro, open to all.",
        zh="ptp4l 管理套接字;linuxptp 4 起有只读的 /var/run/ptp4lro。",
        min_length=1,
        max_length=107,
    )
    reply_socket: str | None = setting(
        None,
        en="Path of our own end, where ptp4l is in another network namespace; "
        "None: a name without a file, seen in the same namespace only.",
        zh="本端套接字路径(ptp4l 位于其他网络命名空间时);缺省为无文件的抽象名称。",
        example="/run/rsu-agent/ptp",
        min_length=1,
        max_length=107,
    )
    domain: int = setting(0, en="PTP domain.", zh="PTP 域号。", ge=0, le=255)
    transport_specific: int = setting(
        0, en="PTP transportSpecific: 1 in gPTP (802.1AS).", zh="transportSpecific:gPTP 为 1。", ge=0, le=15
    )
    software_timestamping: bool = setting(
        False,
        en="ptp4l stamps in software and steers the system clock itself; else a hardware clock, "
        "which phc2sys copies to the system clock.",
        zh="ptp4l 使用软件时间戳并直接校准系统时钟;否则校准硬件时钟,由 phc2sys 传给系统时钟。",
    )
    phc2sys_allowance_s: float = setting(
        0.001,
        en="How far phc2sys may leave the system clock from the hardware clock; ptp4l cannot tell.",
        zh="系统时钟与硬件时钟之差的容许值(phc2sys);ptp4l 无法得知。",
        unit="s",
        ge=0,
        le=1,
    )
    asymmetry: float = setting(
        1.0,
        en="Share of the mean path delay that may be asymmetry; 1 is the worst there can be.",
        zh="平均路径时延中可能不对称的比例;1 为最坏。",
        ge=0,
        le=1,
    )
    utc_offset: int | None = setting(
        None,
        en="TAI minus UTC that the grandmaster must tell (37 since 2017); another is not believed. "
        "None: any.",
        zh="主时钟须报告的 TAI 与 UTC 之差(2017 年起为 37);不符则不采信。缺省不比较。",
        unit="s",
        example=37,
        ge=0,
        le=100,
    )
    period_s: float = setting(2.0, en="Pace of the questions.", zh="查询周期。", unit="s", ge=0.2, le=10)
