"""Records of the road: hazards, and traffic by lane, movement, queue and crosswalk."""

from __future__ import annotations

from rsu_agent.outlets.kinds.field import UTC_US, Field, Kind, lane, when
from rsu_agent.world.hazard import HazardKind

TURNS = ("left", "through", "right", "u_turn", "unknown")
MINUTE = when("start of the minute", "该分钟的起点")
WATCHED = Field(
    "d",
    "float",
    "how much of the minute a healthy sensor watched the lane's arm",
    "该分钟内正常传感器覆盖该进口的时长",
    "s",
    low=0,
)


ROLLED = Field(
    "sq",
    "ints",
    "of a quarter of an hour that a full outbox made of minutes: first and last number that it stands for",
    "待发箱满时由分钟汇总为一刻钟:所代表的首末序号",
    always=False,
)


def _measured(key: str, meaning: str, zh: str, unit: str | None = None, high: float | None = None) -> Field:
    return Field(key, "float", meaning, zh, unit, null=True, low=0, high=high)


EVENT = Kind(
    "event",
    "hi",
    "danger on the road, to be acted on and counted",
    "道路危险事件:处置与统计",
    "outlets/summary",
    30,
    730,
    (
        when("onset: the instant from which the rule's condition held", "起始:规则条件成立的时刻"),
        Field(
            "i",
            "text",
            "identity of the hazard, the same in its `on` and its `off` record",
            "事件标识,起止两条记录相同",
        ),
        Field("h", "text", "kind of hazard (world/hazard.py)", "事件类别", one_of=tuple(HazardKind)),
        Field("s", "text", "found, or over", "发现或结束", one_of=("on", "off")),
        Field(
            "te",
            "int",
            "when it was over; in `off` records only",
            "结束时刻,仅结束记录",
            UTC_US,
            always=False,
        ),
        Field(
            "lat",
            "float",
            "where it was last seen, in the crossing file's datum",
            "最后位置纬度(路口文件坐标系)",
            "deg",
            low=-90,
            high=90,
        ),
        Field("lon", "float", "the same", "最后位置经度", "deg", low=-180, high=180),
        Field("x", "float", "the same in the crossing's own frame, east", "路口坐标系以东", "m"),
        Field("y", "float", "the same, north", "路口坐标系以北", "m"),
        Field(
            "hd",
            "float",
            "heading, clockwise from north",
            "航向,自北顺时针",
            "deg",
            null=True,
            low=0,
            high=360,
        ),
        Field("ln", "int", "lane of the crossing file", "路口文件中的车道", null=True),
        Field("tr", "int", "number of the track in this run; it names nobody", "本次运行的航迹号,不指向个人"),
        Field("ev", "text", "evidence: what the rule saw, in words", "证据:规则所见"),
    ),
)

FLOW = Kind(
    "flow",
    "lo",
    "traffic counts per entry lane and minute, for signal timing",
    "各进口车道每分钟交通流,用于信号配时",
    "outlets/summary_road",
    30,
    400,
    (
        MINUTE,
        WATCHED,
        lane(),
        Field("n", "counts", "users whose front passed the stop line, by class", "按类别统计的过停止线数"),
        _measured(
            "v",
            "their mean speed at the line; null when nobody passed",
            "过线平均速度;无人通过为 null",
            "m/s",
        ),
        Field(
            "o",
            "float",
            "occupancy: share of `d` in which a body stood over the last 2 m before the line",
            "占有率:停止线前 2 米被占用的时间比例",
            low=0,
            high=1,
        ),
        _measured(
            "h",
            "mean time headway at the line, front to front; null: no two in sight",
            "停止线平均车头时距",
            "s",
        ),
        _measured("hm", "the smallest one", "最小车头时距", "s"),
        _measured(
            "dl",
            "mean control delay on the last 60 m before the line; null: none measured",
            "停止线前 60 米平均控制延误",
            "s",
        ),
        _measured(
            "df",
            "from how far before the line it was reckoned, the mean (25 to 60)",
            "延误测量的平均起点距离",
            "m",
        ),
        Field("dn", "int", "users whose delay and stops were measured", "测得延误与停车的人车数", low=0),
        Field(
            "du", "int", "users who passed, but whose track began too late for that", "航迹过晚未测者", low=0
        ),
        _measured(
            "st",
            "mean number of stops of those measured (begins < 5 km/h, over > 10 km/h)",
            "平均停车次数",
        ),
        _measured("ss", "share of those measured that stopped", "停车比例", high=1),
        Field(
            "mv",
            "counts",
            "ways that ended in this minute: left, through, right, u_turn, unknown",
            "本分钟结束的去向",
        ),
        Field(
            "rt",
            "counts",
            "by what right they went (lanes/right.py); `red` ran a red light",
            "通行权类别;`red` 为闯红灯",
        ),
        ROLLED,
    ),
)

