"""Settings of a radio that takes one UPER message a UDP datagram."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `radio` for this driver."""

    host: str = setting(en="Address of the RSU.", zh="RSU 地址。", example="192.168.10.20")
    port: int = setting(en="UDP port of the RSU.", zh="RSU 的 UDP 端口。", ge=1, le=65535)
