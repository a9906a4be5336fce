"""Settings of a camera that serves MJPEG over HTTP."""

from __future__ import annotations

from base64 import b64encode

from pydantic import SecretStr

from rsu_agent.ports.camera_declared import CameraDeclared
from rsu_agent.ports.declare import setting


class Settings(CameraDeclared):
    """Keys of a section of `cameras` with `driver: mjpeg_http`."""

    url: str = setting(
        en="Address of the stream, without name and password.",
        zh="视频流地址,不含用户名与密码。",
        pattern=r"^http://[^/@\s]+(/\S*)?$",
        example="http://10.0.0.5/stream",
    )
    user: str | None = setting(
        None, en="Name to log in with (Basic).", zh="登录用户名(Basic)。", pattern=r"^[^:\r\n]{1,64}$"
    )
    password: SecretStr | None = setting(
        None, en="Password to log in with; never logged.", zh="登录密码,不写入日志。", secret=True
    )

    def login(self) -> str:
        """The header that logs in, with its end of line; empty where no user is given."""
        if self.user is None:
            return ""
        password = "" if self.password is None else self.password.get_secret_value()
        return f"Authorization: Basic {b64encode(f'{self.user}:{password}'.encode()).decode()}\r\n"
