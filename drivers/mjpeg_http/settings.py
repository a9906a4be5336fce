"""Settings of a camera that serves MJPEG over HTTP."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of a section of `cameras` for this driver."""

    url: str = setting(
        en="Address of the stream.", zh="视频流地址。", pattern=r"^http://", example="http://10.0.0.5/stream"
    )
    latency_ms: float = setting(
        0.0,
        en="From exposure to the frame's first byte.",
        zh="曝光到首字节的延迟。",
        unit="ms",
        ge=0,
        le=2000,
    )
    open_timeout_s: float = setting(3.0, en="Wait for the stream.", zh="打开超时。", unit="s", ge=0.2, le=30)
    read_timeout_s: float = setting(
        2.0, en="Silence that means lost.", zh="读取超时。", unit="s", ge=0.2, le=30
    )
