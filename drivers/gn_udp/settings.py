"""Settings of a radio that takes whole GeoNetworking frames, one a UDP datagram."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of the section `radio` for this driver."""

    host: str = setting(
        en="Where the frames go: an RSU, or a multicast group such as vanetza's 239.118.122.97.",
        zh="目的地址:RSU 或组播地址。",
        example="192.168.10.20",
    )
    port: int = setting(8947, en="UDP port.", zh="UDP 端口。", ge=1, le=65535)
    interface: str | None = setting(
        None, en="Own IPv4 address that multicast leaves by.", zh="组播出口的本机 IPv4 地址。"
    )
    address: str = setting(
        en="Link-layer address of this station: six bytes, unique on the channel.",
        zh="本站链路层地址(6 字节)。",
        example="02:00:00:00:00:01",
        pattern=r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$",
    )
    lat_deg: float = setting(en="Latitude of the antenna.", zh="天线纬度。", unit="deg", ge=-90, le=90)
    lon_deg: float = setting(en="Longitude of the antenna.", zh="天线经度。", unit="deg", ge=-180, le=180)
    position_accurate: bool = setting(
        True, en="Whether that position is good (the position accuracy indicator).", zh="位置精度指示。"
    )
    hazard_radius_m: float = setting(
        500.0, en="DENM go to whoever is so near.", zh="DENM 广播半径。", unit="m", gt=0, le=10_000
    )
    traffic_class_hazard: int = setting(1, en="Traffic class of DENM.", zh="DENM 业务类别。", ge=0, le=63)
    traffic_class: int = setting(
        2, en="Traffic class of the other messages.", zh="其他消息业务类别。", ge=0, le=63
    )
