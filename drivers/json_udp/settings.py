"""Settings of a unit that sends its targets as JSON: which field is what, in which unit and which frame."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from rsu_agent.ports.declare import Declared, setting
from rsu_agent.ports.line import LineSettings
from rsu_agent.world.road_user import UserClass

DottedPath = Annotated[str, Field(pattern=r"^[^.\s]{1,64}(\.[^.\s]{1,64}){0,7}$")]
Coord = Literal["sensor_xy", "wgs84", "gcj02"]
Axes = Literal["x_right_y_forward", "x_forward_y_left", "x_forward_y_right", "x_left_y_forward"]
GCJ02_REASON = (
    "gcj02 is refused: it is 300 to 700 m away from the truth and may not be turned back by us; "
    "let the unit send wgs84 (CGCS2000) or its own x and y"
)


class Fields(Declared):
    """Where each thing stands in one target; dots step into objects, digits into lists."""

    id: DottedPath = setting(en="The target's number or name.", zh="目标编号。", example="id")
    x: DottedPath = setting(en="x, or the longitude with wgs84.", zh="x;wgs84 时为经度。", example="pos.x")
    y: DottedPath = setting(en="y, or the latitude with wgs84.", zh="y;wgs84 时为纬度。", example="pos.y")
    vx: DottedPath | None = setting(
        None, en="Velocity along x, or to the east.", zh="x 向速度;wgs84 时为东向。"
    )
    vy: DottedPath | None = setting(
        None, en="Velocity along y, or to the north.", zh="y 向速度;wgs84 时为北向。"
    )
    speed: DottedPath | None = setting(None, en="Speed, with `heading`, instead.", zh="速率(与航向合用)。")
    heading: DottedPath | None = setting(
        None, en="Direction of travel, clockwise.", zh="航向角,顺时针。", example="heading"
    )
    kind: DottedPath | None = setting(None, en="Class.", zh="类别。", example="type")
    length: DottedPath | None = setting(None, en="Length.", zh="长度。")
    width: DottedPath | None = setting(None, en="Width.", zh="宽度。")
    exists: DottedPath | None = setting(
        None, en="Probability that it exists, 0 to 1.", zh="存在概率,0 至 1。"
    )

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if (self.vx is None or self.vy is None) and (self.speed is None or self.heading is None):
            raise ValueError("a target needs vx and vy, or speed and heading")
        return self


class Settings(Declared):
    """Keys of a section of `radars` with `driver: json_udp`."""

    port: str = setting(
        "udp-in://0.0.0.0:9100",
        en="Where they arrive: udp-in://ADDRESS:PORT, or udp://HOST:PORT?local=PORT from that host alone.",
        zh="接收地址:udp-in://地址:端口,或 udp://主机:端口?local=端口(仅该主机)。",
        pattern=r"^udp(-in)?://",
    )
    targets: DottedPath | None = setting(
        None,
        en="Where the list of targets stands; none: the document is the list.",
        zh="目标列表的路径;缺省整个文档即列表。",
        example="data.targets",
    )
    fields: Fields = setting(en="Where each thing stands in a target.", zh="目标内各字段的路径。")
    time: DottedPath | None = setting(
        None,
        en="Where the unit's time of measurement stands in the document; its clock may be wrong.",
        zh="文档内测量时刻的路径;设备时钟不准也可。",
    )
    time_unit: Literal["s", "ms", "us"] = setting("ms", en="Its unit.", zh="时刻单位。")
    frame: DottedPath | None = setting(
        None, en="Where a count of frames stands, to tell losses.", zh="帧序号的路径,用于判断丢包。"
    )
    coord: Coord = setting(
        "sensor_xy",
        en="sensor_xy: metres from the unit; wgs84: degrees (CGCS2000 too); gcj02 is refused.",
        zh="sensor_xy 设备坐标;wgs84 经纬度(含 CGCS2000);gcj02 拒绝使用。",
    )
    axes: Axes = setting(
        "x_right_y_forward", en="Where x and y of sensor_xy point.", zh="sensor_xy 坐标轴指向。"
    )
    lat_deg: float | None = setting(
        None, en="The radar's own latitude, for wgs84.", zh="雷达自身纬度。", unit="deg", ge=-85, le=85
    )
    lon_deg: float | None = setting(
        None, en="Its longitude.", zh="雷达自身经度。", unit="deg", ge=-180, le=180
    )
    yaw_deg: float | None = setting(
        None,
        en="Where it looks, clockwise from true north.",
        zh="雷达朝向,自真北顺时针。",
        unit="deg",
        ge=0,
        lt=360,
    )
    position_unit: Literal["m", "dm", "cm", "mm", "ft"] = setting(
        "m", en="Unit of x and y of sensor_xy.", zh="x、y 单位。"
    )
    size_unit: Literal["m", "dm", "cm", "mm", "ft"] = setting(
        "m", en="Unit of length and width.", zh="长、宽单位。"
    )
    speed_unit: Literal["mps", "kmh", "mph", "cmps", "mmps"] = setting(
        "mps", en="Unit of velocities.", zh="速度单位。"
    )
    heading_unit: Literal["deg", "mdeg", "rad"] = setting("deg", en="Unit of the heading.", zh="航向单位。")
    heading_from: Literal["north", "forward"] = setting(
        "north",
        en="From where the heading counts: true north, or where the radar looks.",
        zh="航向起点:真北或雷达朝向。",
    )
    classes: dict[str, UserClass] = setting(
        {},
        en="The unit's word for a class -> ours; what is not here is unknown.",
        zh="设备类别 -> 本机类别;未列出者为未知。",
        example={"1": "pedestrian", "4": "car", "6": "bus"},
    )
    latency_ms: float = setting(
        100.0,
        en="From measurement to arrival; with `time`, the least that it takes.",
        zh="测量到到达的延迟;给出 `time` 时为最小值。",
        unit="ms",
        ge=0,
        le=2000,
    )
    silence_s: float = setting(
        2.0, en="Silence that means lost.", zh="判定失联的静默时间。", unit="s", ge=0.2, le=60
    )

    @field_validator("coord")
    @classmethod
    def _no_deflection(cls, coord: Coord) -> Coord:
        if coord == "gcj02":
            raise ValueError(GCJ02_REASON)
        return coord

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.coord == "wgs84" and None in (self.lat_deg, self.lon_deg, self.yaw_deg):
            raise ValueError("wgs84 needs lat_deg, lon_deg and yaw_deg of the radar")
        by_heading = self.fields.vx is None or self.fields.vy is None
        turned = self.coord == "sensor_xy" and self.heading_from == "north"
        if by_heading and turned and self.yaw_deg is None:
            raise ValueError("a heading from north needs yaw_deg, or heading_from: forward")
        return self

    def line(self) -> LineSettings:
        """The part that concerns the wire."""
        return LineSettings(self.port, 9600, "listener")
