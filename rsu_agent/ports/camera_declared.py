"""The settings that every camera on a network or a cable shares."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class CameraDeclared(Declared):
    """How late its pictures are, how many are wanted, and what counts as lost."""

    latency_ms: float = setting(
        0.0,
        en="From exposure to the picture's arrival; `rsu calibrate latency` measures it.",
        zh="曝光到图像到达的延迟;可用 `rsu calibrate latency` 测定。",
        unit="ms",
        ge=0,
        le=2000,
    )
    most_fps: float = setting(
        15.0,
        en="Pictures a second that are taken in; a camera that sends more has the others passed over.",
        zh="每秒最多取用的图像数;相机超出部分被跳过。",
        unit="Hz",
        ge=1,
        le=60,
    )
    open_timeout_s: float = setting(3.0, en="Wait for the stream.", zh="打开超时。", unit="s", ge=0.2, le=30)
    read_timeout_s: float = setting(
        2.0, en="Silence that means lost.", zh="读取超时。", unit="s", ge=0.2, le=30
    )
