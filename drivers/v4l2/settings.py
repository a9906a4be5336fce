"""Settings of a camera on this machine."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.declare import setting


class Settings(CameraDeclared):
    """Keys of a section of `cameras` with `driver: v4l2`."""

    device: str = setting(
        en="Device; a name under /dev/v4l/by-id or by-path stays the same.",
        zh="设备;建议使用 /dev/v4l/by-id 或 by-path 下的固定名称。",
        pattern=r"^/dev/\S+$",
        example="/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0",
    )
    width_px: int | None = setting(
        None,
        en="Width to ask for; with height_px.",
        zh="请求的宽度,与 height_px 同用。",
        unit="px",
        ge=16,
        le=7680,
    )
    height_px: int | None = setting(
        None,
        en="Height to ask for; with width_px.",
        zh="请求的高度,与 width_px 同用。",
        unit="px",
        ge=16,
        le=4320,
    )
    fourcc: str | None = setting(
        None, en="Format to ask for.", zh="请求的像素格式。", pattern=r"^[A-Z0-9]{4}$", example="MJPG"
    )
    fps: float | None = setting(
        None, en="Pictures a second to ask for.", zh="请求的帧率。", unit="Hz", ge=1, le=240
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.width_px is None) != (self.height_px is None):
            raise ValueError("width_px and height_px belong together")
        return self

    def size(self) -> tuple[int, int] | None:
        """Width and height to ask for."""
        return None if self.width_px is None or self.height_px is None else (self.width_px, self.height_px)
