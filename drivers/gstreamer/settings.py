"""Settings of a camera behind a GStreamer pipeline."""

from __future__ import annotations

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.declare import setting


class Settings(CameraDeclared):
    """Keys of a section of `cameras` with `driver: gstreamer`."""

    pipeline: str = setting(
        en="Pipeline that ends in an appsink giving BGR; it is never logged.",
        zh="以 appsink 结尾、输出 BGR 的管道;不写入日志。",
        pattern=r"\bappsink\b",
        example="rtspsrc location=rtsp://10.0.0.5/stream2 protocols=tcp latency=0 ! rtph264depay ! "
        "h264parse ! nvv4l2decoder ! nvvidconv ! video/x-raw,format=BGRx ! "
        "videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false",
        secret=True,
        repr=False,
    )
