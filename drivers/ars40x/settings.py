"""What a site file says of an ARS40x or NanoRadar unit on a CAN bus."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from rsu_agent.ports.can_declared import CanDeclared
from rsu_agent.ports.declare import Declared, setting


class Wanted(Declared):
    """How the radar shall be set. What is not named stays; nothing is sent while all is so already."""

    output: Literal["objects", "clusters"] | None = setting(
        None, en="What it sends.", zh="输出目标或点簇。", example="objects"
    )
    quality: bool | None = setting(
        None, en="Send doubts and probabilities of objects.", zh="发送目标质量信息。"
    )
    extended: bool | None = setting(
        None,
        en="Send classes and sizes of objects; two radars on one bus may be too much with it.",
        zh="发送目标类别与尺寸;同一总线两台雷达时可能超载。",
    )
    max_distance_m: int | None = setting(
        None, en="How far it looks; even.", zh="最大距离(偶数)。", unit="m", ge=2, le=2046, multiple_of=2
    )
    sort: Literal["none", "range", "rcs"] | None = setting(None, en="Order of objects.", zh="目标排序。")
    power: int | None = setting(None, en="Code of the transmit power.", zh="发射功率代码。", ge=0, le=7)
    rcs_threshold: int | None = setting(None, en="Code of the sensitivity.", zh="RCS 阈值代码。", ge=0, le=7)
    store: bool = setting(
        False,
        en="Keep it over a loss of power: written once, after the radar has taken a change over.",
        zh="写入雷达存储:仅在更改生效后写一次。",
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.values():
            raise ValueError("names nothing that the radar could be set to")
        return self

    def values(self) -> dict[str, object]:
        """What is named, `store` apart."""
        return self.model_dump(exclude_none=True, exclude={"store"})


class Settings(CanDeclared):
    """Keys of a section of `radars` with `driver: ars40x`."""

    dialect: Literal["ars40x", "nanoradar"] = setting(
        "ars40x",
        en="`ars40x`: Continental ARS408, ARS404; `nanoradar`: MR72, MR76, MR82, SR73F.",
        zh="`ars40x`:大陆 ARS408、ARS404;`nanoradar`:纳雷 MR72、MR76、MR82、SR73F。",
    )
    model: Literal["other", "mr72", "mr76"] = setting(
        "other",
        en="NanoRadar model; only the MR76 is known to tell a class, its vehicles become `car`.",
        zh="纳雷型号;仅 MR76 已知给出类别,其车辆记为 `car`。",
    )
    sensor_id: int | None = setting(
        None,
        en="The radar's own number on the bus; none takes the only one there is.",
        zh="雷达在总线上的编号;缺省取唯一的一台。",
        ge=0,
        le=7,
    )
    positive_side: Literal["usual", "left", "right"] = setting(
        "usual",
        en="Which side the radar counts positive; usual: ars40x left, nanoradar right. Check by a vehicle.",
        zh="横向正方向;usual:ars40x 左,nanoradar 右。请用实车核对。",
    )
    class_3: Literal["unknown", "pedestrian"] = setting(
        "unknown",
        en="What class 3 means: the sources disagree.",
        zh="类别 3 的含义(资料不一致)。",
    )
    still: bool = setting(
        False,
        en="Tell the radar 25 times a second that it does not move; not beside another host that does.",
        zh="以 25 Hz 告知雷达其静止;已有其他主机发送时勿用。",
    )
    wanted: Wanted | None = setting(None, en="How the radar shall be set.", zh="雷达应有的配置。")
    latency_ms: float = setting(
        75.0,
        en="From measurement to the first message of a cycle; one cycle, to be calibrated.",
        zh="测量到周期首帧的延迟,约一个周期,需标定。",
        unit="ms",
        ge=0,
        le=500,
    )
    silence_s: float = setting(
        3.0, en="Silence that means lost.", zh="判定失联的静默时间。", unit="s", ge=2.5, le=60
    )