MOVE = Kind(
    "move",
    "lo",
    "traffic figures per movement (entry lane and turn) and minute, for signal timing",
    "各流向(进口车道与转向)每分钟指标,用于信号配时",
    "outlets/summary_moves",
    30,
    200,
    (
        when("start of the minute in which the ways ended", "通行结束所在分钟的起点"),
        lane(),
        Field("to", "text", "the turn; unknown: lost before its way could tell", "转向", one_of=TURNS),
        Field("n", "counts", "users whose way ended, by class", "按类别统计的完成数"),
        _measured("v", "mean speed at the stop line", "过停止线平均速度", "m/s"),
        _measured(
            "h",
            "mean time headway at the line within this movement; null: no two in sight",
            "该流向平均车头时距",
            "s",
        ),
        _measured("dl", "mean control delay; null: none measured", "平均控制延误", "s"),
        Field("dn", "int", "users whose delay and stops were measured", "测得延误者数", low=0),
        _measured("st", "mean number of stops of those measured", "平均停车次数"),
        _measured("ss", "share of those measured that stopped", "停车比例", high=1),
        ROLLED,
    ),
)

QUEUE = Kind(
    "queue",
    "lo",
    "longest queue per entry lane and interval, for signal timing",
    "各进口车道每时段最长排队,用于信号配时",
    "outlets/summary_queue",
    30,
    200,
    (
        when("start of the interval", "时段起点"),
        Field("d", "float", "length of the interval", "时段长度", "s", low=0),
        lane(),
        Field("n", "int", "most standing users at once", "同时停车的最大数", low=0),
        Field("m", "float", "farthest end of the queue from the stop line", "队尾距停止线最远距离", "m"),
        Field(
            "w",
            "float",
            "how much of the interval a healthy sensor watched the lane's arm",
            "该时段内正常覆盖的时长",
            "s",
            low=0,
        ),
        Field(
            "gn",
            "int",
            "standing users when the lane's (last) green began; absent: none did",
            "绿灯起始时的停车数",
            always=False,
            low=0,
        ),
        Field("gm", "float", "end of that queue", "其队尾距离", "m", always=False),
        ROLLED,
    ),
)

WALK = Kind(
    "walk",
    "lo",
    "who walked over each crosswalk, per minute, for pedestrian timing",
    "各人行横道每分钟过街人数,用于行人配时",
    "outlets/summary_ways",
    30,
    200,
    (
        MINUTE,
        Field(
            "d",
            "float",
            "how much of the minute a healthy sensor watched the arm",
            "该分钟内正常覆盖的时长",
            "s",
            low=0,
        ),
        Field("cw", "int", "crosswalk of the crossing file", "路口文件中的人行横道"),
        Field(
            "n", "counts", "users who walked at least 0.6 of its length, by class", "走过 0.6 以上者,按类别"
        ),
        Field(
            "rt",
            "counts",
            "what the light said when the road was stepped onto (lanes/right.py)",
            "踏上道路时的灯色",
        ),
        ROLLED,
    ),
)

ZONE = Kind(
    "zone",
    "lo",
    "what radars without places counted per detection zone and minute, beside the lanes' own figures",
    "不给位置的雷达每检测区每分钟的计数,与车道统计并列",
    "outlets/summary_zones",
    30,
    200,
    (
        MINUTE,
        Field("d", "text", "the radar's name in the site file", "站点文件中的雷达名称"),
        Field("z", "int", "its zone, as it numbers them; null: speeds without one", "检测区号", null=True),
        Field(
            "n",
            "int",
            "vehicles; without a zone readings, several a vehicle",
            "车辆数;无检测区时为读数",
            low=0,
        ),
        _measured("v", "mean speed", "平均速度", "m/s"),
        _measured("v85", "the speed that 85 % do not exceed", "85 分位速度", "m/s"),
        _measured("l", "mean length of the vehicles", "平均车长", "m"),
        _measured("o", "occupancy: share of the minute in which one was in the zone", "占有率", high=1),
    ),
)

ROAD = (EVENT, FLOW, MOVE, QUEUE, WALK, ZONE)
