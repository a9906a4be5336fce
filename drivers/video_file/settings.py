"""Settings of a video, or a folder of pictures, in the place of a camera."""

from __future__ import annotations

from rsu_agent.ports.declare import Declared, setting


class Settings(Declared):
    """Keys of a section of `cameras` with `driver: video_file`."""

    path: str = setting(
        en="Video file, or folder of pictures that are shown in the order of their names.",
        zh="视频文件,或按文件名顺序播放的图片文件夹。",
        example="/var/lib/rsu-agent/north.mp4",
    )
    fps: float | None = setting(
        None,
        en="Pictures a second; none: the video's own pace, 10 for a folder.",
        zh="每秒图像数;缺省为视频自身帧率,文件夹为 10。",
        unit="Hz",
        gt=0,
        le=120,
    )
    loop: bool = setting(False, en="Begin anew at the end.", zh="结束后从头播放。")
