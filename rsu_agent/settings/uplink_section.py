"""The site file's section `uplink`: broker, certificates, disk, live data, whose commands are obeyed."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pydantic import field_validator, model_validator

from rsu_agent.ports.declare import Declared, Misfit, setting
from rsu_agent.settings.language import later

KEY_BYTES = 32  # of Ed25519


class TlsSection(Declared):
    """Certificates; `tls: true` trusts the system's authorities and shows none of our own."""

    on: bool = setting(True, en="Use TLS; off is for loopback only.", zh="启用 TLS;仅本机回环可关闭。")
    ca: str | None = setting(
        None,
        en="File of the authority that signed the broker's certificate; none = the system's. Relative names "
        "are looked for in the service's credentials folder, then beside this file.",
        zh="签发消息代理证书的 CA 文件;无则用系统 CA。相对路径先在服务凭据目录、再在本文件旁查找。",
        example="uplink-ca.pem",
    )
    cert: str | None = setting(
        None, en="File of our certificate.", zh="本机证书文件。", example="uplink-cert.pem"
    )
    key: str | None = setting(
        None, en="File of its private key.", zh="本机私钥文件。", example="uplink-key.pem"
    )

    @model_validator(mode="after")
    def _pair(self) -> TlsSection:
        if (self.cert is None) != (self.key is None):
            said = later("a certificate needs its key and the key its certificate: give both or neither")
            raise Misfit(said, "cert" if self.cert else "key")
        if not self.on and (self.ca or self.cert):
            said = later("certificates are of no use while it is off")
            raise Misfit(said, "ca" if self.ca else "cert", other=("on",))
        return self


class LiveSection(Declared):
    """What the district sees at the moment itself; never stored."""

    objects_hz: float = setting(
        1.0,
        en="Rate of live road users and events without a lease; 0 = none. SPaT: on change and at 1 Hz.",
        zh="无租约时实时目标与事件的速率;0 为不发。SPaT 变化时及每秒发送。",
        unit="Hz",
        ge=0,
        le=10,
    )
    kBps: float = setting(
        50.0, en="What live data may use at most.", zh="实时数据带宽上限。", unit="kB/s", gt=0, le=10_000
    )


class UplinkSection(Declared):
    """The way to the district."""

    host: str = setting(en="Broker's name or address.", zh="消息代理地址。", example="mqtt.example.gov.cn")
    port: int = setting(8883, en="Broker's port.", zh="消息代理端口。", ge=1, le=65535)
    tls: TlsSection = setting(
        TlsSection(), en="TLS: true, false, or files.", zh="TLS:true、false 或证书文件。"
    )
    quota_mb: int = setting(512, en="Disk for the outbox.", zh="待发箱磁盘配额。", unit="MB", ge=8, le=65536)
    live: LiveSection = setting(LiveSection(), en="Live data.", zh="实时数据。")
    district_key: str | None = setting(
        None,
        en="Ed25519 public key of the district, base64; none = every command is refused.",
        zh="辖区 Ed25519 公钥(base64);无则拒绝一切指令。",
        example="Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    )

    @field_validator("tls", mode="before", json_schema_input_type=bool | TlsSection)
    @classmethod
    def _on_or_off(cls, value: Any) -> Any:
        return {"on": value} if isinstance(value, bool) else value

    @field_validator("district_key")
    @classmethod
    def _is_a_key(cls, value: str | None) -> str | None:
        try:
            long = value is not None and len(base64.b64decode(value, validate=True)) != KEY_BYTES
        except binascii.Error:
            long = True
        if long:
            raise Misfit("must be {size} bytes in base64: the raw Ed25519 public key", size=KEY_BYTES)
        return value
