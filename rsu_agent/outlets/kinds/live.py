"""Live kinds: taken from what went on air, never stored, each with the instant until which it holds."""

from __future__ import annotations

from rsu_agent.outlets.kinds.field import UTC_US, Field, Kind, when
from rsu_agent.world.road_user import UserClass
from rsu_agent.world.signal import Colour

COMMON = (
    when("the instant that it tells of", "所述时刻"),
    Field("u", "int", "valid until: afterwards it says nothing of the present", "有效期至", UTC_US, low=0),
    Field("q", "int", "counts this stream's messages since the agent's start", "流内序号", low=1),
    Field("m", "text", "message set that it was said in", "消息集"),
    Field(
        "f",
        "texts",
        "the frames as they went on air, hexadecimal; only under a lease that asks for them",
        "空口原始帧(十六进制),仅租约要求时",
        always=False,
    ),
)
PLACE = (
    Field("lat", "float", "latitude, as said on air", "纬度", "deg", low=-90, high=90),
    Field("lon", "float", "longitude", "经度", "deg", low=-180, high=180),
)

SPAT = Kind(
    "spat",
    "live",
    "what the crossing's lights show, as said to vehicles; on change and once a second",
    "对车辆播发的灯态:变化时及每秒",
    "outlets/live_signals",
    0,
    0,
    (
        *COMMON,
        Field("node", "int", "intersection id", "路口号", low=0, high=65535),
        Field("rg", "int", "its region, null: none", "区域号", null=True, low=0, high=65535),
        Field(
            "st", "int", "IntersectionStatus, bit 0 the first on the wire", "路口状态位", low=0, high=65535
        ),
        Field(
            "ph",
            "objects",
            "phases (T/CSAE 53) or signal groups",
            "相位或信号组",
            of=(
                Field("p", "int", "phase or signal group", "相位或信号组号", low=0, high=255),
                Field("l", "int", "light or movement state, the set's own code", "灯态代码", low=0, high=15),
                Field("c", "text", "the same in our words", "灯态", one_of=tuple(Colour)),
                Field("e", "int", "likely end, null: not said", "预计结束", UTC_US, null=True),
                Field("lo", "int", "earliest end, null: not said", "最早结束", UTC_US, null=True),
                Field("hi", "int", "latest end, null: not said", "最晚结束", UTC_US, null=True),
            ),
        ),
    ),
)

OBJS = Kind(
    "objs",
    "live",
    "who moves on the crossing, as said to vehicles; at the site's rate or a lease's",
    "对车辆播发的交通参与者:按站点或租约速率",
    "outlets/live_road",
    0,
    0,
    (
        *COMMON,
        Field(
            "ob",
            "objects",
            "road users",
            "交通参与者",
            of=(
                Field("i", "int", "number on air, used again after 30 s; it names nobody", "临时编号", low=0),
                Field("c", "text", "class (world/road_user.py)", "类别", one_of=tuple(UserClass)),
                *PLACE,
                Field("v", "float", "speed, null: not said", "速度", "m/s", null=True, low=0),
                Field("hd", "float", "heading, null: not said", "航向", "deg", null=True, low=0, high=360),
                Field("ln", "float", "length, null: not said", "长", "m", null=True),
                Field("wd", "float", "width, null: not said", "宽", "m", null=True),
                Field("src", "text", "how it was seen", "来源"),
            ),
        ),
    ),
)

EVENT_LIVE = Kind(
    "event_live",
    "live",
    "hazards that last, as said to vehicles; its end is that it is not said any more",
    "对车辆播发的持续事件:不再播发即结束",
    "outlets/live_road",
    0,
    0,
    (
        *COMMON,
        Field(
            "ev",
            "objects",
            "events",
            "事件",
            of=(
                Field("i", "int", "number on air", "空口编号", low=0),
                Field("y", "int", "GB/T 29100 event type, or ETSI cause code", "事件代码", low=0),
                *PLACE,
                Field("r", "float", "radius, null: not said", "半径", "m", null=True, low=0),
                Field("s", "text", "lasts, or said to be over", "持续或结束", one_of=("on", "off")),
            ),
        ),
    ),
)

LIVE = (SPAT, OBJS, EVENT_LIVE)
