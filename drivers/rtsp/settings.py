"""Settings of a camera that serves RTSP."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.declare import setting


class Settings(CameraDeclared):
    """Keys of a section of `cameras` with `driver: rtsp`."""

    url: str = setting(
        en="Address of the stream, without name and password.",
        zh="视频流地址,不含用户名与密码。",
        pattern=r"^rtsps?://[^/@\s]+(/\S*)?$",
        example="rtsp://10.0.0.5:554/stream2",
    )
    user: str | None = setting(None, en="Name to log in with.", zh="登录用户名。", max_length=64)
    password: SecretStr | None = setting(
        None, en="Password to log in with; never logged.", zh="登录密码,不写入日志。", secret=True
    )
    transport: Literal["tcp", "udp"] = setting(
        "tcp",
        en="How pictures travel; one for all rtsp cameras of a site. udp loses parts of pictures.",
        zh="图像传输方式,同一站点的所有 rtsp 相机须一致;udp 会丢失部分图像。",
    )

    def address(self) -> str:
        """The url with name and password in it, for the one who opens it and nobody else."""
        scheme, rest = self.url.split("://", 1)
        if self.user is None:
            return self.url
        password = "" if self.password is None else f":{quote(self.password.get_secret_value(), safe='')}"
        return f"{scheme}://{quote(self.user, safe='')}{password}@{rest}"

    def where(self) -> str:
        """For people: no query either, as some cameras take tokens there."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"
