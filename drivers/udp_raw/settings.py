"""Settings of a radio that takes one UPER message a UDP datagram."""

from __future__ import annotations

from typing import Literal

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `radio` for this driver."""

    host: str = setting(en="Address of the RSU.", zh="RSU 地址。", example="192.168.10.20")
    port: int = setting(en="UDP port of the RSU.", zh="RSU 的 UDP 端口。", ge=1, le=65535)
    receive_port: int | None = setting(
        None,
        en="UDP port here to which the RSU hands on what vehicles send; without it nothing is received.",
        zh="RSU 转发车辆消息的本机 UDP 端口;不填则不接收。",
        ge=1,
        le=65535,
        example=9001,
    )
    receive_host: str = setting(
        "0.0.0.0", en="Own address of that port.", zh="该端口绑定的本机地址。", example="192.168.10.2"
    )
    forwards: Literal["all", "verified"] = setting(
        "all",
        en="What the RSU hands on: all, or only messages whose signature it has found good (verified). "
        "Only a verified one is a witness.",
        zh="RSU 转发的内容:all 全部;verified 仅转发验签通过的消息。只有验签通过的消息才作为证据。",
    )
